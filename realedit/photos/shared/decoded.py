"""What every format's reader hands over, and the few steps they share."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from realedit.photos.metadata.metadata import Metadata
from realedit.photos.shared.layout import Layout

_ROWS = 256  # rows taken out of a Pillow image at a time


class UnreadableError(ValueError):
    """A file whose pixels cannot be had; the message goes on after "cannot read PHOTO: "."""


@dataclass(frozen=True)
class Decoded:
    """Pixels as stored [H, W, c] and what came with them."""

    pixels: NDArray[Any]
    metadata: Metadata = field(default_factory=Metadata)
    orientation: int | None = None  # None: what the EXIF block says
    depth: int = 8
    cmyk: bool = False
    palette: bool = False
    implied_icc: bytes | None = None  # a profile that the file states by other means than a profile
    stale: tuple[str, ...] = ()  # what the file holds that is untrue of an edited picture
    warnings: tuple[str, ...] = ()
    layout: Layout | None = None  # None: what the number of channels and `cmyk` say


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse a picture before memory is taken for it."""
    if width < 1 or height < 1:
        raise UnreadableError("it has no pixels")
    if width * height > max_pixels:
        raise UnreadableError(
            f"its {width} x {height} pixels are more than the limit of {max_pixels} (--max-pixels raises it)"
        )


def swap_red_and_blue(pixels: NDArray[Any]) -> NDArray[Any]:
    """[h, w, 3 or 4] of OpenCV's order as RGB, in place and in strips: no second frame is held."""
    for top in range(0, len(pixels), _ROWS):
        strip = pixels[top : top + _ROWS]
        strip[..., :3] = strip[..., 2::-1].copy()
    return pixels


def pillow_pixels(image: ImageFile.ImageFile, mode: str) -> NDArray[np.uint8]:
    """All of `image` in the 8-bit `mode`, [h, w, c]; decodes the file to its end.

    The image is converted and copied in strips, so that at no time a second whole frame is held.
    """
    image.load()
    channels = Image.getmodebands(mode)
    pixels = np.empty((image.height, image.width, channels), np.uint8)
    for top in range(0, image.height, _ROWS):
        strip = image.crop((0, top, image.width, min(top + _ROWS, image.height)))
        if strip.mode != mode:
            strip = strip.convert(mode)
        pixels[top : top + _ROWS] = np.asarray(strip).reshape(strip.height, strip.width, channels)
    return pixels
