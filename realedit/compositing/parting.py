"""Where the places of a mouth go when its lips part, part further or close, and when its corners go down.

The lower lip goes down along a rounded profile, most in its middle, with the jaw. The corners go down a
little as well, and inwards, and the upper lip's sides with them: so the opening is round, not a wedge.
When lips that show teeth close, the laugh that held them apart goes: the mouth gets narrower, and the lips,
which were stretched, thicker. Lips go first, and what they are then goes with the corners. Everything is told
in the mouth's own frame, in mouth widths (see `Mouth`).
"""

from collections.abc import Callable
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from realedit.compositing.eyes import Floats
from realedit.compositing.flow import Array
from realedit.compositing.mouths import NECK, OPEN, XS, Mouth

JAW = 0.65  # of the lower lip's way that the chin goes
# How the lower lip's way falls to the corners, (1 - |2x| ** power) ** steep: closed, and where teeth show.
ROUND = ((2.3, 0.75), (2.0, 1.0))
CORNER_DOWN = (0.3, 0.12)  # of the lower lip's way that the corners go down, the same
CORNER_IN = (0.16, 0.08)  # and inwards
CORNER_WIDE = (0.2, 0.55)  # around a corner within which what is there goes along, at least and at most
CLOSING_IN = (0.3, 0.12)  # how far each corner goes inwards: of the lips' way, and at most of what goes along
THICKER = 0.3  # of their height that lips gain which close by CLOSING_TALL
CLOSING_TALL = 0.15
CORNER_UP, CORNER_LOW = 0.42, 0.6
FROWN_IN = 0.25  # of the way that corners go down by themselves, how far they go inwards
BENT = 1.8  # how a mouth bends whose corners go down by themselves: about as a parabola
APART = 0.4  # of the middle, over which one corner's way turns into the other's
TURNS, SURE = 12, 0.85  # of the search for where a place comes from, and how far each goes


Way = Annotated[float, msgspec.Meta(ge=-2, le=2)]


