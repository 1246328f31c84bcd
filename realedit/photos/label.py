"""A visible label in a corner of a photo, for those who want the edit to be seen."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from realedit.photos.orientation import Box
from realedit.photos.photo import Photo

_HEIGHT = 0.028  # of the shorter side
_SMALLEST = 11
_BACKGROUND = 0.55  # how much darker the photo gets behind the text


def with_visible_label(photo: Photo, text: str = "AI-edited") -> Photo:
    """The photo with `text`, white on a darkened band, in its lower right corner; as wide as fits."""
    size = max(_SMALLEST, round(min(photo.width, photo.height) * _HEIGHT))
    coverage = letters(text, size)[: photo.height, : photo.width]
    height, width = coverage.shape
    box: Box = (photo.width - width, photo.height - height, photo.width, photo.height)
    full = np.float32(np.iinfo(photo.dtype).max)
    block = photo.view(box).astype(np.float32) / full
    shown = photo.colour.to_srgb(block) * np.float32(1 - _BACKGROUND)
    shown = shown + coverage[..., None] * (1 - shown)
    own = np.clip(photo.colour.from_srgb(shown), 0, 1)
    return photo.with_block(box, (own * full + 0.5).astype(photo.dtype))


def letters(text: str, size: int) -> NDArray[np.float32]:
    """Coverage of the band by `text` [h, w] in [0, 1]."""
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(text)
    margin = max(2, size // 3)
    extent = round(right - left) + 2 * margin, round(bottom - top) + 2 * margin
    image = Image.new("L", extent)
    ImageDraw.Draw(image).text((margin - left, margin - top), text, fill=255, font=font)
    return np.asarray(image, np.float32) / np.float32(255)
