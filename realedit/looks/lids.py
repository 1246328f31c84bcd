"""Nothing else did, at the eyes: lids of another tone than the skin around them, remains of an eye."""

from __future__ import annotations

import cv2
import numpy as np

from realedit.looks.figures import eyes_open
from realedit.looks.pair import Floats, Mask, Pair, blur, filled
from realedit.perception.points import EYES, Eye

SHUT = 0.15  # eye widths between lids that are shut, or nearly
CLOSING = 0.7  # of an eye's opening: one that is less open afterwards was to close
LINE = 0.14  # eye widths along which lashes lie
NEAR, FAR = 0.06, 0.22  # eye widths around the opening between which its skin is
REMAINS = 15.0  # of Lab's lightness: what differs so much from a lid is no lid
FEWEST = 6  # pixels that a lid is told from
CURVE = 32  # places along a rim
FAINT = 0.005  # of white per pixel: rims are no fainter
RIM = np.arange(-0.06, 0.28, 0.03)  # eye widths above the open eye's upper rim: a line may be left there
ABOVE, BROW = 0.12, 0.3  # eye widths above that rim between which the skin under the brow lies


def lid_measures(pair: Pair) -> dict[str, float]:
    """Figures of the eyes that closed, of the worse one; none where none did. The last two of eyes that shut.

    lid tone: by how much a lid's colour differs from the skin around the eye, Lab. lid remains: the share
    of a lid that is much darker or lighter than the rest. lid outline: how steep the steepest line along the
    open eye's upper rim is, as a share of how steep it was: a lid that unfolds takes the rim with it, and one
    that is a patch ends in a line there. lid smear: how much of the skin under the brow is new, besides what
    moved there.
    """
    found: dict[str, float] = {}
    closed = zip(EYES, pair.old.aperture, pair.new.aperture, eyes_open(pair.new), strict=True)
    for eye, old, new, left in closed:
        if new > CLOSING * old:
            continue
        for name, value in (_lid(pair, eye) | (_rim(pair, eye) if left <= SHUT else {})).items():
            found[name] = max(found.get(name, 0.0), value)
    return found


def _lid(pair: Pair, eye: Eye) -> dict[str, float]:
    colours = pair.colours[1]
    outline = pair.points[0][[*eye.upper, *eye.lower[::-1]]]
    width = _width(pair, eye)
    opening = filled(outline, pair.size)
    skin = filled(outline, pair.size, FAR * width) & ~filled(outline, pair.size, NEAR * width)
    lid = opening & ~_lashes(pair, eye, width)
    if min(int(lid.sum()), int(skin.sum())) < FEWEST:
        return {}
    own, beside = np.median(colours[lid], axis=0), np.median(colours[skin], axis=0)
    remains = np.abs(colours[..., 0][lid] - own[0]) > REMAINS
    return {"lid tone": float(np.linalg.norm(own - beside)), "lid remains": float(remains.mean())}


def _rim(pair: Pair, eye: Eye) -> dict[str, float]:
    rim, width = pair.points[0][list(eye.upper)], _width(pair, eye)
    lines = [_steepest(slopes, rim, width) for slopes in pair.slopes]
    return {
        "lid outline": lines[1] / max(lines[0], FAINT),
        "lid smear": float(pair.added[_above(rim, width, pair.size)].mean()),
    }


def _steepest(slopes: Floats, rim: Floats, width: float) -> float:
    """The mean slope along the steepest of the curves that lie above an upright eye's rim as it runs."""
    along = np.linspace(0, len(rim) - 1, CURVE)
    x, y = (np.interp(along, np.arange(len(rim)), rim[:, axis]) for axis in (0, 1))
    places = np.broadcast_to(x, (len(RIM), CURVE)), y - RIM[:, None] * width
    left, top = (max(0, int(each.min() - width / 4)) for each in places)
    near = slopes[top : int(places[1].max() + width / 4), left : int(x.max() + width / 4)]
    map_x, map_y = (np.asarray(a - b - 0.5, np.float32) for a, b in zip(places, (left, top), strict=True))
    return float(cv2.remap(blur(near, 0.03 * width), map_x, map_y, cv2.INTER_LINEAR).mean(axis=1).max())


def _above(rim: Floats, width: float, size: int) -> Mask:
    up = np.array([0.0, width])
    return filled(np.vstack([rim - ABOVE * up, (rim - BROW * up)[::-1]]), size)


def _width(pair: Pair, eye: Eye) -> float:
    return float(np.hypot(*np.subtract(*pair.points[0][list(eye.corners)])))


def _lashes(pair: Pair, eye: Eye, width: float) -> Mask:
    """Where the lids meet in the result."""
    middle = (pair.points[1][list(eye.upper)] + pair.points[1][list(eye.lower)]) / 2
    line = np.zeros((pair.size, pair.size), np.uint8)
    corners = [np.rint((middle - 0.5) * 16).astype(np.int32)]
    cv2.polylines(line, corners, False, 1, max(1, round(LINE * width)), shift=4)
    return line > 0
