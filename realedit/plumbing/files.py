"""Writing files that are complete or absent."""

from __future__ import annotations

import errno
import os
import secrets
import struct
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from realedit.errors import OutputError, ResourceError
from realedit.plumbing.places import MARK, check_ours

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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


@contextmanager
def working(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """`complete` for what is made to be looked at, with the errors a user understands; the block writes
    `places.MARK` into the file. Raises OutputError also where a file is that realedit did not make."""
    check_ours(path)
    try:
        with complete(path, private=private) as out:
            yield out
    except OSError as error:
        raise output_error(error, path) from error


def write_png(path: Path, picture: NDArray[np.uint8], *, private: bool = False) -> None:
    """Write a picture `[H, W, 3]` RGB the user asked for. Raises OutputError or ResourceError."""
    with working(path, private=private) as out:
        out.write(png_of(picture))


def png_of(picture: NDArray[np.uint8], mark: str = MARK) -> bytes:
    """A picture `[H, W, 3]` RGB or `[H, W, 4]` RGBA as PNG, with a mark that says who made it."""
    import cv2
    import numpy as np

    layers = picture[..., [2, 1, 0, 3][: picture.shape[2]]]
    ok, data = cv2.imencode(".png", np.ascontiguousarray(layers))
    assert ok
    text = b"tEXtSoftware\0" + mark.encode()
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    end = 8 + 25  # of the signature and IHDR
    return data[:end].tobytes() + chunk + data[end:].tobytes()


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
    """Make the rename last; folders cannot be opened on Windows, where it is not needed.

    A folder that may be written and not read cannot be synced by itself; then the whole disk is.
    """
    if os.name == "nt":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        os.sync()
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def path_of(content: Iterable[bytes | memoryview]) -> Iterator[Path]:
    """A path where libraries that open files by name find `content`, given in pieces, during the block.

    On Linux it is in memory. Elsewhere it is in the folder for temporary files, and where that cannot be
    written, ResourceError names it.
    """
    if sys.platform == "linux" and Path("/proc/self/fd").is_dir():
        descriptor = os.memfd_create("realedit")
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.writelines(content)
            yield Path(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return
    with _temporary_folder() as folder:
        path = folder / "content"
        try:
            with path.open("xb") as file:
                file.writelines(content)
        except OSError as error:
            raise _temporary_error(error) from error
        yield path


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="realedit-")
    except OSError as error:
        raise _temporary_error(error) from error
    with folder as name:
        yield Path(name)


def _temporary_error(error: OSError) -> ResourceError:
    """What to tell the user when the folder for temporary files cannot be used."""
    folder = os.environ.get("TMPDIR") or tempfile.tempdir or "the system's"
    return ResourceError(
        f"the folder for temporary files ({folder}) cannot be written: {error.strerror or error}; "
        "make room there, or let TMPDIR name another folder"
    )
