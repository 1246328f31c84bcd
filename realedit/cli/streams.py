"""stdout and stderr that are closed, full or read by nobody, and names in them that they cannot encode.

What a command prints as its result (a list, a report) must arrive: otherwise `LostOutput` ends the command. A
message about work that is done (`message`) may be lost: the work counts, and stderr says so. What cannot be
said on stderr is lost without a word.
"""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from realedit.plumbing.printing import printable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_REPLACE = "backslashreplace"


class LostOutput(Exception):
    """Something could not be written to stdout. unread: because nobody reads it any more."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror or str(error))
        self.unread = error.errno == errno.EPIPE


class Out(io.FileIO):
    """stdout: the first failure is told, by LostOutput, and what follows goes nowhere."""

    lost = False

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write some of the bytes; how many."""
        if self.lost:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except OSError as error:
            self.lost = True
            raise LostOutput(error) from error

    def write_all(self, data: "ReadableBuffer") -> None:
        """Write all of the bytes."""
        left = memoryview(data)
        while left.nbytes:
            left = left[self.write(left) :]


class _Err(io.FileIO):
    """stderr: failures are not told."""

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write some of the bytes; how many."""
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


class _Closed(Out):
    """A stdout that was closed before the command began."""

    def write(self, data: "ReadableBuffer", /) -> int:
        """Fail the first time."""
        if self.lost:
            return memoryview(data).nbytes
        self.lost = True
        raise LostOutput(OSError(errno.EBADF, "it is closed"))


@contextmanager
def guarded() -> Iterator[None]:
    """The process's stdout and stderr as this module says, for the time of the block. Streams that somebody
    else put into `sys` stay as they are.
    """
    before = sys.stdin, sys.stdout, sys.stderr
    closed = {number for number in (0, 1, 2) if _fill(number)}
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open()  # noqa: SIM115 (for the process)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(_Closed(1, "wb", closefd=False) if 1 in closed else Out(1, "wb", closefd=False), 1)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(_Err(2, "wb", closefd=False), 2)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            _flush(stream)
        sys.stdin, sys.stdout, sys.stderr = before


def _fill(number: int) -> bool:
    """Open the null device in the place of a closed standard stream, which else the next file would get, and
    with it whatever a library prints; whether it was closed."""
    try:
        os.fstat(number)
    except OSError:
        os.open(os.devnull, os.O_RDWR)  # the lowest free number
        return True
    return False


def _text(raw: io.FileIO, number: int) -> TextIO:
    old = sys.__stdout__ if number == 1 else sys.__stderr__
    encoding = "utf-8" if old is None else old.encoding
    if os.name == "nt" and old is not None:  # consoles take no bytes there
        assert isinstance(old, io.TextIOWrapper)
        old.reconfigure(errors=_REPLACE)
        return old
    lines = raw.isatty() or number == 2
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors=_REPLACE, line_buffering=lines)


def _flush(stream: TextIO) -> None:
    with suppress(LostOutput, OSError, ValueError):  # told before, or where nobody hears it
        stream.flush()


def message(text: str) -> None:
    """A line on stdout about work that is done; where it cannot be written, stderr says why."""
    event(printable(text))


def event(text: str) -> None:
    """`message` for a text that is printed as it is."""
    try:
        click.echo(text)
    except LostOutput as lost:
        if not lost.unread:
            complain(f"a message could not be written to stdout ({lost}): {text}")


def result(text: str) -> None:
    """Lines on stdout that are what the command was called for. Raises LostOutput."""
    for line in text.split("\n"):
        click.echo(printable(line))


def complain(text: str) -> None:
    """A line on stderr, with the program's name in front."""
    say(f"realedit: {text}")


def say(text: str) -> None:
    """A line on stderr."""
    click.echo(printable(text), err=True)


@contextmanager
def taken() -> Iterator[Out]:
    """stdout for bytes alone: what else is printed within the block goes to stderr, by libraries too.

    Raises UsageError where stdout is a terminal, LostOutput where bytes cannot be written.
    """
    from realedit.errors import UsageError  # imports torch, which takes seconds

    sys.stdout.flush()
    if os.isatty(1):
        raise UsageError(
            "stdout is a terminal, which cannot show a photo's bytes; send it to a file or program"
        )
    closed = isinstance(getattr(getattr(sys.stdout, "buffer", None), "raw", None), _Closed)
    kept = os.dup(1)
    os.dup2(2, 1)
    out = (_Closed if closed else Out)(kept, "wb")
    try:
        yield out
    finally:
        _flush(sys.stdout)
        os.dup2(kept, 1)
        out.close()
