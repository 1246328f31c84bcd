"""The similarity between a photo and its aligned, square crop.

Points are `(x, y)` in pixels, float64, with the origin at the top-left corner of the top-left pixel: a
pixel's centre is at +0.5. Libraries that put the centre of pixel 0 at 0.0 (OpenCV, dlib, `scipy.ndimage`)
take `index_affine`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignment.errors import AlignmentError

Points = NDArray[np.float64]


def as_points(points: ArrayLike) -> Points:
    """`points` as float64 [N, 2]; a single `(x, y)` becomes [1, 2] and an empty sequence [0, 2]."""
    array = np.asarray(points, dtype=np.float64)
    if array.size == 0:
        return np.zeros((0, 2))
    array = np.atleast_2d(array)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"Points are an [N, 2] array of x and y, not one of shape {np.shape(array)}.")
    return array


@dataclass(frozen=True)
class Alignment:
    """A similarity (shift, turn, scale; never a mirror) between photo pixels and the unit square of the crop.

    centre: the square's centre in photo pixels of the displayed view, pixel centres at +0.5. side: the
    square's side in photo pixels, > 0. angle: the direction of the crop's x axis in the photo, in radians; y
    points down, so a positive angle is a
        clockwise turn as one looks at the photo.

    Sizes are given per call: the same alignment serves crops of any resolution.
    Raises ValueError for values that are not finite or a side that is not positive.
    """

    centre: tuple[float, float]
    side: float
    angle: float

    def __post_init__(self) -> None:
        x, y = self.centre
        for name, value in (("centre", float(x)), ("side", float(self.side)), ("angle", float(self.angle))):
            object.__setattr__(self, name, (value, float(y)) if name == "centre" else value)
        if not all(map(math.isfinite, (*self.centre, self.side, self.angle))) or self.side <= 0:
            raise ValueError(
                f"An alignment needs a finite centre and angle and a positive side, not "
                f"centre {self.centre}, side {self.side}, angle {self.angle}."
            )

    def _axes(self) -> Points:
        """[2, 2]: the crop's unit x and y axes as rows, in the photo."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        return np.array([[c, s], [-s, c]])

    def to_crop(self, points: ArrayLike, size: float) -> Points:
        """Photo pixels [N, 2] -> pixels of a crop of `size` x `size` [N, 2]; may lie outside of the crop."""
        unit = (as_points(points) - self.centre) @ self._axes().T / self.side + 0.5
        return np.asarray(unit * size, dtype=np.float64)

    def to_photo(self, points: ArrayLike, size: float) -> Points:
        """Pixels of a crop of `size` x `size`, [N, 2] -> photo pixels [N, 2]; the inverse of `to_crop`."""
        unit = as_points(points) / size - 0.5
        return np.asarray(unit * self.side @ self._axes() + self.centre, dtype=np.float64)

    def matrix(self, size: float) -> NDArray[np.float64]:
        """[2, 3] affine from photo to crop of `size`, in continuous coordinates (centres at +0.5)."""
        linear = self._axes() * (size / self.side)
        return np.column_stack([linear, size / 2 - linear @ np.asarray(self.centre)])

    def corners(self) -> Points:
        """[4, 2]: the square's corners in photo pixels: top left, top right, bottom right, bottom left."""
        return self.to_photo([(0, 0), (1, 0), (1, 1), (0, 1)], 1)

    def contains(self, points: ArrayLike) -> NDArray[np.bool_]:
        """[N]: whether each photo point lies in the square, its border included."""
        unit = self.to_crop(points, 1)
        return np.asarray(((unit >= 0) & (unit <= 1)).all(axis=1))

    def scale(self, size: float) -> float:
        """Crop pixels per photo pixel at crop size `size`: below 1 the crop is a reduction."""
        return size / self.side

    def beyond(self, points: ArrayLike) -> NDArray[np.float64]:
        """[N]: how far outside of the square each photo point lies, in photo pixels; 0 within it."""
        unit = self.to_crop(points, 1)
        return np.asarray(np.linalg.norm(unit - np.clip(unit, 0, 1), axis=1) * self.side)

    def describe(self) -> str:
        """Where the square is, for messages: `x 120 to 540, y 80 to 500`, or a turned one's corners:
        `with its corners at 120,60, 560,80, 540,520 and 100,500`."""
        if abs(math.degrees(math.remainder(self.angle, math.tau))) < 0.5:
            low, high = self.corners().min(axis=0), self.corners().max(axis=0)
            return f"x {low[0]:.0f} to {high[0]:.0f}, y {low[1]:.0f} to {high[1]:.0f}"
        *most, last = (f"{x:.0f},{y:.0f}" for x, y in self.corners())
        return f"with its corners at {', '.join(most)} and {last}"

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form; `from_dict` gives back an equal value, bit for bit."""
        return {"centre": list(self.centre), "side": self.side, "angle": self.angle}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Alignment:
        """The inverse of `to_dict`; raises ValueError for anything that is not such a form."""
        try:
            (x, y), side, angle = data["centre"], data["side"], data["angle"]
            if len(data) != 3 or any(isinstance(v, (str, bool)) for v in (x, y, side, angle)):
                raise ValueError("numbers are expected, and no other keys")
            return cls(centre=(float(x), float(y)), side=float(side), angle=float(angle))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"Not an alignment (centre [x, y], side, angle): {data!r} ({error}).") from error


def index_affine(affine: ArrayLike) -> NDArray[np.float64]:
    """[2, 3] or [3, 3]: a continuous affine as a library with pixel centres at integers takes it."""
    matrix = np.array(affine, dtype=np.float64, copy=True)
    matrix[:2, 2] += matrix[:2, :2].sum(axis=1) * 0.5 - 0.5
    return matrix


def ffhq_square(landmarks: ArrayLike) -> Alignment:
    """The square of the FFHQ dataset for a face's 68 landmarks [68, 2], photo pixels.

    As the appendix of "A Style-Based Generator Architecture" (arXiv 1812.04948) and, in full, that of
    "Progressive Growing of GANs" (arXiv 1710.10196) describe it: with e0, e1 the centres of the eyes and m0,
    m1 the corners of the mouth, x' = e1 - e0 and y' = (e0 + e1) / 2 - (m0 + m1) / 2, the centre is (e0 + e1)
    / 2 - 0.1 y', the side max(4.0 |x'|, 3.6 |y'|), and the x axis is that of x' - Rotate90(y').

    Raises AlignmentError when eyes and mouth fall together, which no face does.
    """
    points = as_points(landmarks)
    if points.shape != (68, 2):
        raise ValueError(f"A face has 68 landmarks, not an array of shape {points.shape}.")
    left, right = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    mouth = (points[48] + points[54]) / 2
    eyes = (left + right) / 2
    across, down = right - left, mouth - eyes
    axis = across + np.array([down[1], -down[0]])
    side = max(4.0 * float(np.hypot(*across)), 3.6 * float(np.hypot(*down)))
    if not np.isfinite(points).all() or side < 1e-6 or float(np.hypot(*axis)) < 1e-6 * side:
        raise AlignmentError("The eyes and mouth that were found do not form a face; try a clearer photo.")
    x, y = eyes + 0.1 * down
    return Alignment(centre=(x, y), side=side, angle=math.atan2(axis[1], axis[0]))


def box_square(box: Sequence[float]) -> Alignment:
    """The upright square around `box` (left, top, right, bottom; photo pixels): same centre, the longer side.

    For domains without faces. Raises AlignmentError when the box is empty or not finite.
    """
    left, top, right, bottom = map(float, box)
    if not all(map(math.isfinite, (left, top, right, bottom))) or right <= left or bottom <= top:
        raise AlignmentError(
            f"The box {left:g},{top:g},{right:g},{bottom:g} is empty; give left, top, right, bottom in px."
        )
    centre = ((left + right) / 2, (top + bottom) / 2)
    return Alignment(centre=centre, side=max(right - left, bottom - top), angle=0.0)


def centred_square(width: int, height: int) -> Alignment:
    """The largest upright square in the middle of a photo of `width` x `height` pixels."""
    if width < 1 or height < 1:
        raise ValueError(f"A photo has at least one pixel, not {width} x {height}.")
    return Alignment(centre=(width / 2, height / 2), side=float(min(width, height)), angle=0.0)


def crop_to_cells(points: ArrayLike, size: float, cells: int) -> Points:
    """Pixels [N, 2] of a crop of `size` -> cells of a feature map of `cells` x `cells`, centres at +0.5."""
    return as_points(points) * (cells / size)
