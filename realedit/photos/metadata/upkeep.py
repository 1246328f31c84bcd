"""Keeping metadata true: what an edit, a turn upright or a request for privacy changes about them."""

import io
import re
import struct
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realedit.photos.metadata import exif, iptc
from realedit.photos.metadata.location import stripped
from realedit.photos.metadata.metadata import Metadata, Strip
from realedit.photos.metadata.place_exif import orientation_only
from realedit.photos.metadata.provenance import Provenance, mark
from realedit.photos.metadata.stale_xmp import remove_stale
from realedit.photos.metadata.xmp import XmpError, XmpPacket
from realedit.photos.metadata.xmp_extended import NOTE, POINTER
from realedit.photos.orientation import displayed_size, to_stored
from realedit.photos.photo import Format, Photo
from realedit.photos.shared import picture
from realedit.photos.tiff.directories import Directory, Value, to_block

_THUMBNAIL_SIDE = 160
_LARGEST_EXIF = 65527  # bytes that one JPEG segment holds
_XMP_TIFF = "http://ns.adobe.com/tiff/1.0/"
_RESOLUTION = (282, 283, 296)
_HOLDS_TEXT = frozenset({Format.PNG, Format.JPEG})
_HOLDS_IPTC = frozenset({Format.PNG, Format.JPEG, Format.TIFF})
_CODED_WHOLE = frozenset({Format.WEBP, Format.HEIC, Format.AVIF})  # whatever else the file has stays behind


def metadata_for(
    photo: Photo, kind: Format, provenance: Provenance | None, strip: Strip
) -> tuple[Metadata, tuple[str, ...]]:
    """The metadata to write with `photo` as `kind`, and what had to be given up.

    Another format gets upright pixels, so the orientation becomes 1 there.
    """
    upright = picture.is_upright(photo, kind)
    edited = photo.changed is not None
    photo, warnings = _stripped(photo, strip, upright)
    metadata = photo.metadata
    if kind is not photo.format:
        metadata = replace(metadata, icc=_profile(photo, kind))
    if edited or upright:
        metadata = replace(metadata, exif=_exif(photo, upright, edited, warnings))
    if edited:
        metadata = replace(metadata, iptc=without_thumbnails(metadata.iptc))
    metadata = replace(metadata, xmp=_xmp(photo, upright, provenance if edited else None, warnings))
    if photo.stale:
        why = "it cannot be kept true" if edited or strip == "none" else "nobody could tell what it says"
        warnings.append(f"left out, because {why}: {', '.join(photo.stale)}")
    metadata, lost = _held(metadata, kind, same=kind is photo.format)
    if lost:
        warnings.append(f"left out, because {kind} cannot hold it as it is: {', '.join(lost)}")
    return metadata, tuple(warnings)


def _stripped(photo: Photo, strip: Strip, upright: bool) -> tuple[Photo, list[str]]:
    """The photo with the metadata that `strip` leaves."""
    metadata, warnings = stripped(photo.metadata, strip)
    if strip == "all":
        turned = photo.orientation != 1 and not upright
        metadata = replace(
            metadata,
            exif=orientation_only(photo.orientation) if turned else None,
            # the colours that a JPEG states in its EXIF block
            icc=metadata.icc or (photo.implied_icc if photo.format is Format.JPEG else None),
        )
    return replace(photo, metadata=metadata), warnings


def _held(metadata: Metadata, kind: Format, *, same: bool) -> tuple[Metadata, list[str]]:
    """What of `metadata` a file of `kind` can hold, and the names of what it cannot; same: it is of that
    format."""
    lost = list(metadata.others) if not same or kind in _CODED_WHOLE else []
    if metadata.iptc and kind not in _HOLDS_IPTC:
        lost.append("IPTC and Photoshop's image resources")
        metadata = replace(metadata, iptc=None)
    if metadata.text and kind not in _HOLDS_TEXT:
        names = dict.fromkeys(keyword for keyword, _ in metadata.text)
        lost.append(f"texts ({', '.join(names)})")
        metadata = replace(metadata, text=())
    dpi, block = metadata.dpi, exif.block_of(metadata.exif)
    if dpi and kind in _CODED_WHOLE:
        if metadata.exif is None:
            metadata = replace(metadata, exif=_resolution(dpi))
        elif block is None or block.entry(block.first, _RESOLUTION[0]) is None:
            lost.append(f"the resolution ({dpi[0]:.0f} x {dpi[1]:.0f} dpi)")
    if kind is Format.TIFF and metadata.exif and block is None:
        lost.append("an EXIF block that is damaged")
    return metadata, lost


