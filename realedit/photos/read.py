"""Reading a photo: what it is by its content, within limits, decoded to its end."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from realedit.errors import PhotoError, ResourceError
from realedit.photos.colour.inks import inks_of
from realedit.photos.colour.profile import SRGB, Colour, colour_of
from realedit.photos.heif import avif
from realedit.photos.heif import heic as heif
from realedit.photos.jpeg import codec as jpeg
from realedit.photos.kinds import MAX_PIXELS as MAX_PIXELS
from realedit.photos.metadata import exif
from realedit.photos.photo import Format, Photo
from realedit.photos.png import codec as png
from realedit.photos.raw import codec as raw
from realedit.photos.shared.decoded import Decoded, UnreadableError
from realedit.photos.sniff import describe, sniff
from realedit.photos.source import bytes_of, not_empty
from realedit.photos.tiff import codec as tiff
from realedit.photos.webp import codec as webp

log = logging.getLogger(__name__)
_D = TypeVar("_D")

_READERS: dict[Format, Callable[[bytes, int], Decoded]] = {
    Format.JPEG: jpeg.read,
    Format.PNG: png.read,
    Format.TIFF: tiff.read,
    Format.WEBP: webp.read,
    Format.HEIC: heif.read,
    Format.AVIF: avif.read,
    Format.RAW: raw.read,
}


_CHECKS: dict[Format, Callable[[bytes, int], object]] = {**_READERS, Format.JPEG: jpeg.check}


def read_photo(path: Path, *, max_pixels: int = MAX_PIXELS, source: bytes | None = None) -> Photo:
    """The photo in the file at `path`, or in the bytes `source` that came from elsewhere.

    Raises UsageError when there is no such file, PhotoError when it is a folder, empty, no photo, damaged,
    cut short or of more than `max_pixels` pixels, ResourceError when memory runs out.
    """
    shown = path if source is None else Path("stdin")
    source = bytes_of(path, max_pixels) if source is None else not_empty(shown, source)
    kind, decoded = _decoded(shown, source, max_pixels, _READERS)
    return replace(_photo(shown, source, kind, decoded), path=path)


def check_photo(path: Path, *, max_pixels: int = MAX_PIXELS) -> str:
    """The SHA-256 of the file at `path`, which can be decoded to its end. Raises as `read_photo` does; faster
    for JPEG, whose coefficients are decoded and not made pixels of."""
    source = bytes_of(path, max_pixels)
    _decoded(path, source, max_pixels, _CHECKS)
    return hashlib.sha256(source).hexdigest()


def _decoded(
    path: Path, source: bytes, max_pixels: int, readers: Mapping[Format, Callable[[bytes, int], _D]]
) -> tuple[Format, _D]:
    """What `readers` make of the file's bytes, with the errors a user understands."""
    kind = sniff(source)
    if kind is None:
        raise PhotoError(f"cannot read {path}: {describe(source)}; give one of {', '.join(_names())}")
    try:
        return kind, readers[kind](source, max_pixels)
    except UnreadableError as error:
        raise PhotoError(f"cannot read {path} ({kind}): {error}") from error
    except MemoryError as error:
        raise ResourceError(
            f"not enough memory to read {path}; close other programs or shrink the photo"
        ) from error
    # decoders of other people meet hostile bytes here and raise whatever they like; none of it is a bug of
    # ours
    except Exception as error:
        log.debug("%s cannot be decoded", path, exc_info=error)
        raise PhotoError(f"cannot read {path} ({kind}): its picture data are damaged or cut short") from error


def _photo(path: Path, source: bytes, kind: Format, decoded: Decoded) -> Photo:
    orientation = decoded.orientation or exif.orientation(decoded.metadata.exif)
    warnings = list(decoded.warnings)
    profile = decoded.metadata.icc or decoded.implied_icc
    inks = None
    if decoded.cmyk:
        inks, warning = inks_of(profile)
        colour: Colour = SRGB()
    else:
        colour, warning = colour_of(profile)
    if warning:
        warnings.append(warning)
    decoded.pixels.flags.writeable = False
    return Photo(
        path=path,
        source=source,
        format=kind,
        stored=decoded.pixels,
        orientation=orientation,
        metadata=decoded.metadata,
        colour=colour,
        inks=inks,
        depth=decoded.depth,
        palette=decoded.palette,
        stale=decoded.stale,
        implied_icc=decoded.implied_icc,
        stated_layout=decoded.layout,
        warnings=tuple(f"{path}: {warning}" for warning in warnings),
    )


def _names() -> list[str]:
    return [str(kind) for kind in _READERS]
