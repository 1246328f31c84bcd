"""Pictures of a photo as the page shows it: a part of it, no larger than it is seen."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.photos import Box, Photo

LARGEST = 4096  # pixels of the longer side of a view
QUALITY = 90


def view(photo: Photo, box: Box, side: int) -> bytes:
    """A part of a photo (left, top, right, bottom) as JPEG in sRGB, at most `side` pixels long.

    Raises ValueError for a box that is empty or leaves the photo.
    """
    left, top, right, bottom = box
    if not (0 <= left < right <= photo.width and 0 <= top < bottom <= photo.height):
        raise ValueError("the part lies outside of the photo")
    side = min(side, LARGEST)
    if box == (0, 0, photo.width, photo.height):
        return jpeg(photo.srgb_reduced(side))
    return jpeg(reduced(photo.srgb(box), side))


def reduced(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A picture `[H, W, 3]`, area-averaged so that it is at most `side` pixels long."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return picture
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA), np.uint8)


def jpeg(picture: NDArray[np.uint8], quality: int = QUALITY) -> bytes:
    """A picture `[H, W, 3]` RGB as JPEG with whole colour."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
    ok, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), options)
    assert ok
    return data.tobytes()
