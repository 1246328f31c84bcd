"""The squares that the networks look at: the view around the face, close-ups of the eyes and the mouth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alignment import Alignment
from realedit.perception import points as parts

VIEW = 1.5  # side of the view over that of the FFHQ square
EYE = 0.9  # sides of the close-ups, in interocular distances
MOUTH = 1.5

Points = NDArray[np.float64]


def view_square(face: Alignment) -> Alignment:
    """The view of a face whose FFHQ square is `face`."""
    return replace(face, side=face.side * VIEW)


def eye_squares(points: Points) -> tuple[Alignment, Alignment]:
    """Close-ups of the eye on the left and on the right of `[478, 2]`, upright as the face is."""
    _, angle, unit = _frame(points)
    left, right = (points[list(eye.corners)].mean(axis=0) for eye in parts.EYES)
    return _square(left, EYE * unit, angle), _square(right, EYE * unit, angle)


def mouth_square(points: Points) -> Alignment:
    """The close-up of the mouth of `[478, 2]`."""
    _, angle, unit = _frame(points)
    upper, lower = parts.OUTER_LIP_UPPER, parts.OUTER_LIP_LOWER
    ends = [upper[0], upper[-1], upper[len(upper) // 2], lower[len(lower) // 2]]
    return _square(points[ends].mean(axis=0), MOUTH * unit, angle)


def _frame(points: Points) -> tuple[Points, float, float]:
    """Where the middle of the eyes is, how the face is turned in the picture, and its unit of length.

    The unit is the interocular distance, but of a head turned aside at least what eyes and mouth are apart,
    nearly.
    """
    left, right = (points[list(eye.corners)].mean(axis=0) for eye in parts.EYES)
    middle, across = (left + right) / 2, right - left
    mouth = points[[parts.OUTER_LIP_UPPER[0], parts.OUTER_LIP_UPPER[-1]]].mean(axis=0)
    down = mouth - middle
    axis = across + np.array([down[1], -down[0]])
    unit = max(float(np.hypot(*across)), 0.85 * float(np.hypot(*down)), 1e-6)
    return middle, math.atan2(axis[1], axis[0]), unit


def _square(centre: Points, side: float, angle: float) -> Alignment:
    return Alignment(centre=(float(centre[0]), float(centre[1])), side=side, angle=angle)
