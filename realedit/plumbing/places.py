"""What a command may write: never what it reads, never one file twice, never what is somebody else's.

A command names its inputs and outputs (`check_apart`); pictures, pages and animations that are made to be
looked at replace only such files that realedit made (`check_ours`), which it knows by a mark in them.
"""

import os
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from realedit.errors import OutputError

STDIN = Path("-")
"""Stands for a photo that comes from stdin and has no place."""

MARK = "realedit working picture"
"""In every picture, page or animation that realedit makes to be looked at; an edited photo has another."""

_HEAD, _TAIL = 1 << 18, 1 << 12  # bytes in which the mark is looked for


def same_place(one: Path, other: Path) -> bool:
    """Whether two paths are one file: by links of both kinds and on disks that ignore case. Of files that are
    not there yet, names that differ in case or in how letters are composed count as one."""
    try:
        return one.samefile(other)
    except OSError:
        return _folded(one) == _folded(other)


def _folded(path: Path) -> tuple[Path, str]:
    whole = Path(os.path.realpath(path))  # which does not mind links in a circle
    return whole.parent, unicodedata.normalize("NFC", whole.name).casefold()


def check_apart(
    outputs: Mapping[str, Path | None],
    inputs: Mapping[str, Sequence[Path]],
    *,
    appended: Sequence[str] = (),
) -> None:
    """Raise OutputError where an output is an input, lies in a folder that is read and would replace what is
    there, or is another output. outputs, inputs: by the option or argument that names them; appended: the
    outputs that replace nothing.
    """
    named: list[tuple[str, Path]] = []
    for option, path in outputs.items():
        if path is None:
            continue
        for source, other in ((source, each) for source, paths in inputs.items() for each in paths):
            if other.is_dir():
                if option not in appended:
                    _check_outside(path, other, source)
            elif same_place(path, other):
                raise OutputError(f"cannot write {path}: {_is_input(source)}; give {option} another name")
        for first, earlier in named:
            if same_place(path, earlier):
                raise OutputError(f"{path} is named by {first} already; give {option} another name")
        named.append((option, path))


def _is_input(source: str) -> str:
    if source in ("PHOTO", "BEFORE", "AFTER"):
        return "it is the photo itself, which is never changed"
    return f"{source} reads it, and it is never changed"


def _check_outside(path: Path, folder: Path, source: str) -> None:
    if path.is_file() and path.resolve().is_relative_to(folder.resolve()) and not is_ours(path):
        raise OutputError(
            f"cannot write {path}: it is there already, in the folder that {source} reads; give another name"
        )


def check_ours(*paths: Path) -> None:
    """Raise OutputError for a path where something lies that realedit did not make to be looked at."""
    for path in paths:
        if (path.exists() or path.is_symlink()) and not path.is_dir() and not is_ours(path):
            raise OutputError(
                f"cannot write {path}: a file that realedit did not make is there; "
                "remove it or give another name"
            )


def is_ours(path: Path) -> bool:
    """Whether the file at `path` is empty, or has the mark."""
    return has_mark(path, MARK)


def has_mark(path: Path, mark: str) -> bool:
    """Whether a file is empty or has `mark` near its beginning or its end; not so what is no plain file or
    cannot be read."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            file.seek(-min(_TAIL, path.stat().st_size), 2)
            return not head or mark.encode() in head or mark.encode() in file.read()
    except OSError:
        return False
