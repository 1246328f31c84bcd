"""JPEG: every sampling, sequential and progressive, grey, RGB, CMYK and YCCK."""

import io
import struct
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from realedit.photos.decoded import Decoded, UnreadableError, check_size, pillow_pixels
from realedit.photos.jpeg_segments import (
    APP0,
    APP1,
    APP2,
    APP13,
    COM,
    JpegFile,
    Segment,
    SegmentError,
    read_segments,
)
from realedit.photos.metadata import Metadata
from realedit.photos.photo import Photo
from realedit.photos.picture import Picture, as_stored

_EXIF = b"Exif\x00\x00"
_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_ICC = b"ICC_PROFILE\x00"
_RESOURCES = b"Photoshop 3.0\x00"
_PAYLOAD = 65533
_QUALITY = 95  # for photos that were not JPEG before


def read(data: bytes, max_pixels: int) -> Decoded:
    """The picture of a JPEG."""
    try:
        jpeg = read_segments(data)
    except SegmentError as error:
        raise UnreadableError(str(error)) from error
    check_size(jpeg.frame.width, jpeg.frame.height, max_pixels)
    with JpegImageFile(io.BytesIO(data)) as image:
        mode = image.mode
        pixels = pillow_pixels(image, mode)
    return Decoded(pixels, metadata_of(jpeg), cmyk=mode == "CMYK")


def metadata_of(jpeg: JpegFile) -> Metadata:
    """The blocks of the application segments, put together where they span several."""
    exif = _joined(jpeg, APP1, _EXIF, 0) or None
    xmp = next((p for p in _payloads(jpeg, APP1, _XMP)), None)
    comments = [("Comment", s.payload.decode("utf-8", "replace")) for s in jpeg.segments if s.marker == COM]
    return Metadata(
        exif=exif,
        xmp=xmp,
        icc=_profile(jpeg),
        iptc=_joined(jpeg, APP13, _RESOURCES, 0) or None,
        dpi=_density(jpeg),
        text=tuple(comments),
    )


def write(out: BinaryIO, photo: Photo, metadata: Metadata) -> tuple[str, ...]:
    """Write an edited JPEG photo again."""
    jpeg = read_segments(photo.source)
    tables = jpeg.tables()
    names = [c.table for c in jpeg.frame.components]
    slots = sorted(set(names))
    image = _image(as_stored(photo).whole())
    qtables = [list(_natural(tables[s])) for s in slots]
    buffer = io.BytesIO()
    subsampling = {(1, 1): 0, (2, 1): 1, (2, 2): 2}.get(jpeg.frame.sampling, 0)
    image.save(
        buffer,
        "JPEG",
        qtables=qtables,
        subsampling=subsampling,
        progressive=jpeg.frame.progressive,
        optimize=True,
    )
    _assemble(out, buffer.getvalue(), metadata)
    return ()


def encode(out: BinaryIO, picture: Picture, metadata: Metadata) -> tuple[str, ...]:
    """Write a photo that was not JPEG before: 8 bits, no opacity."""
    buffer = io.BytesIO()
    image = _image(picture.on_white().to_8bit().whole())
    image.save(buffer, "JPEG", quality=_QUALITY, subsampling=0, optimize=True)
    _assemble(out, buffer.getvalue(), metadata)
    return ()


def _image(pixels: NDArray[np.uint8]) -> Image.Image:
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[pixels.shape[2]]
    return Image.frombuffer(mode, (pixels.shape[1], pixels.shape[0]), pixels, "raw", mode, 0, 1)


def _natural(zigzag: tuple[int, ...]) -> tuple[int, ...]:
    return zigzag


def _assemble(out: BinaryIO, encoded: bytes, metadata: Metadata) -> None:
    """`encoded` with the segments of `metadata` in front of its tables."""
    jpeg = read_segments(encoded)
    out.write(b"\xff\xd8")
    for segment in jpeg.segments:
        if segment.marker == APP0:
            out.write(segment.encoded())
    for segment in metadata_segments(metadata):
        out.write(segment.encoded())
    for segment in jpeg.segments:
        if segment.marker != APP0:
            out.write(segment.encoded())
            out.write(segment.entropy or b"")
    out.write(b"\xff\xd9")


def metadata_segments(metadata: Metadata) -> list[Segment]:
    """The application segments that carry `metadata`."""
    segments = []
    if metadata.exif and len(metadata.exif) + len(_EXIF) <= _PAYLOAD:
        segments.append(Segment(APP1, _EXIF + metadata.exif))
    if metadata.xmp and len(metadata.xmp) + len(_XMP) <= _PAYLOAD:
        segments.append(Segment(APP1, _XMP + metadata.xmp))
    if metadata.iptc:
        room = _PAYLOAD - len(_RESOURCES)
        pieces = [metadata.iptc[i : i + room] for i in range(0, len(metadata.iptc), room)]
        segments += [Segment(APP13, _RESOURCES + piece) for piece in pieces]
    if metadata.icc:
        room = _PAYLOAD - len(_ICC) - 2
        pieces = [metadata.icc[i : i + room] for i in range(0, len(metadata.icc), room)]
        for number, piece in enumerate(pieces, 1):
            segments.append(Segment(APP2, _ICC + bytes((number, len(pieces))) + piece))
    return segments


def _payloads(jpeg: JpegFile, marker: int, prefix: bytes) -> list[bytes]:
    return [
        s.payload[len(prefix) :] for s in jpeg.segments if s.marker == marker and s.payload.startswith(prefix)
    ]


def _joined(jpeg: JpegFile, marker: int, prefix: bytes, skip: int) -> bytes:
    return b"".join(payload[skip:] for payload in _payloads(jpeg, marker, prefix))


def _profile(jpeg: JpegFile) -> bytes | None:
    """The ICC profile, its pieces in the order of their numbers."""
    pieces = sorted((p[0], p[2:]) for p in _payloads(jpeg, APP2, _ICC) if len(p) > 2)
    return b"".join(piece for _, piece in pieces) or None


def _density(jpeg: JpegFile) -> tuple[float, float] | None:
    for payload in _payloads(jpeg, APP0, b"JFIF\x00"):
        if len(payload) >= 7:
            unit, across, down = struct.unpack_from(">BHH", payload, 2)
            if unit in (1, 2) and across and down:
                scale = 1.0 if unit == 1 else 2.54
                return across * scale, down * scale
    return None
