"""Writing files that are complete or absent."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.errors import OutputError, ResourceError


@contextmanager
def complete(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """A file that appears at `path` when the block ends without an error, and leaves nothing otherwise.

    It is written beside `path`, flushed to the disk, then renamed; private: owner only (0600). OSError else.
    """
    temporary = path.with_name(f".realedit-{secrets.token_hex(8)}.part")
    try:
        with open(temporary, "xb+", opener=_owner_only if private else None) as out:
            yield cast(BinaryIO, out)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_bytes(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a whole file; see `complete`."""
    with complete(path, private=private) as out:
        out.write(content)


def write_png(path: Path, picture: NDArray[np.uint8], *, private: bool = False) -> None:
    """Write a picture `[H, W, 3]` RGB the user asked for. Raises OutputError or ResourceError."""
    ok, data = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))
    assert ok
    try:
        write_bytes(path, data.tobytes(), private=private)
    except OSError as error:
        raise output_error(error, path) from error


def make_folder(folder: Path) -> None:
    """Make a folder the user named for pictures, unless it is there. Raises OutputError or ResourceError."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise output_error(error, folder) from error


def output_error(error: OSError, path: Path) -> OutputError | ResourceError:
    """What to tell the user when `path` could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ResourceError(f"cannot write {path}: the disk is full; make room and try again")
    return OutputError(f"cannot write {path}: {error.strerror or error}; choose another place")


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def sync_folder(folder: Path) -> None:
    """Make the rename last; folders cannot be opened on Windows, where it is not needed."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
