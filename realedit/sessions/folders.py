"""Folders that hold sessions: what is one, what may become one, and whose files are in it."""

import os
import re
from pathlib import Path

from realedit.errors import OutputError
from realedit.plumbing.places import has_mark

MARK = "realedit session"  # in the crop
_OWN = re.compile(
    r"(session|report)\.json|(crop|report|mask-[0-9a-f]{12})\.png|(latents|tuned)\.safetensors"
    r"|history\.jsonl|\.realedit-[0-9a-f]{16}\.part"
)


def check_folder(folder: Path) -> None:
    """Raise OutputError for a place where no session can be kept: a file, a folder of other things, no
    parent."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; name a folder for the session")
    if not folder.exists():
        if not folder.parent.is_dir():
            raise OutputError(f"there is no folder {folder.parent} to keep the session in; make it first")
        if not os.access(folder.parent, os.W_OK | os.X_OK):
            raise OutputError(f"no right to write into {folder.parent}; keep the session elsewhere")
    elif not _is_sessions(folder):
        raise OutputError(f"{folder} holds other files; name an empty or new folder for the session")


def is_own_name(name: str) -> bool:
    """Whether a session keeps a file of that name in its folder, and may replace it."""
    return _OWN.fullmatch(name) is not None


def session_files(folder: Path) -> list[Path]:
    """The files of a session in `folder`, and of those of several faces in its numbered folders."""
    inside = [folder, *(each for each in folder.glob("*") if each.name.isdecimal())]
    return [path for each in inside for path in each.glob("*") if is_own_name(path.name)]


def _is_sessions(folder: Path) -> bool:
    """Whether a folder is empty or a session's, finished or not, or holds those of several faces."""
    names = {path.name for path in folder.iterdir()}
    if "session.json" in names:
        return _is_header(folder / "session.json")
    inner = [folder / name for name in names if name.isdecimal() and (folder / name).is_dir()]
    if any(any(each.iterdir()) and _is_sessions(each) for each in inner):
        return True
    begun = {name for name in names if not name.endswith(".part")}
    marked = "crop.png" in begun and has_mark(folder / "crop.png", MARK)
    return all(map(is_own_name, names)) and (marked or not begun)


def _is_header(path: Path) -> bool:
    """Whether a session.json is a session's, whole or damaged; who reads it tells what may not be read."""
    try:
        return path.is_file() and b'"photo_sha256"' in path.read_bytes()
    except PermissionError:
        return True


def session_folders(folder: Path) -> list[Path]:
    """Where sessions are kept in a folder that a person named: in itself, or, of several faces of a photo, in
    folders by their numbers."""
    if (folder / "session.json").is_file():
        return [folder]
    found = folder.iterdir() if folder.is_dir() else ()
    numbered = [each for each in found if each.name.isdecimal() and (each / "session.json").is_file()]
    return sorted(numbered, key=lambda each: int(each.name))


def make_private(folder: Path) -> None:
    """Make `folder`, or narrow it, for its owner only (0700)."""
    check_folder(folder)
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.name == "posix":
        folder.chmod(0o700)
