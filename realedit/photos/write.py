"""Writing a photo: complete or not at all, never over the original, with all that is still true."""

import functools
import io
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from realedit.errors import OutputError, ResourceError, UsageError
from realedit.photos.copying import copied_without
from realedit.photos.heif import avif
from realedit.photos.heif import heic as heif
from realedit.photos.jpeg import codec as jpeg
from realedit.photos.kinds import EXTENSIONS as EXTENSIONS
from realedit.photos.label import with_visible_label
from realedit.photos.limits import check_limit
from realedit.photos.metadata.metadata import Metadata, Strip
from realedit.photos.metadata.provenance import Provenance
from realedit.photos.metadata.signing import Signing, sign
from realedit.photos.metadata.upkeep import metadata_for
from realedit.photos.photo import Format, Photo
from realedit.photos.png import codec as png
from realedit.photos.shared.picture import Picture, as_stored, for_format, is_upright
from realedit.photos.tiff import codec as tiff
from realedit.photos.webp import codec as webp
from realedit.plumbing.files import complete, output_error
from realedit.plumbing.places import same_place

log = logging.getLogger(__name__)

_EIGHT_BITS = frozenset({Format.JPEG, Format.WEBP, Format.AVIF})


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
    kind = check_format(path)
    check_place(path, photo_path, overwrite=overwrite)
    return kind


def check_format(path: Path) -> Format:
    """The format that a name asks for. Raises UsageError for an extension that is none, or is not written."""
    kind = EXTENSIONS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"cannot tell the format of {path}; end its name in one of {', '.join(EXTENSIONS)}")
    if kind is Format.HEIC and not heif.can_write():
        raise UsageError(
            f"cannot write {path}: this build of pillow-heif has no encoder; end the name in .jpg"
        )
    return kind


def check_place(path: Path, photo_path: Path | None = None, *, overwrite: bool = True) -> None:
    """What `check_output` says of the place alone: the folder is there and `path` may be written."""
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {folder}; make it first")
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder; give a file name")
    if path.exists() and not path.is_file():
        raise OutputError(f"cannot write {path}: it is not a plain file; give another name")
    if photo_path is not None and same_place(path, photo_path):
        raise OutputError(
            f"cannot write {path}: it is the photo itself, which is never changed; give another name"
        )
    if path.exists() and not overwrite:
        raise OutputError(f"cannot write {path}: it exists already; remove it or give another name")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write {path}: no right to write into the folder {folder}")


def check_fits(path: Path, photo: Photo) -> None:
    """Raise OutputError where the format that `path` asks for cannot hold a picture of the photo's size."""
    kind = EXTENSIONS[path.suffix.lower()]
    picture = _picture(photo, kind)
    data = picture.width * picture.height * picture.channels * picture.dtype.itemsize
    check_limit(kind, path, picture.width, picture.height, data=data)


def write_photo(
    photo: Photo,
    path: Path,
    *,
    overwrite: bool = True,
    provenance: Provenance | None,
    strip: Strip = "none",
    signing: Signing | None = None,
    visible_label: bool = False,
    into: Callable[[bytes], object] | None = None,
) -> WriteReport:
    """Write `photo` to `path` in the format of its extension; the file is complete or absent.

    A photo that is unchanged and keeps its format is copied byte for byte, without a mark; with `strip` its
    coded picture is copied, and what is to go is left out. An edited one is marked with `provenance` (None:
    no mark), and with `visible_label` in a corner as well. Errors as in `check_output` and `check_fits`, and
    ResourceError when the disk is full.

    into: gets the file's bytes, all at once; then nothing is written to `path`, which says the format.
    """
    kind = check_output(path, photo.path, overwrite=overwrite) if into is None else check_format(path)
    check_fits(path, photo)
    _complete = functools.partial(_written, into=into)
    if visible_label and photo.changed is not None:
        photo = with_visible_label(photo)
    unchanged = photo.changed is None and kind is photo.format
    copied = copied_without(photo, strip) if unchanged else None
    if copied is not None:
        with _complete(path) as out:
            out.write(copied.data)
        told = tuple(f"{path}: {warning}" for warning in copied.warnings)
        return WriteReport(path, kind, copied=strip == "none", warnings=told)
    metadata, warnings = metadata_for(photo, kind, provenance, strip)
    warnings += _losses(photo, kind)
    with _complete(path) as out:
        if signing is None or photo.changed is None:
            warnings += _encode(out, photo, kind, metadata)
        else:
            with _unsigned(path, in_memory=into is not None) as unsigned:
                warnings += _encode(unsigned, photo, kind, metadata)
                sign(signing, photo if strip == "none" else None, kind, unsigned, out, path.name)
    return WriteReport(path, kind, copied=False, warnings=tuple(f"{path}: {w}" for w in warnings))


def _losses(photo: Photo, kind: Format) -> tuple[str, ...]:
    """What the format cannot hold of the photo's pixels."""
    losses = []
    if photo.dtype != np.uint8 and kind in _EIGHT_BITS:
        losses.append(f"{kind} is written with 8 bits per channel; the photo's {photo.depth} were rounded")
    if photo.has_alpha and kind is Format.JPEG:
        losses.append("JPEG knows no opacity; the photo was laid on white")
    if photo.layout.further and kind is not photo.format:
        losses.append(f"{kind} knows no further channels; the photo's {photo.layout.further} were left out")
    if photo.inks is not None and kind is not photo.format:
        losses.append("its inks (CMYK) were turned to sRGB")
    hdr = heif.hdr_of(photo.metadata.nclx)
    if hdr is not None and kind is not Format.HEIC:
        losses.append(
            f"{kind} is written without the mark of HDR ({hdr}), so it will look pale; end it in .heic"
        )
    if kind is photo.format and photo.changed is not None and photo.palette:
        losses.append("its palette was replaced by full colours")
    return tuple(losses)


def _encode(out: BinaryIO, photo: Photo, kind: Format, metadata: Metadata) -> tuple[str, ...]:
    same = kind is photo.format
    picture = _picture(photo, kind)
    original = photo.source if same else None
    orientation = 1 if is_upright(photo, kind) else photo.orientation
    if kind is Format.JPEG:
        return jpeg.write(out, photo, metadata) if same else jpeg.encode(out, picture, metadata)
    if kind is Format.PNG:
        return png.write(out, picture, metadata, original)
    if kind is Format.TIFF:
        return tiff.write(out, picture, metadata, original, orientation)
    if kind is Format.HEIC:
        return heif.write(out, picture, metadata, photo.depth, original)
    if kind is Format.AVIF:
        return avif.write(out, picture, metadata)
    return webp.write(out, picture, metadata, original)


def _picture(photo: Photo, kind: Format) -> Picture:
    """The pixels as a file of that format has them."""
    return for_format(photo, kind) if is_upright(photo, kind) else as_stored(photo)


def _unsigned(path: Path, *, in_memory: bool) -> AbstractContextManager[BinaryIO]:
    """A file for what is signed afterwards, beside the signed one."""
    return io.BytesIO() if in_memory else tempfile.TemporaryFile(dir=path.parent)


@contextmanager
def _written(path: Path, into: Callable[[bytes], object] | None) -> Iterator[BinaryIO]:
    """`complete`, with the errors a user understands, or a file in memory that is handed on."""
    try:
        if into is not None:
            buffer = io.BytesIO()
            yield buffer
            into(buffer.getvalue())
            return
        with complete(path) as out:
            yield out
    except OSError as error:
        raise output_error(error, path) from error
    except MemoryError as error:
        raise ResourceError(f"not enough memory to write {path}; close other programs") from error
