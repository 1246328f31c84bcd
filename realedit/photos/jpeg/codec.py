"""JPEG: every sampling, sequential and progressive, grey, RGB, CMYK and YCCK.

An edited JPEG keeps its tables, its sampling, its scans and every coefficient that the edit does not touch.
"""

import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from realedit.photos.colour import icc
from realedit.photos.jpeg.coefficients import CoefficientError, add_change, check_exact, read_coefficients
from realedit.photos.jpeg.metadata import fresh_header, header, metadata_of, stale_parts, too_large
from realedit.photos.jpeg.scans import encode_scan, read_scan
from realedit.photos.jpeg.segments import (
    APP0,
    APP14,
    APPLICATION,
    DHT,
    DRI,
    SOS,
    JpegFile,
    Segment,
    SegmentError,
    read_segments,
)
from realedit.photos.jpeg.whole import is_whole, with_end
from realedit.photos.limits import LIMITS
from realedit.photos.metadata import exif
from realedit.photos.metadata.metadata import Metadata
from realedit.photos.photo import Photo
from realedit.photos.shared.decoded import Decoded, UnreadableError, check_size, pillow_pixels
from realedit.photos.shared.picture import Picture, as_stored

QUALITY = 95
"""Of photos that were not JPEG before; they are not subsampled."""
_COLOUR_SEGMENTS = frozenset({APP0, APP14})  # JFIF and Adobe: they say which colours the components are


def read(data: bytes, max_pixels: int) -> Decoded:
    """The picture of a JPEG."""
    jpeg, data = _segments(data, max_pixels)
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
        mode = image.mode
        pixels = pillow_pixels(image, mode)
    metadata = metadata_of(jpeg)
    implied = None
    if metadata.icc is None and mode == "RGB" and exif.is_adobe_rgb(metadata.exif):
        implied = icc.adobe_rgb()
    return Decoded(
        pixels,
        metadata,
        cmyk=mode == "CMYK",
        stale=stale_parts(jpeg),
        implied_icc=implied,
        warnings=() if jpeg.ended else ("its end marker is missing; the picture is whole",),
    )


def check(data: bytes, max_pixels: int) -> None:
    """Raise as `read` does; every coefficient is decoded, but of each block only one pixel is made."""
    jpeg, data = _segments(data, max_pixels)
    frame = jpeg.frame
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
        image.draft(None, (max(1, frame.width // 8), max(1, frame.height // 8)))
        image.load()


def _segments(data: bytes, max_pixels: int) -> tuple[JpegFile, bytes]:
    """The file's segments, and its bytes with an end marker."""
    try:
        jpeg = read_segments(data)
    except SegmentError as error:
        raise UnreadableError(str(error)) from error
    frame = jpeg.frame
    check_size(frame.width, frame.height, max_pixels)
    if LIMITS["JPEG"].broken_by(frame.width, frame.height):
        raise UnreadableError(
            f"its {frame.width} x {frame.height} pixels are more than the {LIMITS['JPEG'].side} a side that "
            "libjpeg reads"
        )
    if jpeg.ended:
        return jpeg, data
    if not is_whole(jpeg):
        raise UnreadableError("it ends early")
    return jpeg, with_end(jpeg)


def write(out: BinaryIO, photo: Photo, metadata: Metadata) -> tuple[str, ...]:
    """Write a photo that was read from a JPEG again, with `metadata` for its own."""
    jpeg = read_segments(photo.source)
    kept = list(header(jpeg, metadata))
    try:
        image = _exact_image(jpeg, photo)
    except CoefficientError as error:
        encoded = _encoded(photo)
        own = [segment for segment in encoded.segments if segment.marker in _COLOUR_SEGMENTS]
        kept = [segment for segment in kept if segment.marker not in _COLOUR_SEGMENTS]
        _assemble(out, own + kept, _bytes_of(_without_header(encoded)))
        return (f"{error}, so the whole picture was encoded anew with its own tables",)
    _assemble(out, kept, image)
    return ()


def encode(out: BinaryIO, picture: Picture, metadata: Metadata) -> tuple[str, ...]:
    """Write a photo that was not JPEG before: 8 bits, no opacity."""
    warnings = [f"its {name} is too large for JPEG and was left out" for name in too_large(metadata)]
    buffer = io.BytesIO()
    pixels = picture.on_white().to_8bit().whole()
    _pillow_image(pixels).save(buffer, "JPEG", quality=QUALITY, subsampling=0, optimize=True)
    _assemble(out, fresh_header(metadata), _bytes_of(_without_header(read_segments(buffer.getvalue()))))
    return tuple(warnings)


def _exact_image(jpeg: JpegFile, photo: Photo) -> Iterator[bytes | memoryview]:
    """The bytes that make up the picture, its coefficients changed where the photo's pixels are."""
    patch = photo.patch
    if patch is None:
        return _bytes_of(_without_header(jpeg))
    check_exact(jpeg)
    try:
        scans = {id(s): read_scan(jpeg.frame, s.payload) for s in jpeg.segments if s.marker == SOS}
    except SegmentError as error:
        raise CoefficientError("its scans are damaged") from error
    planes = read_coefficients(jpeg)
    left, top, right, bottom = patch.box
    add_change(planes, jpeg, patch.box, photo.stored[top:bottom, left:right], patch.pixels)

    def pieces() -> Iterator[bytes | memoryview]:
        for segment in _without_header(jpeg):
            if segment.marker == SOS:
                tables, coded = encode_scan(jpeg.frame, planes, scans[id(segment)])
                if tables is not None:
                    yield tables.encoded()
                yield segment.encoded()
                yield from coded
            elif segment.marker not in (DHT, DRI):
                yield segment.encoded()

    return pieces()


def _encoded(photo: Photo) -> JpegFile:
    """The picture encoded from its pixels, with the file's tables and, where Pillow can, its sampling."""
    with JpegImagePlugin.JpegImageFile(io.BytesIO(photo.source)) as original:
        tables = original.quantization
        sampling = JpegImagePlugin.get_sampling(original)
        progressive = "progression" in original.info
    buffer = io.BytesIO()
    image = _pillow_image(as_stored(photo).whole())
    image.save(
        buffer,
        "JPEG",
        qtables=tables,
        subsampling=max(sampling, 0),
        progressive=progressive,
        optimize=True,
        dpi=photo.metadata.dpi or (0, 0),
    )
    return read_segments(buffer.getvalue())


def _pillow_image(pixels: NDArray[np.uint8]) -> Image.Image:
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[pixels.shape[2]]
    grey = pixels[..., 0] if mode == "L" else pixels
    return Image.frombuffer(mode, (pixels.shape[1], pixels.shape[0]), grey, "raw", mode, 0, 1)


def _without_header(jpeg: JpegFile) -> Iterator[Segment]:
    return (segment for segment in jpeg.segments if segment.marker not in APPLICATION)


def _bytes_of(segments: Iterable[Segment]) -> Iterator[bytes | memoryview]:
    for segment in segments:
        yield segment.encoded()
        if segment.entropy is not None:
            yield segment.entropy


def _assemble(out: BinaryIO, header: Iterable[Segment], image: Iterable[bytes | memoryview]) -> None:
    out.write(b"\xff\xd8")
    out.writelines(_bytes_of(header))
    out.writelines(image)
    out.write(b"\xff\xd9")
