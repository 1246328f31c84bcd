"""Nothing else did, around the face: the background stays where it is, and glasses stay straight."""

from __future__ import annotations

import numpy as np

from realedit.looks.pair import Floats, Mask, Pair, blur, filled
from realedit.perception.points import EYES, FACE_OVAL

BACKGROUND = 0.2  # of the matte: less is behind the person
STEEP = 0.03  # of white per pixel: things are seen to move at edges
FRAME = 0.05  # of white per pixel: frames of glasses are steeper
SHIFT = 0.02  # interocular distances: what moves less stays
LENSES = 0.62  # interocular distances around an eye, within which glasses lie
LIDS = 0.12  # eye widths around an eye, within which lids move
SURE = 0.5  # that glasses are worn
_BENT = 0.01  # interocular distances: by so much a frame may be off before it counts less


def around_measures(pair: Pair) -> dict[str, float]:
    """Figures of what surrounds the face.

    behind: the area of edges in the background that moved, and behind changed: of background that changed,
    interocular distances squared. bent: the share of the glasses' frames that left
    their shape.
    """
    head = pair.within(FACE_OVAL, wider=0.1) | pair.within(FACE_OVAL, after=True, wider=0.1)
    behind = (pair.person < BACKGROUND) & pair.valid & ~head
    steep = np.maximum(*pair.slopes) > STEEP
    speed = np.hypot(pair.flow[..., 0], pair.flow[..., 1]) / pair.unit
    area = pair.unit**2
    found = {
        "behind": float((behind & steep & pair.changed & (speed > SHIFT)).sum()) / area,
        "behind changed": float((behind & (blur(pair.change, 1.0) > 0.05)).sum()) / area,
    }
    if pair.old.glasses >= SURE:
        found |= _glasses(pair)
    return found


def _glasses(pair: Pair) -> dict[str, float]:
    frames = _frames(pair)
    if frames.sum() < 30 or not (frames & pair.changed).any():
        return {}
    y, x = np.nonzero(frames)
    flow = pair.flow[y, x] / pair.unit
    off = _off_affine(np.column_stack([x, y]) / pair.unit, flow)
    return {"bent": float((off > SHIFT).mean())}


def _frames(pair: Pair) -> Mask:
    """Steep places around the eyes, lids aside."""
    y, x = np.mgrid[: pair.size, : pair.size] + 0.5
    around, lids = np.zeros((2, pair.size, pair.size), bool)
    for eye in EYES:
        ends = pair.points[0][list(eye.corners)]
        middle = ends.mean(axis=0)
        around |= np.hypot(x - middle[0], y - middle[1]) < LENSES * pair.unit
        outline = pair.points[0][[*eye.upper, *eye.lower[::-1]]]
        lids |= filled(outline, pair.size, LIDS * float(np.hypot(*(ends[1] - ends[0]))))
    return np.asarray(around & ~lids & (pair.slopes[0] > FRAME))


def _off_affine(places: Floats, flow: Floats) -> Floats:
    """`[N]`: how far each flow is from the affine motion that most places share (robust least squares)."""
    terms = np.column_stack([np.ones(len(places)), places - places.mean(axis=0)])
    weights, off = np.ones(len(places)), np.zeros(len(places))
    for _ in range(5):
        motion = np.linalg.lstsq(terms * weights[:, None], flow * weights[:, None], rcond=None)[0]
        off = np.hypot(*(flow - terms @ motion).T)
        weights = 1 / np.sqrt(1 + (off / _BENT) ** 2)
    return np.asarray(off)
