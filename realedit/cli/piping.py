"""`-` for a photo: its bytes come from stdin, or go to stdout."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from realedit.api.light import EXTENSIONS, Format, format_of, most_bytes
from realedit.cli.options import Command
from realedit.cli.streams import taken
from realedit.errors import PhotoError, UsageError
from realedit.plumbing.places import STDIN

Sink = Callable[[bytes], object]
_SUFFIXES = {kind: suffix for suffix, kind in reversed(EXTENSIONS.items())}
_HEAD = 4096  # bytes in which a format is known


def output_format_option(command: Command) -> Command:
    """The format of what goes to stdout."""
    return click.option(
        "--output-format",
        type=click.Choice([suffix.removeprefix(".") for suffix in EXTENSIONS]),
        help="The format of -o -, the photo on stdout. [default: the photo's own]",
    )(command)


def piped(photo: Path, max_pixels: int) -> bytes | None:
    """What stdin holds where `photo` is `-`, else None. Raises UsageError where nobody sends anything,
    PhotoError for more bytes than a photo of `max_pixels` has."""
    if photo != STDIN:
        return None
    if sys.stdin.isatty():
        raise UsageError(
            "the photo should come from stdin, which is a terminal; send a file to it: < photo.jpg"
        )
    most = most_bytes(max_pixels)
    try:
        source = sys.stdin.buffer.read(most + 1)
    except OSError as error:
        raise PhotoError(f"cannot read stdin: {error.strerror}") from error
    if len(source) > most:
        raise PhotoError(f"cannot read stdin: it holds more than a photo of {max_pixels} pixels can have")
    return source


@contextmanager
def sent(
    output: Path,
    output_format: str | None = None,
    *,
    photo: Path | None = None,
    source: bytes | None = None,
    as_json: bool = False,
) -> Iterator[tuple[Path, Sink | None]]:
    """Where a photo goes: (the file, None), or for `-` (a name with its format, what takes its bytes).

    photo, source: whose format it has where `output_format` is None. Raises UsageError for options that do
    not go together and a stdout that is a terminal.
    """
    if output != STDIN:
        if output_format is not None:
            raise UsageError(f"the name of {output} says its format; --output-format is for -o -")
        yield output, None
        return
    if as_json:
        raise UsageError("--json and -o - both want stdout; give the photo a name")
    suffix = f".{output_format}" if output_format is not None else _suffix(photo, source)
    with taken() as out:
        yield Path(f"stdout{suffix}"), out.write_all


def _suffix(photo: Path | None, source: bytes | None) -> str:
    """The extension of a photo's format; what cannot be read is told where it is read."""
    if source is None and photo is not None:
        try:
            with photo.open("rb") as file:
                source = file.read(_HEAD)
        except OSError:
            return ".png"
    kind = format_of(source or b"")
    if kind is Format.RAW:
        raise UsageError("a RAW photo is written in another format; say which with --output-format")
    return _SUFFIXES[kind] if kind is not None else ".png"
