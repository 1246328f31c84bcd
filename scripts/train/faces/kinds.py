"""Kinds of faces that portraits show rarely, told by what is seen of a face.

Training draws them more often (`Settings.rare`), and figures are told for each of them.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.perception import Perceived
from realedit.perception import points as parts

NAMES = ("at rest", "dark", "glasses", "turned", "black and white")
CLOSED = 0.03  # interocular distances that lips are apart at most, at rest
LEVEL = 0.045  # the corners of a mouth at rest are at most so far above the middle between its lips
# Degrees of the individual typology angle, below which skin counts as dark. In photos as they are it says as
# much of the light as of the skin: fair faces in dim or red light are among them.
DARK = 10.0
TURNED = 15.0  # degrees of yaw
GREY = 4.0  # mean chroma (CIELab) of what has no colour

_CHEEKS = (117, 118, 50, 101, 346, 347, 280, 330)  # of the 478 points, below the eyes
_PATCH = 0.05  # side of a patch of skin over the interocular distance


def kinds_of(photo: NDArray[np.uint8], seen: Perceived) -> NDArray[np.bool_]:
    """Of which kinds a face is, in the order of `NAMES`. photo `[H, W, 3]` sRGB."""
    skin = _skin(photo, seen)
    lightness, _, b = np.median(skin, axis=0)
    typology = np.degrees(np.arctan2(lightness - 50, b))
    grey = float(np.hypot(skin[:, 1], skin[:, 2]).mean()) < GREY
    return np.array([
        seen.mouth_gap < CLOSED and corner_rise(seen) < LEVEL,
        # the angle needs a colour; without one, how bright the skin is has to do
        lightness < 45 if grey else typology < DARK,
        seen.glasses > 0.5,
        abs(seen.pose.yaw) > TURNED,
        grey,
    ])  # fmt: skip


def corner_rise(seen: Perceived) -> float:
    """How far the corners of the mouth lie above the middle between the lips, in interocular distances."""
    left, right = (seen.points[list(eye.corners)].mean(axis=0) for eye in parts.EYES)
    across = right - left
    down = np.array([-across[1], across[0]]) / float(np.hypot(*across)) ** 2
    upper, lower = parts.OUTER_LIP_UPPER, parts.OUTER_LIP_LOWER
    middle = seen.points[[upper[len(upper) // 2], lower[len(lower) // 2]]].mean(axis=0)
    corners = seen.points[[upper[0], upper[-1]]].mean(axis=0)
    return float((middle - corners) @ down)


def _skin(photo: NDArray[np.uint8], seen: Perceived) -> NDArray[np.float64]:
    """The colours of both cheeks, `[N, 3]` in CIELab."""
    size = max(1, round(seen.interocular * _PATCH))
    found = []
    for x, y in seen.points[list(_CHEEKS)]:
        left = min(max(round(x - size / 2), 0), photo.shape[1] - size)
        top = min(max(round(y - size / 2), 0), photo.shape[0] - size)
        found.append(photo[top : top + size, left : left + size].reshape(-1, 3))
    colours = np.concatenate(found).astype(np.float32)[None] / 255
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_RGB2Lab)[0], np.float64)
