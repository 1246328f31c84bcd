"""The eight EXIF orientations: how pixels as stored become the picture as displayed, and boxes with them.

Every orientation is a transposition (or none) followed by a vertical and a horizontal flip (or none), so
arrays are turned by numpy views (nothing is copied) and boxes by the same three facts. Source: Exif 2.32, tag
0x0112.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""(left, top, right, bottom) in pixels, half open."""

# orientation -> (transposed first, then flipped top to bottom, flipped left to right)
_TURNS: dict[int, tuple[bool, bool, bool]] = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def is_orientation(value: object) -> bool:
    """Whether `value` is one of the eight EXIF orientations (files hold others too; they count as 1)."""
    return isinstance(value, int) and value in _TURNS


def displayed_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """(width, height) as displayed of a picture stored as `size` = (width, height); its own inverse."""
    return size[::-1] if _TURNS[orientation][0] else size


def to_displayed(stored: NDArray[Any], orientation: int) -> NDArray[Any]:
    """View of `stored` [h, w, ...] as it is displayed."""
    transposed, flipped, mirrored = _TURNS[orientation]
    turned = np.swapaxes(stored, 0, 1) if transposed else stored
    return turned[:: -1 if flipped else 1, :: -1 if mirrored else 1]


def to_stored(displayed: NDArray[Any], orientation: int) -> NDArray[Any]:
    """View of `displayed` [h, w, ...] as it is stored; the inverse of `to_displayed`."""
    transposed, flipped, mirrored = _TURNS[orientation]
    turned = displayed[:: -1 if flipped else 1, :: -1 if mirrored else 1]
    return np.swapaxes(turned, 0, 1) if transposed else turned


def box_to_stored(box: Box, orientation: int, size: tuple[int, int]) -> Box:
    """`box` of the displayed picture in stored pixels; `size` is (width, height) as displayed."""
    transposed, flipped, mirrored = _TURNS[orientation]
    left, top, right, bottom = _flip(box, flipped, mirrored, size)
    return (top, left, bottom, right) if transposed else (left, top, right, bottom)


def box_to_displayed(box: Box, orientation: int, size: tuple[int, int]) -> Box:
    """`box` of the stored picture in displayed pixels; `size` is (width, height) as displayed."""
    transposed, flipped, mirrored = _TURNS[orientation]
    left, top, right, bottom = box
    turned = (top, left, bottom, right) if transposed else (left, top, right, bottom)
    return _flip(turned, flipped, mirrored, size)


def _flip(box: Box, flipped: bool, mirrored: bool, size: tuple[int, int]) -> Box:
    left, top, right, bottom = box
    width, height = size
    if flipped:
        top, bottom = height - bottom, height - top
    if mirrored:
        left, right = width - right, width - left
    return left, top, right, bottom
