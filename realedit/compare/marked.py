"""A copy of the photo that shows what was asked for: handles, targets and mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignment.geometry import Points, as_points
from realedit.compare.shapes import (
    Colour,
    Picture,
    arrow_head,
    blend,
    disc,
    fill,
    mask_distance,
    ring,
    stroke,
    union,
)

HANDLE: Colour = (230, 30, 40)
TARGET: Colour = (30, 90, 240)
REACHED: Colour = (255, 205, 0)
MASK: Colour = (60, 220, 130)
_LIGHT: Colour = (255, 255, 255)
_DARK: Colour = (20, 20, 20)
_TINT = 0.28  # how much of the mask's colour lies over what may move

Point = NDArray[np.float64]


@dataclass(frozen=True)
class _Pen:
    """The radius of a dot in pixels of the picture; everything else follows from it."""

    radius: float

    @classmethod
    def for_picture(cls, shape: tuple[int, ...], handles: Points, targets: Points) -> _Pen:
        """Sized by the picture, and smaller where the dots would hide the way between them."""
        usual = max(3.2, 0.011 * min(shape[:2]))
        ways = np.linalg.norm(targets - handles, axis=1)
        ways = ways[ways > 0]
        room = 0.3 * float(np.median(ways)) if len(ways) else usual
        return cls(radius=float(np.clip(room, max(2.4, 0.35 * usual), usual)))

    @property
    def line(self) -> float:
        return max(1.0, 0.35 * self.radius)

    @property
    def edge(self) -> float:
        """The width of the dark edge around everything, which lets it show on a light ground."""
        return max(0.7, 0.12 * self.radius)


def marked(
    photo: Picture,
    handles: ArrayLike,
    targets: ArrayLike,
    *,
    mask: NDArray[Any] | None = None,
    reached: ArrayLike | None = None,
) -> Picture:
    """A copy of `photo` with red handles, an arrow from each to its blue target, and what may move tinted
    green.

    photo: HWC RGB uint8. handles, targets, reached: [N, 2] photo pixels, centres at +0.5; reached, where the
    handles ended, are yellow rings. mask: [H, W] bool, or uint8 with 128 and more for what may move. The
    marks are sized by the picture, antialiased and cut off at its edges. Returns HWC RGB uint8; `photo` stays
    as it is. Raises ValueError for another layout, and when there are not as many targets as handles.
    """
    starts, ends = as_points(handles), as_points(targets)
    stops = as_points([] if reached is None else reached)
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
        raise ValueError(f"A photo is [H, W, 3] uint8 here, not {photo.shape} {photo.dtype}.")
    if len(starts) != len(ends) or (reached is not None and len(stops) != len(starts)):
        raise ValueError(f"{len(starts)} handles do not go with {len(ends)} targets and {len(stops)} ends.")
    picture = np.array(photo, order="C", copy=True)
    pen = _Pen.for_picture(picture.shape, starts, ends)
    if mask is not None:
        _tint(picture, _movable(mask, picture.shape), pen)
    for start, end in zip(starts, ends, strict=True):
        _arrow(picture, start, end, pen)
    for end in ends:
        _dot(picture, end, TARGET, pen)
    for start in starts:
        _dot(picture, start, HANDLE, pen)
    for stop in stops:
        _ring(picture, stop, pen)
    return picture


def _movable(mask: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    if mask.shape != shape[:2] or mask.dtype not in (np.bool_, np.uint8):
        raise ValueError(
            f"A mask is {shape[:2]} bool or uint8 like its photo, not {mask.shape} {mask.dtype}."
        )
    return np.asarray(mask if mask.dtype == np.bool_ else mask >= 128)


def _tint(picture: Picture, movable: NDArray[np.bool_], pen: _Pen) -> None:
    """Lay the mask's colour over what may move, and a line along its inner edge."""
    rows, columns = np.flatnonzero(movable.any(axis=1)), np.flatnonzero(movable.any(axis=0))
    if not len(rows):
        return
    # One row more on each side, where there is one, so that the window shows the mask's edge.
    window = np.s_[max(0, rows[0] - 1) : rows[-1] + 2, max(0, columns[0] - 1) : columns[-1] + 2]
    inside = mask_distance(movable[window])
    blend(picture[window], inside, MASK, _TINT)
    blend(picture[window], np.maximum(inside, -inside - pen.line - pen.edge), _DARK)
    blend(picture[window], np.maximum(inside, -inside - pen.line), MASK)


def _arrow(picture: Picture, start: Point, end: Point, pen: _Pen) -> None:
    """A light line with a dark edge from dot to dot, with a head at the target's rim."""
    length = float(np.hypot(*(end - start)))
    if length < 1e-6:
        return
    along = (end - start) / length
    tip = end - along * min(pen.radius, 0.3 * length)
    head = min(1.7 * pen.radius, 0.5 * length)
    shape = union(stroke(start, tip - along * head, pen.line), arrow_head(tip, along, head))
    around = np.stack([np.minimum(start, end) - head, np.maximum(start, end) + head])
    fill(picture, shape, _DARK, around=around, grow=pen.edge)
    fill(picture, shape, _LIGHT, around=around)


def _dot(picture: Picture, where: Point, colour: Colour, pen: _Pen) -> None:
    """A disc with a light rim and a dark edge, which shows on any ground."""
    around = np.stack([where - pen.radius, where + pen.radius])
    rim = max(0.9, 0.25 * pen.radius)
    fill(picture, disc(where, pen.radius), _DARK, around=around, grow=pen.edge)
    fill(picture, disc(where, pen.radius), _LIGHT, around=around)
    fill(picture, disc(where, pen.radius - rim), colour, around=around)


def _ring(picture: Picture, where: Point, pen: _Pen) -> None:
    """A yellow ring with a dark edge, open so that what lies under it shows."""
    around = np.stack([where - 2 * pen.radius, where + 2 * pen.radius])
    shape = ring(where, 0.75 * pen.radius, pen.line)
    fill(picture, shape, _DARK, around=around, grow=pen.edge)
    fill(picture, shape, REACHED, around=around)
