"""TIFF: 8 and 16 bits, the first page."""

import io
from typing import Any, BinaryIO

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from realedit.photos.decoded import Decoded, UnreadableError, check_size, pillow_pixels
from realedit.photos.metadata import Metadata
from realedit.photos.picture import Picture


def read(data: bytes, max_pixels: int) -> Decoded:
    """The first page of a TIFF."""
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages[0]
        check_size(page.imagewidth, page.imagelength, max_pixels)
        bits = page.bitspersample
        tag = page.tags.get(274)
        orientation = int(tag.value) if tag is not None else 1
        icc = page.tags.get(34675)
        xmp = page.tags.get(700)
        metadata = Metadata(icc=bytes(icc.value) if icc else None, xmp=bytes(xmp.value) if xmp else None)
    if bits == 16:
        pixels: NDArray[Any] = _deep(data)
        return Decoded(pixels, metadata, orientation, 16)
    with TiffImageFile(io.BytesIO(data)) as image:
        mode = {"1": "L", "P": "RGB"}.get(image.mode, image.mode)
        pixels = pillow_pixels(image, mode)
    return Decoded(pixels, metadata, orientation, bits, cmyk=mode == "CMYK")


def _deep(data: bytes) -> NDArray[np.uint16]:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint16:
        raise UnreadableError("its picture data are damaged or of an unusual kind")
    image = image.reshape(*image.shape[:2], -1)
    if image.shape[2] >= 3:
        code = cv2.COLOR_BGR2RGB if image.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        return np.asarray(cv2.cvtColor(image, code), np.uint16)
    return np.asarray(image, np.uint16)


def write(
    out: BinaryIO, picture: Picture, metadata: Metadata, original: bytes | None, orientation: int
) -> tuple[str, ...]:
    """Write a TIFF."""
    pixels = picture.whole()
    tags: list[tuple[int, int, int, Any, bool]] = [(274, 3, 1, orientation, True)]
    if metadata.xmp:
        tags.append((700, 1, len(metadata.xmp), metadata.xmp, True))
    photometric = "separated" if picture.cmyk else "minisblack" if picture.channels < 3 else "rgb"
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        pixels if pixels.shape[2] > 1 else pixels[..., 0],
        photometric=photometric,
        compression="zlib",
        predictor=True,
        iccprofile=metadata.icc,
        extratags=tags,
        metadata=None,
        extrasamples=["unassalpha"] if picture.has_alpha else None,
    )
    out.write(buffer.getvalue())
    return ()
