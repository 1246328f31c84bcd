"""A copy of the photo that shows its faces: the square of each, its number and its landmarks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alignment.geometry import Points, as_points
from realedit.compare.pair import Picture
from realedit.compare.shapes import Colour, disc, fill, stroke
from realedit.photos.label import letters

_SQUARE: Colour = (255, 205, 0)
_POINT: Colour = (255, 255, 255)
_DARK: Colour = (20, 20, 20)
_HEIGHT = 0.14  # of a square's side: its number
_SMALLEST, _LARGEST = 14, 160


def numbered(
    photo: Picture, squares: Sequence[Points], landmarks: Sequence[Points], texts: Sequence[str]
) -> Picture:
    """A copy of `photo` (HWC RGB uint8) with a yellow square, a text and dots for each face.

    squares: `[4, 2]` corners from the top left one on; landmarks: `[N, 2]`; both in its pixels, centres at
    +0.5. What lies beyond its edges is cut off.
    """
    picture = np.array(photo, order="C", copy=True)
    for corners, points, text in zip(squares, landmarks, texts, strict=True):
        corners = as_points(corners)
        side = float(np.hypot(*(corners[1] - corners[0])))
        line = max(1.5, 0.008 * side)
        for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            around = np.stack([start, end])
            fill(picture, stroke(start, end, line), _DARK, around=around, grow=max(1.0, 0.5 * line))
            fill(picture, stroke(start, end, line), _SQUARE, around=around)
        radius = max(0.9, 0.005 * side)
        for point in as_points(points):
            around = np.stack([point - radius, point + radius])
            fill(picture, disc(point, radius), _DARK, around=around, grow=max(0.6, 0.4 * radius))
            fill(picture, disc(point, radius), _POINT, around=around)
        _write(picture, text, corners, side)
    return picture


def _write(picture: Picture, text: str, corners: Points, side: float) -> None:
    """The text in the square's upper left corner, on a dark ground."""
    size = int(np.clip(_HEIGHT * side, _SMALLEST, _LARGEST))
    coverage = letters(text, size)[..., None]
    height, width = coverage.shape[:2]
    left, top = (int(at) for at in corners.min(axis=0))
    left = min(max(left, 0), max(0, picture.shape[1] - width))
    top = min(max(top, 0), max(0, picture.shape[0] - height))
    part = picture[top : top + height, left : left + width]
    coverage = coverage[: part.shape[0], : part.shape[1]]
    dark = part * 0.35
    part[:] = np.rint(dark + coverage * (np.array(_SQUARE) - dark)).astype(np.uint8)
