"""Nothing else did, anywhere: colours, hard borders, sharpness and things that were not there."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.compositing.tone import Tone
from realedit.looks.pair import Floats, Mask, Pair, blur, gradient, highest, lab, luma
from realedit.perception.points import EYES, FACE_OVAL, INNER_LIP_LOWER, INNER_LIP_UPPER

CELL = 4.0  # of Lab's a and b: colours within one count as one
RARE = 0.0005  # share of the face that a colour needs to be one of its own
STRANGE = 10.0  # of a and b: so far from every colour of the face it is none of its own
FRESH = 0.06  # of white: what differs by so much from what moved there is new
SLACK = 0.01  # of white per pixel: edges that are no steeper are none


def surface_measures(pair: Pair) -> dict[str, float]:
    """Figures of what changed; none where nothing did. Lengths are interocular distances.

    new, new beyond: the area of what is new, besides what moved there, on the face (its eyes and what is
    between the lips aside) and outside of it. seam: the step at the changed region's border. edges: the
    length, times the steepness, of edges beyond the face that were not there. softer, rougher: the logarithm
    of how much fine contrast the face lost or won. strange: the area of colours that the face had not.
    coloured: how far colours leave the tones of a photo that had none of its own, share of white.
    """
    if not pair.changed.any():
        return {}
    head = pair.within(FACE_OVAL, after=True)
    features = pair.closed(INNER_LIP_UPPER, INNER_LIP_LOWER, after=True, wider=0.02)
    for eye in EYES:
        features |= pair.closed(eye.upper, eye.lower, wider=0.04)
    skin, beyond = head & ~features, ~head & pair.valid
    fresh = pair.added > FRESH
    edges = _edges(pair)
    softer, rougher = _sharpness(pair, skin)
    found = {
        "new": float((fresh & skin).sum()) / pair.unit**2,
        "new beyond": float((fresh & beyond).sum()) / pair.unit**2,
        "seam": _seam(pair),
        "edges": float(edges[beyond].sum()) / pair.unit,
        "softer": softer,
        "rougher": rougher,
        "strange": _strange(pair, head),
    }
    tone = Tone.of(pair.before)
    if tone is not None:
        step = pair.after - pair.before
        off = np.abs(step - tone.along(pair.before, np.asarray(step, np.float32))).max(axis=2)
        found["coloured"] = highest(blur(off, 1.0)[pair.changed], 0.01)
    return found


def _edges(pair: Pair) -> Floats:
    """`[S, S]`: how much steeper the result is than the photo anywhere near, moved or not."""
    side = 2 * max(1, round(0.03 * pair.unit)) + 1
    near = np.ones((side, side), np.uint8)
    new, old, moved = (gradient(blur(each, 0.6)) for each in (pair.after, pair.before, pair.moved))
    known = np.maximum(cv2.dilate(old, near), cv2.dilate(moved, near))
    return np.asarray(np.clip(new - known - SLACK, 0, None) * pair.changed)


def _seam(pair: Pair) -> float:
    """The change along the border of what changed, where it should have faded out: the most, nearly."""
    kernel = np.ones((5, 5), np.uint8)
    changed = cv2.morphologyEx(pair.changed.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    changed = cv2.morphologyEx(changed, cv2.MORPH_OPEN, kernel)
    inside = cv2.erode(pair.valid.astype(np.uint8), np.ones((9, 9), np.uint8), borderValue=1) > 0
    border = (changed > cv2.erode(changed, np.ones((3, 3), np.uint8))) & inside  # not the photo's own edge
    return highest(blur(pair.change, 1.0)[border], 0.05)


def _sharpness(pair: Pair, skin: Mask) -> tuple[float, float]:
    width = max(3.0, 0.12 * pair.unit)

    def fine(picture: Floats) -> Floats:
        grey = luma(picture)
        return blur((grey - blur(grey, 1.2)) ** 2, width) + 2e-6

    ratio = np.log(fine(pair.after) / fine(pair.moved)) / 2
    where = (blur(pair.changed.astype(np.float32), width) > 0.8) & skin
    return highest(-ratio[where], 0.05), highest(ratio[where], 0.05)


def _strange(pair: Pair, head: Mask) -> float:
    def cells(colours: Floats) -> tuple[np.ndarray, ...]:
        places = np.clip((colours[..., 1:] + 128) / CELL, 0, 256 / CELL - 1).astype(int)
        return places[..., 0], places[..., 1]

    face, where = pair.within(FACE_OVAL), head & pair.changed
    if not (face.any() and where.any()):
        return 0.0
    count = np.zeros((int(256 / CELL),) * 2, np.float32)
    np.add.at(count, cells(pair.colours[0][face]), 1)
    away = cv2.distanceTransform((count <= RARE * face.sum()).astype(np.uint8), cv2.DIST_L2, 5) * CELL
    return float((away[cells(lab(blur(pair.after, 1.0))[where])] > STRANGE).sum()) / pair.unit**2
