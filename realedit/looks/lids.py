"""Nothing else did, at the eyes: lids of another tone than the skin around them, remains of an eye."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.looks.pair import Floats, Mask, Pair, filled, lab
from realedit.perception.points import EYES, Eye

CLOSING = 0.7  # of an eye's opening: one that is less open afterwards was to close
LINE = 0.14  # eye widths along which lashes lie
NEAR, FAR = 0.06, 0.22  # eye widths around the opening between which its skin is
REMAINS = 15.0  # of Lab's lightness: what differs so much from a lid is no lid
FEWEST = 6  # pixels that a lid is told from


def lid_measures(pair: Pair) -> dict[str, float]:
    """Figures of the eyes that closed, of the worse one; none where none did.

    lid tone: by how much a lid's colour differs from the skin around the eye, Lab. lid remains: the share
    of a lid that is much darker or lighter than the rest.
    """
    found: dict[str, float] = {}
    colours = lab(pair.after)
    for eye, old, new in zip(EYES, pair.old.aperture, pair.new.aperture, strict=True):
        if new > CLOSING * old:
            continue
        for name, value in _lid(pair, eye, colours).items():
            found[name] = max(found.get(name, 0.0), value)
    return found


def _lid(pair: Pair, eye: Eye, colours: Floats) -> dict[str, float]:
    outline = pair.points[0][[*eye.upper, *eye.lower[::-1]]]
    width = float(np.hypot(*np.subtract(*pair.points[0][list(eye.corners)])))
    opening = filled(outline, pair.size)
    skin = filled(outline, pair.size, FAR * width) & ~filled(outline, pair.size, NEAR * width)
    lid = opening & ~_lashes(pair, eye, width)
    if min(int(lid.sum()), int(skin.sum())) < FEWEST:
        return {}
    own, beside = np.median(colours[lid], axis=0), np.median(colours[skin], axis=0)
    remains = np.abs(colours[..., 0][lid] - own[0]) > REMAINS
    return {"lid tone": float(np.linalg.norm(own - beside)), "lid remains": float(remains.mean())}


def _lashes(pair: Pair, eye: Eye, width: float) -> Mask:
    """Where the lids meet in the result."""
    middle = (pair.points[1][list(eye.upper)] + pair.points[1][list(eye.lower)]) / 2
    line = np.zeros((pair.size, pair.size), np.uint8)
    corners = [np.rint((middle - 0.5) * 16).astype(np.int32)]
    cv2.polylines(line, corners, False, 1, max(1, round(LINE * width)), shift=4)
    return line > 0
