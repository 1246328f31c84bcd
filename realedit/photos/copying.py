"""A photo's file again without what `strip` asks to leave out: its picture is copied, not one pixel is coded
again.

JPEG is not here: its own writer copies the coded picture of a photo that is not edited.
"""

import struct
from dataclasses import dataclass, replace

from realedit.photos.heif.items import IsoError
from realedit.photos.heif.items import stripped as stripped_iso
from realedit.photos.metadata import place_exif
from realedit.photos.metadata.location import Cleaner, stripped
from realedit.photos.metadata.metadata import Metadata, Strip
from realedit.photos.photo import Format, Photo
from realedit.photos.png import stripping as png
from realedit.photos.tiff import stripping as tiff
from realedit.photos.tiff.directories import DirectoryError
from realedit.photos.webp import stripping as webp


@dataclass(frozen=True)
class Copied:
    """A file's bytes, and what the user should know of them."""

    data: bytes
    warnings: list[str]


def copied_without(photo: Photo, strip: Strip) -> Copied | None:
    """The file of a photo that is not edited, without what `strip` names; None where that needs the picture
    to be coded again (and for JPEG)."""
    if strip == "none":
        return Copied(photo.source, [])
    try:
        if photo.format is Format.TIFF:
            laid_out = tiff.stripped(photo.source, strip)
            return None if laid_out is None else Copied(*laid_out)
        if photo.format in (Format.HEIC, Format.AVIF):
            return _iso(photo, strip)
    except (DirectoryError, IsoError, struct.error, IndexError, ValueError):
        return None  # a structure that cannot be followed
    if photo.format not in (Format.PNG, Format.WEBP):
        return None
    left_out = photo.metadata.others + photo.stale
    metadata, warnings = stripped(replace(photo.metadata, others=left_out), strip)
    if strip == "all" and photo.orientation != 1:
        metadata = replace(metadata, exif=place_exif.orientation_only(photo.orientation))
    write = png.with_metadata if photo.format is Format.PNG else webp.with_metadata
    return Copied(write(photo.source, metadata), warnings)


def _iso(photo: Photo, strip: Strip) -> Copied:
    cleaner = Cleaner()
    cleaner.learn(photo.metadata)
    data = stripped_iso(photo.source, strip, cleaner)
    if strip == "all":
        return Copied(data, [])
    kept = Metadata(exif=cleaner.exif(photo.metadata.exif), xmp=cleaner.xmp(photo.metadata.xmp))
    return Copied(data, cleaner.warnings(kept))
