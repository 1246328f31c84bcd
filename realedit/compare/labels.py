"""Words on pictures: white on a darkened band in a corner."""

from __future__ import annotations

from typing import Literal

import numpy as np

from realedit.compare.pair import Picture
from realedit.photos.label import letters

Corner = Literal["top left", "top right", "bottom left", "bottom right"]

_HEIGHT = 0.035  # of the shorter side
_SMALLEST = 13
_DARKER = 0.55


def labelled(picture: Picture, text: str, corner: Corner) -> Picture:
    """A copy of `picture` (HWC uint8) with `text` in a corner; what does not fit is cut off."""
    size = max(_SMALLEST, round(min(picture.shape[:2]) * _HEIGHT))
    coverage = letters(text, size)[: picture.shape[0], : picture.shape[1], None]
    height, width = coverage.shape[:2]
    made = picture.copy()
    rows = slice(0, height) if "top" in corner else slice(picture.shape[0] - height, None)
    columns = slice(0, width) if "left" in corner else slice(picture.shape[1] - width, None)
    dark = made[rows, columns] * (1 - _DARKER)
    made[rows, columns] = np.rint(dark + coverage * (255 - dark)).astype(np.uint8)
    return made
