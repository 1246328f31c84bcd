"""Figures of a face, from its points: the height of the mouth's corners, how open the eyes are, and so on.

Lengths are interocular distances, in a frame of the face itself.
"""

from __future__ import annotations

import numpy as np

from realedit.looks.pair import Floats
from realedit.perception import points as parts
from realedit.perception.seen import Perceived

_JAW = ((172, 397), (136, 365), (58, 288))  # the jaw's sides from the corners towards the chin
_NOSTRILS = (64, 294)


def corners_up(seen: Perceived) -> float:
    """How far the mouth's corners lie above the middle between the lips' inner edges, their mean."""
    frame = upright(seen)
    middle = frame[[13, 14], 1].mean()
    return float(middle - frame[[61, 291], 1].mean())


def mouth_width(seen: Perceived) -> float:
    """From corner to corner."""
    return float(np.hypot(*(upright(seen)[291] - upright(seen)[61])))


def lips_height(seen: Perceived) -> float:
    """How thick both lips are in their middle, without what is between them."""
    y = upright(seen)[:, 1]
    return float(y[13] - y[0] + y[17] - y[14])


def eyes_open(seen: Perceived) -> tuple[float, float]:
    """How far the lids of each eye are apart, in widths of that eye; up to 0.1 it is shut."""
    frame = upright(seen)
    left, right = (
        gap / max(float(np.hypot(*np.subtract(*frame[list(eye.corners)]))), 1e-6)
        for gap, eye in zip(seen.aperture, parts.EYES, strict=True)
    )
    return left, right


def brows_up(seen: Perceived) -> float:
    """How far the brows lie above the eyes' corners, the mean of both."""
    y = upright(seen)[:, 1]
    return float(
        np.mean(
            [y[list(eye.corners)].mean() - y[[*eye.brow_upper, *eye.brow_lower]].mean() for eye in parts.EYES]
        )
    )


def jaw_width(seen: Perceived) -> float:
    """The jaw's width below the ears, the mean of three places."""
    x = upright(seen)[:, 0]
    return float(np.mean([x[right] - x[left] for left, right in _JAW]))


def chin_down(seen: Perceived) -> float:
    """From the nose's base to the chin."""
    y = upright(seen)[:, 1]
    return float(y[parts.CHIN] - y[2])


def nose_width(seen: Perceived) -> float:
    """Between the nostrils' wings."""
    x = upright(seen)[:, 0]
    return float(x[_NOSTRILS[1]] - x[_NOSTRILS[0]])


def nose_aside(seen: Perceived) -> float:
    """How far the nose's tip lies to the viewer's right of the middle between the cheekbones."""
    x = upright(seen)[:, 0]
    return float(x[parts.NOSE_TIP] - (x[234] + x[454]) / 2)


def upright(seen: Perceived) -> Floats:
    """The points `[478, 2]` in a frame of the face: the middle of the eyes is its origin, x goes along the
    eyes to the viewer's right, y down; interocular distances."""
    left, right = (seen.points[list(eye.corners)].mean(axis=0) for eye in parts.EYES)
    across = (right - left) / max(float(np.hypot(*(right - left))), 1e-9)
    axes = np.array([across, [-across[1], across[0]]])
    return np.asarray((seen.points - (left + right) / 2) @ axes.T / max(seen.interocular, 1e-9))