class Lips(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far down parts of a mouth go, in interocular distances. lower, upper: each lip in its middle; left,
    right: the corner on that side, as the viewer sees it."""

    lower: Way = 0.0
    upper: Way = 0.0
    left: Way = 0.0
    right: Way = 0.0

    @property
    def closing(self) -> float:
        """How far they come nearer to each other, at most: not all of it where they meet before."""
        return max(0.0, -self.lower) + max(0.0, self.upper)

    @property
    def moves_corners(self) -> bool:
        """Whether the mouth's corners go along, or by themselves."""
        return bool(self.lower > 0 or self.closing or self.left or self.right)


def edges(mouth: Mouth, lips: Lips) -> tuple[Floats, Floats]:
    """The heights at `XS` of both lips' inner edges when they went as `lips` says."""
    heights = []
    for edge in (mouth.upper + _upper_way(mouth, lips), mouth.lower + _lower_way(mouth, lips)):
        across, down = _corner_ways(mouth, lips, XS, edge)
        heights.append(np.interp(XS, XS + across, edge + down))
    return heights[0], np.maximum(heights[0], heights[1])


def below_source(mouth: Mouth, lips: Lips, x: Array, y: Array) -> Array:
    """Where what is seen at places below the opening comes from, `[h, w, 2]`: lip, chin, cheeks and neck."""
    return _source(mouth, lips, _jaw_way, x, y)


def above_source(mouth: Mouth, lips: Lips, x: Array, y: Array) -> Array:
    """Where what is seen at places above the opening comes from, `[h, w, 2]`: upper lip, and the skin below
    the nose."""
    return _source(mouth, lips, _nose_way, x, y)


def _source(
    mouth: Mouth, lips: Lips, way: Callable[[Mouth, Lips, Array, Array], Array], x: Array, y: Array
) -> Array:
    """The places from which a lip's way, and then the corners', lead to x and y. Both change by less than
    the place does."""
    x, y = np.broadcast_arrays(x, y)
    from_x, from_y = x.copy(), y.copy()
    for _ in range(TURNS if lips.moves_corners else 0):
        across, down = _corner_ways(mouth, lips, from_x, from_y)
        from_x += SURE * (x - across - from_x)
        from_y += SURE * (y - down - from_y)
    went = from_y.copy()
    for _ in range(TURNS):
        from_y += SURE * (went - way(mouth, lips, from_x, from_y) - from_y)
    return np.asarray(np.stack([from_x, from_y], -1), np.float32)


def _corner_ways(
    mouth: Mouth, lips: Lips, x: NDArray[np.floating], y: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """How far places go to the right and down with the corners: of a mouth that opens, or by themselves."""
    opened = max(0.0, lips.lower) * mouth.unit
    shown = float(np.clip(mouth.gap / OPEN - 1, 0, 1))
    down, inwards = (opened * (low + shown * (high - low)) for low, high in (CORNER_DOWN, CORNER_IN))
    inwards += narrowed(mouth, lips)
    to_right = np.clip(0.5 + x / APART, 0, 1)
    own = mouth.unit * (lips.left + to_right * (lips.right - lips.left))
    wide = _beside(mouth)
    tall = np.where(y < 0, min(CORNER_UP, -mouth.nose), CORNER_LOW)
    along = np.clip(1 - ((np.abs(x) - 0.5) / wide) ** 2 - (y / tall) ** 2, 0, 1) ** 2
    beyond = np.maximum(np.abs(x) - 0.5, 0) / wide
    bent = np.minimum(np.abs(2 * x), 1) ** BENT * np.clip(1 - beyond**2 - (y / tall) ** 2, 0, 1) ** 2
    across = inwards * along + FROWN_IN * own * bent
    return -np.clip(x / 0.3, -1, 1) * across, down * along + own * bent


def narrowed(mouth: Mouth, lips: Lips) -> float:
    """How far each corner goes inwards because lips close; not those that go down by themselves."""
    if lips.left or lips.right:
        return 0.0
    return min(CLOSING_IN[0] * _closed(mouth, lips), CLOSING_IN[1] * _beside(mouth))


def _beside(mouth: Mouth) -> float:
    """How far beside a corner things go along with it."""
    return float(np.clip(mouth.cheek - 0.5, *CORNER_WIDE))


def _closed(mouth: Mouth, lips: Lips) -> float:
    """How far lips come nearer to each other, in the middle."""
    return min(lips.closing * mouth.unit, mouth.gap)


def _thicker(mouth: Mouth, lips: Lips) -> float:
    return THICKER * min(1.0, _closed(mouth, lips) / CLOSING_TALL)


def _lower_way(mouth: Mouth, lips: Lips) -> Floats:
    """How far down the lower lip's edge goes at `XS`, beside what the corners do. Lips that close go no
    farther than to the other one."""
    if lips.lower >= 0:
        power, steep = ROUND[mouth.gap > OPEN]
        return np.asarray(lips.lower * mouth.unit * np.clip(1 - np.abs(2 * XS) ** power, 0, 1) ** steep)
    return _closing(mouth, -lips.lower)


def _upper_way(mouth: Mouth, lips: Lips) -> Floats:
    """How far down the upper lip's edge goes at `XS`, beside what the corners do."""
    return -_closing(mouth, lips.upper)


def _closing(mouth: Mouth, way: float) -> Floats:
    """A lip on its way to the other one, all of it by the same share, up."""
    share = min(1.0, max(0.0, way) * mouth.unit / max(mouth.gap, 1e-6))
    return np.asarray(-share * (mouth.lower - mouth.upper))


def _jaw_way(mouth: Mouth, lips: Lips, x: Array, y: Array) -> Array:
    """How far down each place of the photo goes with the jaw: lip, chin, cheeks and neck."""
    profile, below = at(x, _lower_way(mouth, lips)), at(x, mouth.below)
    down = max(lips.lower * mouth.unit, -mouth.gap)
    jaw = JAW * down * (1 - step((np.abs(x) - 0.2) / (mouth.cheek - 0.2)))
    sunk = step((y - below) / np.maximum(mouth.chin - below, 0.3))
    neck = 1 - step((y - mouth.chin) / (NECK * mouth.chin))
    tall = below - at(x, mouth.lower)
    gained = _thicker(mouth, lips) * np.clip(y - below + tall, 0, tall)
    profile = np.asarray(profile + gained, np.float32)
    return np.asarray((profile + sunk * (jaw - profile)) * neck, np.float32)


def _nose_way(mouth: Mouth, lips: Lips, x: Array, y: Array) -> Array:
    """How far down each place of the photo goes with the upper lip."""
    profile, above = at(x, _upper_way(mouth, lips)), at(x, mouth.above)
    fallen = step((y - mouth.nose) / np.maximum(above - mouth.nose, 0.1))
    tall = at(x, mouth.upper) - above
    gained = _thicker(mouth, lips) * np.clip(above + tall - y, 0, tall)
    profile = np.asarray(profile - gained, np.float32)
    return np.asarray(profile * fallen, np.float32)


def at(x: Array, curve: Floats) -> Array:
    """A curve's heights at x `[h, w]`."""
    return np.asarray(np.interp(x, XS, curve), np.float32)


def step(value: NDArray[np.floating]) -> Array:
    """A smooth step from 0 to 1."""
    value = np.clip(value, 0, 1)
    return np.asarray(value * value * (3 - 2 * value), np.float32)
