"""Writing a photo: complete or not at all, never over the original, and with everything that is still
true.
"""

import errno
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from realedit.errors import OutputError, ResourceError, UsageError
from realedit.photos import jpeg, png, tiff, webp
from realedit.photos.metadata import Metadata
from realedit.photos.photo import Format, Photo
from realedit.photos.picture import as_stored, upright
from realedit.photos.provenance import Provenance
from realedit.photos.upkeep import metadata_for

log = logging.getLogger(__name__)

EXTENSIONS: dict[str, Format] = {
    ".jpg": Format.JPEG,
    ".jpeg": Format.JPEG,
    ".jpe": Format.JPEG,
    ".jfif": Format.JPEG,
    ".png": Format.PNG,
    ".tif": Format.TIFF,
    ".tiff": Format.TIFF,
    ".webp": Format.WEBP,
}


@dataclass(frozen=True)
class WriteReport:
    """What was written, and one sentence for each thing that could not be kept."""

    path: Path
    format: Format
    copied: bool  # the file's own bytes, because nothing had changed
    warnings: tuple[str, ...] = ()


def check_output(path: Path, photo_path: Path | None = None, *, overwrite: bool = True) -> Format:
    """The format `path` asks for; the checks that can be made before minutes of work.

    Raises UsageError for an extension that is no format, OutputError when the folder is missing or not
    writable, when `path` is a folder or the photo itself (by another name too), or exists and `overwrite` is
    False.
    """
    kind = EXTENSIONS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"cannot tell the format of {path}; end its name in one of {', '.join(EXTENSIONS)}")
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {folder}; make it first")
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder; give a file name")
    if photo_path is not None and _same_file(path, photo_path):
        raise OutputError(
            f"cannot write {path}: it is the photo itself, which is never changed; give another name"
        )
    if path.exists() and not overwrite:
        raise OutputError(f"cannot write {path}: it exists already; remove it or give another name")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write {path}: no right to write into the folder {folder}")
    return kind


def write_photo(
    photo: Photo,
    path: Path,
    *,
    overwrite: bool = True,
    provenance: Provenance | None,
    strip_gps: bool = False,
) -> WriteReport:
    """Write `photo` to `path` in the format of its extension; the file is complete or absent.

    A photo that is unchanged and keeps its format is copied byte for byte, without a mark. An edited one is
    marked with `provenance` (None: no mark). Errors as in `check_output`, and ResourceError when the disk is
    full.
    """
    kind = check_output(path, photo.path, overwrite=overwrite)
    if photo.changed is None and kind is photo.format and not strip_gps:
        with _complete(path) as out:
            out.write(photo.source)
        return WriteReport(path, kind, copied=True)
    metadata, warnings = metadata_for(photo, kind, provenance, strip_gps)
    with _complete(path) as out:
        warnings += _encode(out, photo, kind, metadata)
    return WriteReport(path, kind, copied=False, warnings=tuple(f"{path}: {w}" for w in warnings))


def _encode(out: BinaryIO, photo: Photo, kind: Format, metadata: Metadata) -> tuple[str, ...]:
    same = kind is photo.format
    picture = as_stored(photo) if same else upright(photo)
    if kind is Format.JPEG:
        return jpeg.write(out, photo, metadata) if same else jpeg.encode(out, picture, metadata)
    if kind is Format.PNG:
        return png.write(out, picture, metadata, photo.source if same else None)
    if kind is Format.TIFF:
        return tiff.write(
            out, picture, metadata, photo.source if same else None, photo.orientation if same else 1
        )
    return webp.write(out, picture, metadata, photo.source if same else None)


@contextmanager
def _complete(path: Path) -> Iterator[BinaryIO]:
    """A file that appears at `path` when the block ends without an error, and leaves nothing otherwise."""
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as out:
            temporary = Path(out.name)
            yield cast(BinaryIO, out)
            out.flush()
            os.fsync(out.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceError(f"cannot write {path}: the disk is full") from error
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    except MemoryError as error:
        raise ResourceError(f"not enough memory to write {path}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    """The process's umask; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make the rename last; folders cannot be opened on Windows, where it is not needed."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _same_file(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return path.resolve() == other.resolve()
