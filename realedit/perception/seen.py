"""What the network sees of one face: points, depth, pose, matte, how open eyes and mouth are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alignment import Alignment
from realedit.perception import matte as mattes
from realedit.perception import points as parts

Points = NDArray[np.float64]
Matte = NDArray[np.float32]


class Pose(NamedTuple):
    """How the head is turned, in degrees.

    yaw: positive where the face looks to the viewer's right. pitch: positive where it looks down; 0 is how
    people hold their heads in portraits, on average. roll: positive where the head leans clockwise as one
    looks at the photo.
    """

    yaw: float
    pitch: float
    roll: float


class Sides(NamedTuple):
    """A number for each eye; left and right are the viewer's."""

    left: float
    right: float


@dataclass(frozen=True, eq=False)
class Perceived:
    """One face as the network sees it.

    points: `[478, 2]` float64, photo pixels, pixel centres at +0.5; `realedit.perception.points` names them.
    depth: `[478]` float64 in photo pixels too, smaller is nearer to the camera; only differences mean
    something. pose: in degrees. sure: 0 to 1, how sure it is that this is a human face. blur: the deviation
    of the Gaussian that would make a sharp photo as soft as this one, in interocular distances.
    view: the square that the network looked at, wider than the FFHQ square. view_matte: `[M, M]` float32, the
    person in that square: 1 person (hair, clothes and what is worn included), 0 background.
    glasses: 0 to 1, how sure it is that glasses are worn.
    """

    points: Points
    depth: Points
    pose: Pose
    sure: float
    blur: float
    view: Alignment
    view_matte: Matte
    glasses: float = 0.0

    @property
    def interocular(self) -> float:
        """The distance between the middles of both eyes' corners, in photo pixels."""
        left, right = (self.points[list(eye.corners)].mean(axis=0) for eye in parts.EYES)
        return float(np.hypot(*(right - left)))

    @property
    def aperture(self) -> Sides:
        """How far the lids are apart in the middle of each eye, in interocular distances; 0: shut."""
        left, right = (_gap(self.points, eye.upper, eye.lower) / self.interocular for eye in parts.EYES)
        return Sides(left, right)

    @property
    def mouth_gap(self) -> float:
        """How far the lips are apart in the middle of the mouth, in interocular distances; 0: closed."""
        return _gap(self.points, parts.INNER_LIP_UPPER, parts.INNER_LIP_LOWER) / self.interocular

    def matte(self, square: Alignment, size: int) -> Matte:
        """The person in a square, `[size, size]` float32: 1 person, 0 background; soft, a few pixels of the
        FFHQ square at 128 wide. Beyond the view its border goes on."""
        return mattes.in_square(self.view_matte, self.view, square, size)

    def fine_matte(self, photo: NDArray[Any], box: mattes.Box | None = None) -> Matte:
        """The person at the photo's own pixels, refined along their edges, `[h, w]` float32.

        photo: the photo that was perceived, `[H, W, 3]` RGB, uint8 or uint16. box: the part that is wanted
        (left, top, right, bottom), whole pixels within the photo; the whole photo by default.
        """
        box = box or (0, 0, photo.shape[1], photo.shape[0])
        left, top, right, bottom = box
        coarse = mattes.in_box(self.view_matte, self.view, box)
        return mattes.refined(photo[top:bottom, left:right], coarse, self.view.side)


def _gap(points: Points, upper: parts.Curve, lower: parts.Curve) -> float:
    """The mean distance of two curves' middle thirds, across the line between their ends; at least 0."""
    along = points[upper[-1]] - points[upper[0]]
    down = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9)
    third = len(upper) // 3
    middle = slice(third, len(upper) - third)
    apart = (points[list(lower)] - points[list(upper)]) @ down
    return max(0.0, float(apart[middle].mean()))