def _resolution(dpi: tuple[float, float]) -> bytes:
    """An EXIF block that says nothing but the resolution."""
    values = [Value(5, 1, struct.pack(">II", round(dots * 1000), 1000)) for dots in dpi]
    return to_block(
        Directory(">", dict(zip(_RESOLUTION, [*values, Value(3, 1, struct.pack(">H", 2))], strict=True)))
    )


def _profile(photo: Photo, kind: Format) -> bytes | None:
    """The profile of the pixels that another format gets; see `picture.for_format`."""
    if photo.inks is not None or picture.becomes_srgb(photo, kind):
        return None
    return photo.metadata.icc or photo.implied_icc


def _exif(photo: Photo, upright: bool, edited: bool, warnings: list[str]) -> bytes | None:
    data = photo.metadata.exif
    if exif.block_of(data) is None:
        return data
    turned = upright and photo.orientation != 1
    if upright:
        data = exif.with_orientation(data, 1)
        if displayed_size((1, 2), photo.orientation) == (2, 1):
            data = exif.with_sides_swapped(data)
    if edited:
        data, linked = exif.without_live_photo(data)
        if linked:
            warnings.append("the link to its Live Photo video was removed, because the video is not edited")
    if data is not None and (edited or turned) and exif.has_thumbnail(data):
        renewed = exif.with_thumbnail(data, _thumbnail(photo, exif.thumbnail(data), upright))
        data = renewed if len(renewed) <= max(len(data), _LARGEST_EXIF) else exif.with_thumbnail(data, None)
    return data


def _thumbnail(photo: Photo, old: bytes | None, upright: bool) -> bytes | None:
    """A thumbnail of the photo as it is now, as small as the `old` one if that can be; None without one."""
    if old is None:
        return None
    try:
        with Image.open(io.BytesIO(old)) as image:
            side = max(32, min(max(image.size), 512))
    except (OSError, SyntaxError, ValueError):
        side = _THUMBNAIL_SIDE
    small = photo.srgb_reduced(side)
    pixels = small if upright else to_stored(small, photo.orientation)
    for quality in (85, 70, 55):
        encoded = _jpeg(pixels, quality)
        if len(encoded) <= len(old):
            break
    return encoded


def _jpeg(pixels: NDArray[np.uint8], quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _xmp(photo: Photo, upright: bool, provenance: Provenance | None, warnings: list[str]) -> bytes | None:
    """The photo's packet without what became untrue, with `provenance`; its own bytes if nothing changes."""
    data = photo.metadata.xmp
    if data is None and provenance is None:
        return None
    try:
        packet = XmpPacket(data)
    except XmpError:
        if provenance is None:
            return data
        warnings.append("its XMP packet is damaged and was replaced")
        packet = XmpPacket()
        data = None
    touched = False
    if photo.changed is not None or photo.stale:
        touched |= remove_stale(packet)
        touched |= packet.remove(NOTE, re.compile(POINTER))  # of a part that is not whole
    if upright:
        touched |= packet.remove(_XMP_TIFF, re.compile("Orientation"))
    if provenance is not None:
        mark(packet, provenance)
        touched = True
    return bytes(packet) if touched or data is None else data


def without_thumbnails(resources: bytes | None) -> bytes | None:
    """Photoshop image resources without thumbnails; unchanged where they cannot be followed."""

    def change(number: int, content: bytes) -> bytes | None:
        if number in (iptc.EXIF, iptc.EXIF_OF_THUMBNAIL) and exif.has_thumbnail(content):
            return exif.with_thumbnail(content, None)
        return None if number in iptc.THUMBNAILS else content

    try:
        return iptc.changed_resources(resources, change)
    except iptc.RecordError:
        return resources
