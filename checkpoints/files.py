"""Files that are complete or absent, and how much room there is for them."""

import contextlib
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import CapacityError, CheckpointError

_SPARE = 16 << 20  # bytes to leave on the disk


def require_disk(folder: Path, size: int, what: str) -> None:
    """Raise CapacityError unless `folder` has room for `size` bytes."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return
    if free < size + _SPARE:
        raise CapacityError(
            f"{what} needs {megabytes(size)}, but the disk of {folder} has {megabytes(free)} free; make room."
        )


def megabytes(size: int) -> str:
    """A size for people."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target`; on success it is flushed to the disk and renamed to `target`.

    Whatever goes wrong, `target` is the old or the new file. Raises CapacityError on a full disk,
    CheckpointError where the folder cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=".realedit-", suffix=".part", dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise write_error(error, target) from error
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # private files lie in private folders
        temporary.replace(target)
    except OSError as error:
        raise write_error(error, target) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def utf8_path(path: Path, *, write: bool = False) -> Iterator[Path]:
    """A name of the file at `path` for the safetensors library, which takes UTF-8 alone: the path itself, or
    on Linux, where names are any bytes, one by way of an open descriptor. write: of a file that is to be
    written, whose own name is UTF-8."""
    name = str(path)
    if name.isascii() or name == os.fsencode(path).decode(errors="replace") or sys.platform != "linux":
        yield path
        return
    descriptor = os.open(path.parent, os.O_PATH) if write else os.open(path, os.O_RDONLY)
    try:
        yield Path(f"/proc/self/fd/{descriptor}", *([path.name] if write else []))
    finally:
        os.close(descriptor)


def write_error(error: OSError, target: Path) -> CheckpointError:
    """The sentence for a file that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CapacityError(f"{target} cannot be written because the disk is full; make room and try again.")
    return CheckpointError(
        f"{target} cannot be written ({error.strerror or error}); choose a folder that is there and writable."
    )
