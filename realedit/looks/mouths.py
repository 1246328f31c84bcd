"""Nothing else did, at the mouth: lips that swell, turn pale or disappear, and what is between them."""

from __future__ import annotations

import numpy as np

from realedit.looks.pair import Floats, Mask, Pair, blur, highest
from realedit.perception.points import (
    INNER_LIP_LOWER,
    INNER_LIP_UPPER,
    OUTER_LIP_LOWER,
    OUTER_LIP_UPPER,
    Curve,
)

FEWEST = 8  # pixels that a colour is told from
DARK = 0.6  # of the lips' lightness: what is between lips and darker is the mouth's inside
PALE, LIGHT = (
    0.65,
    0.9,
)  # teeth have at most this share of the lips' colour, and at least this of their lightness
SHADE = 0.35  # of a difference of lightness counts: lips that tilt get into another light
BESIDE = 0.35  # interocular distances around the lips that belong to the mouth
OPENED = 0.15  # interocular distances between lips that are wide apart
TEETH = 0.03  # interocular distances squared: fewer teeth than a mouth shows that is so wide open
_MIDDLE = slice(3, 8)  # of a lip's eleven points


def mouth_measures(pair: Pair) -> dict[str, float]:
    """Figures of a mouth that changed; none where the lips' surroundings are as they were.

    lip height: how much thicker (or thinner) a lip became, the larger share of both. lip tone: by how much a
    lip's middle colour differs from what it was, Lab, lightness counting less. slab: how much more there is
    between the lips that is neither dark nor teeth, interocular distances squared. hole: of a mouth that
    opened, how many of the teeth it should show are not there, as a share. teeth: how much longer they show.
    stains: how much of what is between the lips has a hue that the lips have not. torn: what is new on lips,
    besides what moved and what covers the photo's own opening. smear: what is new on the skin beside them.
    """
    around = pair.closed(OUTER_LIP_UPPER, OUTER_LIP_LOWER, after=True, wider=BESIDE)
    if not (around & pair.changed).any():
        return {}
    colours = pair.colours
    found = _lips(pair, colours)
    old = _inside(pair, colours[0], colours[0], after=False)
    new = _inside(pair, colours[1], colours[0], after=True)
    found["slab"] = new["other"] - old["other"]
    if pair.new.mouth_gap > max(OPENED, pair.old.mouth_gap):
        found["hole"] = max(0.0, 1 - new["teeth"] / TEETH)
    found["teeth"] = new["long"] - old["long"] if old["teeth"] > 0 else 0.0
    found["stains"] = new["stained"] - old["stained"]
    inside = pair.closed(INNER_LIP_UPPER, INNER_LIP_LOWER, after=True, wider=0.02)
    lips = pair.closed(OUTER_LIP_UPPER, OUTER_LIP_LOWER, after=True) & ~inside
    covered = pair.closed(INNER_LIP_UPPER, INNER_LIP_LOWER, wider=0.02)
    found["torn"] = highest(pair.added[lips & ~covered], 0.05)
    found["smear"] = highest(pair.added[around & ~lips & ~inside], 0.02)
    return found


def _lips(pair: Pair, colours: tuple[Floats, Floats]) -> dict[str, float]:
    heights, tones = [], []
    for outer, inner in ((OUTER_LIP_UPPER, INNER_LIP_UPPER), (OUTER_LIP_LOWER, INNER_LIP_LOWER)):
        old, new = (_thickness(points, outer, inner) for points in pair.points)
        heights.append(float(new / max(old, 0.02 * pair.unit)))
        masks = [pair.closed(outer, inner, after=after, wider=-0.015) for after in (False, True)]
        if min(int(mask.sum()) for mask in masks) < FEWEST:
            continue
        one, other = (np.median(colour[mask], axis=0) for colour, mask in zip(colours, masks, strict=True))
        tones.append(float(np.linalg.norm((other - one) * (SHADE, 1, 1))))
    return {"upper lip": heights[0], "lower lip": heights[1], "lip tone": max(tones, default=0.0)}


def _thickness(points: Floats, outer: Curve, inner: Curve) -> float:
    apart = points[list(outer)] - points[list(inner)]
    return float(np.hypot(*apart[_MIDDLE].T).mean())


def _inside(pair: Pair, colours: Floats, of_lips: Floats, *, after: bool) -> dict[str, float]:
    """What is between the lips of a picture in Lab. of_lips: the photo's colours, which say what lips are
    like."""
    lips = pair.closed(OUTER_LIP_UPPER, OUTER_LIP_LOWER) & ~pair.closed(INNER_LIP_UPPER, INNER_LIP_LOWER)
    inside = pair.closed(INNER_LIP_UPPER, INNER_LIP_LOWER, after=after)
    nothing = dict.fromkeys(("other", "long", "teeth", "stained"), 0.0)
    if min(int(lips.sum()), int(inside.sum())) < FEWEST:
        return nothing
    lip = np.median(of_lips[lips], axis=0)
    lightness, strength = colours[..., 0], np.hypot(colours[..., 1], colours[..., 2])
    dark = inside & (lightness < DARK * lip[0])
    teeth = inside & ~dark & _like_teeth(lightness, strength, lip)
    area = pair.unit**2
    return {
        "other": float((inside & ~dark & ~teeth).sum() / area),
        "long": highest(teeth.sum(axis=0)[teeth.any(axis=0)].astype(float), 0.2) / pair.unit,
        "teeth": float(teeth.sum() / area),
        "stained": float((inside & _stained(colours, strength, lip)).sum() / area),
    }


def _like_teeth(lightness: Floats, strength: Floats, lip: Floats) -> Mask:
    return np.asarray((strength < PALE * float(np.hypot(*lip[1:])) + 2) & (lightness > LIGHT * lip[0]))


def _stained(colours: Floats, strength: Floats, lip: Floats) -> Mask:
    """Colours of another hue than lips and teeth have: purple, green, blue."""
    hue = np.degrees(np.arctan2(colours[..., 2], colours[..., 1]))
    off = np.abs((hue - np.degrees(np.arctan2(lip[2], lip[1])) + 180) % 360 - 180)
    return np.asarray((blur(strength, 0.7) > 8) & (off > 50) & ((hue > 110) | (hue < -10)))
