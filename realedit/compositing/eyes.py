"""One eye in its own upright frame.

In the frame the eye is one unit wide from corner to corner; x goes from its middle to the viewer's right,
y down.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.compositing.flow import Array
from realedit.perception.points import Eye as EyePoints
from realedit.photos import Box, Photo

Floats = NDArray[np.float64]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # Rec. 601

# Lengths are eye widths.
WIDE = 0.8  # from the eye's middle to both sides: what is farther away is no business of its lids
XS = np.linspace(-WIDE, WIDE, 321)  # where a curve's heights are kept
EVEN = 0.015  # over which a lid's edge is smoothed
ABOVE, BELOW = 0.52, 0.35  # the lids: how far skin is looked at
BEND = 0.05  # what a cell up or down costs a path, in brightness


@dataclass(frozen=True)
class Eye:
    """origin: the eye's middle, photo pixels; axis: from its left corner to the right one, photo pixels;
    upper, lower, brow: the heights at `XS` of the lids' edges and of the brow's lower one. Beyond the
    corners both lids are level.
    """

    origin: Floats
    axis: Floats
    upper: Floats
    lower: Floats
    brow: Floats

    @classmethod
    def of(cls, points: Floats, which: EyePoints) -> "Eye":
        """One eye of the face with these 478 points, photo pixels."""
        corners = points[list(which.corners)]
        level = np.zeros_like(XS)
        bare = cls(corners.mean(0), corners[1] - corners[0], level, level, level)
        parts = (which.upper, which.lower, which.brow_lower)
        upper, lower, brow = (curve(bare.to_frame(points[list(part)])) for part in parts)
        within = np.abs(XS) <= 0.5
        middle = np.where(within, (upper + lower) / 2, 0)
        upper, lower = (
            np.where(within, smooth(np.where(within, each, 0), EVEN), 0) for each in (upper, lower)
        )
        return cls(bare.origin, bare.axis, np.minimum(upper, middle), np.maximum(lower, middle), brow)

    @property
    def width(self) -> float:
        """Photo pixels from corner to corner."""
        return float(np.hypot(*self.axis))

    @property
    def height(self) -> float:
        """How far the lids are apart where they are farthest."""
        return float((self.lower - self.upper).max())

    @property
    def span(self) -> tuple[float, float]:
        """The heights between which skin is looked at, and may move."""
        return float(self.upper.min() - ABOVE), float(self.lower.max() + BELOW)

    @property
    def turn(self) -> Floats:
        """`[2, 2]`: a place of the frame, as a row, times this is photo pixels from the origin."""
        return np.array([self.axis, [-self.axis[1], self.axis[0]]])

    def to_frame(self, points: Floats) -> Floats:
        """Photo pixels `[..., 2]` in the frame."""
        return np.asarray((points - self.origin) @ self.turn.T / self.width**2)

    def to_photo(self, places: Floats) -> Floats:
        """Places of the frame `[..., 2]` in photo pixels."""
        return np.asarray(places @ self.turn + self.origin)

    def box(self, photo: Photo) -> Box | None:
        """The photo's rectangle around the frame's part that is looked at; None outside of the photo."""
        places = self.to_photo(np.array([[x, y] for x in (-WIDE, WIDE) for y in self.span]))
        left, top = np.maximum(np.floor(places.min(0)).astype(int), 0)
        right, bottom = np.minimum(np.ceil(places.max(0)).astype(int), (photo.width, photo.height))
        return (int(left), int(top), int(right), int(bottom)) if left < right and top < bottom else None

    def sampled(self, picture: Array, x: Floats, y: Floats) -> Array:
        """A picture of the frame (see `Skin`) at places of it."""
        height, width = picture.shape[:2]
        low, high = self.span
        columns = ((x + WIDE) * width / (2 * WIDE) - 0.5).astype(np.float32)
        rows = ((y - low) * height / (high - low) - 0.5).astype(np.float32)
        return np.asarray(
            cv2.remap(picture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        )


def darkest_path(cost: Floats) -> NDArray[np.int64]:
    """The rows `[W]` of the path from left to right of the least sum of `cost` `[H, W]` and its bends."""
    total, row = cost[:, 0], np.arange(len(cost))
    came = np.zeros(cost.shape, np.int64)
    for column in range(1, cost.shape[1]):
        padded = np.pad(total, 1, constant_values=np.inf)
        choices = np.stack([padded[:-2] + BEND, padded[1:-1], padded[2:] + BEND])
        best = choices.argmin(0)
        came[:, column] = row + best - 1
        total = choices[best, row] + cost[:, column]
    path = [int(total.argmin())]
    for column in range(cost.shape[1] - 1, 0, -1):
        path.append(int(came[path[-1], column]))
    return np.array(path[::-1])


def curve(places: Floats) -> Floats:
    """The heights at `XS` of a smooth curve (cubic Hermite) through `places` `[K, 2]`; level past its
    ends."""
    x, y = places[np.argsort(places[:, 0], kind="stable")].T
    x = np.maximum.accumulate(x) + np.arange(len(x)) * 1e-6
    slopes = np.gradient(y, x)
    right = np.clip(np.searchsorted(x, XS), 1, len(x) - 1)
    step = x[right] - x[right - 1]
    t = np.clip((XS - x[right - 1]) / step, 0, 1)
    start, end = y[right - 1], y[right]
    leave, arrive = slopes[right - 1] * step, slopes[right] * step
    bend = 3 * t**2 - 2 * t**3
    return np.asarray(
        (1 - bend) * start + bend * end + (t - 2 * t**2 + t**3) * leave + (t**3 - t**2) * arrive
    )


def smooth(heights: Floats, sigma: float) -> Floats:
    """A curve at `XS`, averaged with a Gaussian of `sigma` eye widths."""
    step = XS[1] - XS[0]
    reach = int(np.ceil(3 * sigma / step))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / sigma) ** 2)
    return np.convolve(np.pad(heights, reach, mode="edge"), weights / weights.sum(), mode="valid")
