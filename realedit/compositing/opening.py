"""Lips that part: each goes its own way, and what comes to light between them is nothing of the photo's.

A smooth flow can only stretch a lip over the gap. So the flow is measured once for what lies above the gap
and once for what lies below, the lips themselves going with their landmarks, and pixels that neither flow
brings from its own side of the photo's lips are inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.compositing.flow import Array, Bounds, FlowSettings, Known, measure

Points = NDArray[np.float64]

UPPER, LOWER = (60, 61, 62, 63, 64), (60, 67, 66, 65, 64)  # the lips' inner edges, of 68 landmarks
UPPER_LIP = (48, 49, 50, 51, 52, 53, 54, 64, 63, 62, 61, 60)  # their outlines
LOWER_LIP = (48, 60, 67, 66, 65, 64, 54, 55, 56, 57, 58, 59)
OUTER, INNER = slice(48, 60), slice(60, 68)
SURE = 4.0  # votes of a pixel of a lip
NEAR = 0.08  # interocular distances: how far a landmark's motion counts
LEAST = 0.03  # interocular distances that closed lips must part by
STRETCH = 1.5  # of what is between open ones: a smile's teeth are stretched so far as ever
CORNER = 0.12  # interocular distances over which the two flows become one at the mouth's corners
OPEN = 0.06  # interocular distances: lips this far apart show teeth, which go with the upper lip
EDGE = 1.0  # pixels of a 512 square over which a lip's edge fades


@dataclass(frozen=True)
class Mouth:
    """The face's landmarks `[68, 2]` in the photo and in the after-picture, in the unit square."""

    photo: Points
    after: Points

    @property
    def unit(self) -> float:
        """The interocular distance."""
        return float(np.linalg.norm(self.photo[42:48].mean(0) - self.photo[36:42].mean(0)))

    def lips(self, size: int) -> NDArray[np.bool_]:
        """The photo's lips on a square of `size` pixels."""
        outer, inner = (np.rint(self.photo[part] * size - 0.5).astype(np.int32) for part in (OUTER, INNER))
        filled = cv2.fillPoly(np.zeros((size, size), np.uint8), [outer], 1)
        return np.asarray(cv2.fillPoly(filled, [inner], 0) > 0, np.bool_)

    @property
    def parts(self) -> bool:
        """Whether the lips part by more than teeth that show may well be stretched."""
        apart = [float(points[66, 1] - points[62, 1]) for points in (self.photo, self.after)]
        return apart[1] > STRETCH * max(apart[0], 0.0) + LEAST * self.unit


def part(
    before: Array,
    after: Array,
    mouth: Mouth,
    settings: FlowSettings,
    *,
    reach: Array,
    resolution: int,
    bounds: Bounds | None = None,
    sure: Array | None = None,
) -> tuple[Array, Array]:
    """The flow `[S, S, 2]` and where the mouth's inside is, `[S, S]` 0 to 1; other arguments as in `measure`.

    The flow is torn between the lips, and becomes one at the mouth's corners.
    """
    size = before.shape[0]
    unit, new, old = mouth.unit * size, mouth.after * size, mouth.photo * size
    y, x = np.mgrid[:size, :size].astype(np.float32) + np.float32(0.5)
    across = _across(new, x)
    top, bottom = line(new[list(UPPER)], x), line(new[list(LOWER)], x)
    within = np.abs(across) < 1
    above, below = (
        measure(
            before, after, settings,
            reach=reach, resolution=resolution, bounds=bounds, sure=sure,
            known=_known(old, new, lip, within & hidden, unit),
        )
        for lip, hidden in ((UPPER_LIP, y > top), (LOWER_LIP, y < bottom))
    )  # fmt: skip
    held, sunk = (_above_lips(old, unit, x, y, flow) for flow in (above, below))
    softness = np.maximum(1.0, CORNER * unit * np.minimum(across**2, 1))
    lower = np.clip(0.5 - (held + sunk) / (2 * softness), 0, 1)[..., None].astype(np.float32)
    inside = np.clip(0.5 + np.minimum(-held, sunk) / (2 * EDGE * size / 512), 0, 1)
    inside *= np.clip((1 - _across(old, x) ** 2) / 0.1, 0, 1)
    return above + lower * (below - above), np.asarray(inside, np.float32)


def _known(old: Points, new: Points, lip: Sequence[int], hidden: NDArray[np.bool_], unit: float) -> Known:
    """How a lip moves, by its landmarks; what is behind and beyond it does not count."""
    size = hidden.shape[0]
    weight = np.where(hidden, np.float32(0), np.float32(-1))
    cv2.fillPoly(weight, [np.rint(new[list(lip)] - 0.5).astype(np.int32)], SURE)
    rows, columns = np.nonzero(weight > 0)
    places = np.stack([columns, rows], 1) + 0.5
    apart = np.square(places[:, None] - new[list(lip)]).sum(2)
    shares = np.exp(-apart / (2 * (NEAR * unit) ** 2)) + 1e-9
    flow = np.zeros((size, size, 2), np.float32)
    flow[rows, columns] = shares / shares.sum(1, keepdims=True) @ (old - new)[list(lip)]
    return Known(flow, weight)


def _across(points: Points, x: Array) -> Array:
    """-1 at the mouth's left corner, 1 at its right."""
    left, right = points[60, 0], points[64, 0]
    return np.asarray((x - (left + right) / 2) / max((right - left) / 2, 1e-6), np.float32)


def _above_lips(points: Points, unit: float, x: Array, y: Array, flow: Array) -> Array:
    """How far above the place where the lips meet each pixel comes from: between their edges, or the lower
    one's where teeth show."""
    x, y = x + flow[..., 0], y + flow[..., 1]
    upper, lower = line(points[list(UPPER)], x), line(points[list(LOWER)], x)
    share = 0.5 + 0.5 * np.clip((points[66, 1] - points[62, 1]) / (OPEN * unit), 0, 1)
    return np.asarray(upper + np.float32(share) * (lower - upper) - y, np.float32)


def line(points: Points, x: Array) -> Array:
    """The height at x `[S, S]` of the line through points `[K, 2]` from left to right, level beyond."""
    order = np.argsort(points[:, 0], kind="stable")
    return np.asarray(np.interp(x, points[order, 0], points[order, 1]), np.float32)
