"""Keeping metadata true: what an edit, a turn upright or a request for privacy changes about them."""

import io
import re
import struct
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realedit.photos import exif, picture
from realedit.photos.metadata import Metadata
from realedit.photos.orientation import displayed_size, to_stored
from realedit.photos.photo import Format, Photo
from realedit.photos.provenance import Provenance, mark
from realedit.photos.xmp import XmpError, XmpPacket

_THUMBNAIL_SIDE = 160
_LARGEST_EXIF = 65527  # bytes that one JPEG segment holds
_RESOURCE_THUMBNAILS = frozenset({0x0409, 0x040C})
_XMP_EXIF = "http://ns.adobe.com/exif/1.0/"
_XMP_TIFF = "http://ns.adobe.com/tiff/1.0/"
_ANYTHING = re.compile(".*", re.DOTALL)
_GPS = re.compile("GPS.*")
# XMP that describes a second picture, a video or a depth map kept beside the picture
_STALE_XMP = (
    ("http://ns.google.com/photos/1.0/camera/", re.compile("MicroVideo.*|MotionPhoto.*")),
    ("http://ns.google.com/photos/1.0/container/", _ANYTHING),
    ("http://ns.google.com/photos/1.0/image/", _ANYTHING),
    ("http://ns.google.com/photos/1.0/depthmap/", _ANYTHING),
    ("http://ns.google.com/photos/dd/1.0/device/", _ANYTHING),
    ("http://ns.adobe.com/hdr-gain-map/1.0/", _ANYTHING),
    ("http://ns.apple.com/HDRGainMap/1.0/", _ANYTHING),
    ("http://purl.org/dc/terms/", re.compile("provenance")),
)
_XMP_NOTE = "http://ns.adobe.com/xmp/note/"


def metadata_for(
    photo: Photo, kind: Format, provenance: Provenance | None, strip_gps: bool
) -> tuple[Metadata, tuple[str, ...]]:
    """The metadata to write with `photo` as `kind`, and what had to be given up.

    Another format gets upright pixels, so the orientation becomes 1 there.
    """
    metadata, warnings = photo.metadata, list[str]()
    upright = picture.is_upright(photo, kind)
    edited = photo.changed is not None
    if kind is not photo.format:
        metadata = replace(metadata, icc=_profile(photo, kind))
    if edited or strip_gps or upright:
        metadata = replace(metadata, exif=_exif(photo, upright, edited, strip_gps, warnings))
    if edited:
        metadata = replace(metadata, iptc=without_thumbnails(metadata.iptc))
    metadata = replace(
        metadata, xmp=_xmp(photo, upright, strip_gps, provenance if edited else None, warnings)
    )
    if photo.stale:
        warnings.append(f"left out, because it cannot be kept true: {', '.join(photo.stale)}")
    return metadata, tuple(warnings)


def _profile(photo: Photo, kind: Format) -> bytes | None:
    """The profile of the pixels that another format gets; see `picture.for_format`."""
    if photo.inks is not None or picture.becomes_srgb(photo, kind):
        return None
    return photo.metadata.icc or photo.implied_icc


def _exif(photo: Photo, upright: bool, edited: bool, strip_gps: bool, warnings: list[str]) -> bytes | None:
    data = photo.metadata.exif
    if exif.block_of(data) is None:
        return data
    turned = upright and photo.orientation != 1
    if upright:
        data = exif.with_orientation(data, 1)
        if displayed_size((1, 2), photo.orientation) == (2, 1):
            data = exif.with_sides_swapped(data)
    if strip_gps:
        data = exif.without_gps(data)
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


def _xmp(
    photo: Photo, upright: bool, strip_gps: bool, provenance: Provenance | None, warnings: list[str]
) -> bytes | None:
    """The photo's packet without what became untrue, with `provenance`; its own bytes if nothing changes."""
    data = photo.metadata.xmp
    if data is None and provenance is None:
        return None
    try:
        packet = XmpPacket(data)
    except XmpError:
        if provenance is None and not strip_gps:
            return data
        warnings.append("its XMP packet is damaged and was replaced")
        packet = XmpPacket()
        data = None
    touched = False
    if photo.changed is not None or photo.stale:
        for namespace, names in _STALE_XMP:
            touched |= packet.remove(namespace, names)
    if upright or any("XMP" in part for part in photo.stale):
        touched |= packet.remove(_XMP_NOTE, re.compile("HasExtendedXMP"))  # which is left out
    if upright:
        touched |= packet.remove(_XMP_TIFF, re.compile("Orientation"))
    if strip_gps:
        touched |= packet.remove(_XMP_EXIF, _GPS)
    if provenance is not None:
        mark(packet, provenance)
        touched = True
    return bytes(packet) if touched or data is None else data


def without_thumbnails(resources: bytes | None) -> bytes | None:
    """Photoshop image resources without thumbnails; unchanged where they cannot be followed."""
    if not resources:
        return resources
    kept, at = b"", 0
    while at + 12 <= len(resources) and resources[at : at + 4] == b"8BIM":
        number = struct.unpack_from(">H", resources, at + 4)[0]
        name = resources[at + 6] + 1
        start = at + 6 + name + (name & 1)
        if start + 4 > len(resources):
            return resources
        end = start + 4 + struct.unpack_from(">I", resources, start)[0]
        if end > len(resources):
            return resources
        end = min(end + (end - start & 1), len(resources))
        if number not in _RESOURCE_THUMBNAILS:
            kept += resources[at:end]
        at = end
    return (kept + resources[at:]) or None
