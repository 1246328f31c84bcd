"""Did it happen: what each kind of edit should have done to a face, seen on its points before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realedit.looks import figures
from realedit.looks.pair import Pair
from realedit.perception import points as parts
from realedit.perception.seen import Perceived

MATTE = 192  # pixels of the mattes that are compared
SHUT, NEARLY_SHUT = 0.1, 0.15  # eye widths
LEAST = 0.03  # interocular distances: a point that was to go less far is held
AT_POINT = 0.06  # interocular distances: a handle so near to one of the 478 points goes with it
ENOUGH, SOME = 0.5, 0.25  # shares of a point's way


@dataclass(frozen=True)
class Did:
    """How far one thing that was asked happened. share: 1 is what a good edit does at the least, and what
    lies below `weak` did not happen. said: what should have happened."""

    asked: str
    share: float
    weak: float
    said: str

    @property
    def grade(self) -> str:
        """good, weak or bad."""
        return "good" if self.share >= 1 else "weak" if self.share >= self.weak else "bad"


@dataclass(frozen=True)
class Effect:
    """A kind of edit. done: from the face before and after, and the strength's sign, to a figure that grows
    with what was asked; good, weak: what it is at the least in a good and in a weak edit at strength 1."""

    done: Callable[[Perceived, Perceived], float]
    good: float
    weak: float
    said: str


def _by(figure: Callable[[Perceived], float], sign: float = 1.0) -> Callable[[Perceived, Perceived], float]:
    """How much a figure grew."""
    return lambda old, new: sign * (figure(new) - figure(old))


def _wider_open(old: Perceived, new: Perceived) -> float:
    """By what share the eyes opened, both together."""
    return sum(figures.eyes_open(new)) / max(sum(figures.eyes_open(old)), 0.04) - 1


def _smile_and_gap(old: Perceived, new: Perceived) -> float:
    """How far the corners rose, and no more than the lips are apart now."""
    return min(figures.corners_up(new) - figures.corners_up(old), new.mouth_gap)


def _hair_up(old: Perceived, new: Perceived) -> float:
    """How far the top of the person rose above the forehead, as the mattes say."""
    left, right = (old.points[list(eye.corners)].mean(axis=0) for eye in parts.EYES)
    middle = old.view.to_crop([(left + right) / 2], 1)[0]
    unit = old.interocular / old.view.side
    one, other = (each.matte(old.view, MATTE) for each in (old, new))
    rows = slice(0, max(1, round(MATTE * (middle[1] - 0.6 * unit))))
    across = slice(*(max(0, round(MATTE * (middle[0] + side * 0.8 * unit))) for side in (-1, 1)))
    gained = (other - one)[rows, across].sum(axis=0)
    return float(gained.mean()) / (MATTE * unit) if gained.size else 0.0


EFFECTS: dict[str, Effect] = {
    "smile": Effect(_by(figures.corners_up), 0.04, 0.009, "the corners of the mouth were to rise"),
    "smile-with-teeth": Effect(_smile_and_gap, 0.04, 0.009, "the mouth was to smile with its lips apart"),
    "tilt-left": Effect(_by(lambda seen: seen.pose.roll, -1), 3.0, 1.0, "the head was to lean to the left"),
    "tilt-right": Effect(_by(lambda seen: seen.pose.roll), 3.0, 1.0, "the head was to lean to the right"),
    "open-eyes": Effect(_wider_open, 0.1, 0.04, "the eyes were to open wider"),
    "bigger-eyes": Effect(_wider_open, 0.1, 0.04, "the eyes were to become larger"),
    "open-mouth": Effect(_by(lambda seen: seen.mouth_gap), 0.12, 0.05, "the lips were to come apart"),
    "raise-brows": Effect(_by(figures.brows_up), 0.03, 0.012, "the brows were to rise"),
    "slim-jaw": Effect(_by(figures.jaw_width, -1), 0.03, 0.012, "the jaw was to become slimmer"),
    "wide-jaw": Effect(_by(figures.jaw_width), 0.03, 0.012, "the jaw was to become wider"),
    "longer-chin": Effect(_by(figures.chin_down), 0.05, 0.015, "the chin was to become longer"),
    "smaller-nose": Effect(_by(figures.nose_width, -1), 0.045, 0.01, "the nose was to become smaller"),
    "hair-volume": Effect(_hair_up, 0.05, 0.015, "the hair was to become higher"),
    "look-up": Effect(_by(lambda seen: seen.pose.pitch, -1), 3.0, 1.5, "the head was to tilt back"),
    "look-down": Effect(_by(lambda seen: seen.pose.pitch), 3.0, 1.5, "the head was to tilt forwards"),
    "turn-left": Effect(_by(lambda seen: seen.pose.yaw, -1), 4.5, 2.0, "the head was to turn to the left"),
    "turn-right": Effect(_by(lambda seen: seen.pose.yaw), 4.5, 2.0, "the head was to turn to the right"),
}
"""By the names of recipes; both ways, where a strength below 0 asks for the opposite."""

# Interocular distances of the mouth's corners over the lips' middle.
LEVEL, REST, BROAD = 0.0, 0.05, 0.1  # at the most where nobody smiles, at rest, and below a broad smile
FELL = 0.014  # what they fall at the least
PARTED = 0.03  # interocular distances: lips that are less far apart are closed
OTHER = 0.75  # of an open eye: less of it is seen to close


def happened(pair: Pair, name: str, strength: float) -> Did | None:
    """What became of the recipe `name`; None where nothing is known of such."""
    if name in EFFECTS:
        effect = EFFECTS[name]
        much = min(1.0, abs(strength))
        done = effect.done(pair.old, pair.new) * (1 if strength >= 0 else -1)
        return Did(name, done / (effect.good * max(much, 0.1)), effect.weak / effect.good, effect.said)
    special = {"frown": _fell, "serious": _fell, "close-mouth": _closed}
    if name in special and strength > 0:
        return special[name](pair, name, strength)
    if name in _EYES and strength > 0:
        return _shut(pair, name, strength)
    return None


_EYES = {"close-eyes": (0, 1), "wink-left": (0,), "wink-right": (1,)}


def _shut(pair: Pair, name: str, strength: float) -> Did:
    """At full strength eyes are shut; below it they close by as much of their opening."""
    before, after = figures.eyes_open(pair.old), figures.eyes_open(pair.new)
    which = _EYES[name]
    if strength >= 0.95:
        most = max(after[i] for i in which)
        share = 1.0 if most <= SHUT else 0.75 if most <= NEARLY_SHUT else 0.0
    else:
        share = min((1 - after[i] / max(before[i], 0.02)) / (0.7 * strength) for i in which)
    others = [i for i in (0, 1) if i not in which]
    if any(after[i] < OTHER * before[i] for i in others):
        share = min(share, 0.0)
    return Did(name, share, 0.5, "the eyes were to shut" if len(which) == 2 else "one eye was to shut")


def _fell(pair: Pair, name: str, strength: float) -> Did:
    """A frown's corners end below the lips' middle; a smile that goes leaves hardly any."""
    before, after = figures.corners_up(pair.old), figures.corners_up(pair.new)
    end = LEVEL if name == "frown" else REST
    much = min(1.0, strength)
    if before - after < FELL * much:
        share = (before - after) / (2 * FELL * much)
    elif after <= end or strength < 0.95:
        share = 1.0
    else:
        share = 0.75 if after < BROAD else 0.25
    said = "the corners of the mouth were to fall" if name == "frown" else "the smile was to go"
    return Did(name, share, 0.5, said)


def _closed(pair: Pair, name: str, strength: float) -> Did:
    before, after = pair.old.mouth_gap, pair.new.mouth_gap
    if after <= max(PARTED, (1 - strength) * before * 1.3):
        share = 1.0
    else:
        share = 0.9 * (before - after) / max(before, 1e-6)
    return Did(name, share, 0.5, "the lips were to meet")


def followed(pair: Pair, handles: NDArray[np.floating], targets: NDArray[np.floating]) -> Did | None:
    """How far what lay at handles `[K, 2]` went towards the targets, photo pixels.

    As the 478 points near them did, or as the picture did at the target. None where nothing was to go far
    enough to tell.
    """
    shares = [
        share
        for handle, target in zip(handles, targets, strict=True)
        if np.hypot(*(target - handle)) >= LEAST * pair.old.interocular
        for share in [_followed(pair, handle, target)]
    ]
    if not shares:
        return None
    return Did(
        "drag",
        float(np.mean(shares)) / ENOUGH,
        SOME / ENOUGH,
        "the points were to go where they were dragged",
    )


def _followed(pair: Pair, handle: NDArray[np.floating], target: NDArray[np.floating]) -> float:
    way = target - handle
    length = float(way @ way)
    apart = np.hypot(*(pair.old.points - handle).T)
    nearest = int(apart.argmin())
    shares = [0.0]
    if apart[nearest] < AT_POINT * pair.old.interocular:
        shares.append(float((pair.new.points[nearest] - pair.old.points[nearest]) @ way) / length)
    ends = pair.view.to_crop(np.stack([handle, target]), pair.size)
    x, y = np.rint(ends[1] - 0.5).astype(int)
    near = pair.flow[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].reshape(-1, 2)
    if len(near):
        across = ends[1] - ends[0]
        shares.append(float(-near.mean(axis=0) @ across / (across @ across)))
    return max(shares)


def worst(done: Sequence[Did]) -> str:
    """The worst grade of several; good of none."""
    order = ("good", "weak", "bad")
    return max((each.grade for each in done), key=order.index, default="good")
