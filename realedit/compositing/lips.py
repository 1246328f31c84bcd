"""Lips that part, close, or part further: each slides whole, jaw and chin follow, and what comes to light
is drawn.

The lower lip goes down along a rounded profile, most in its middle and not at all at the corners; the jaw
follows, fading towards the cheeks and below the chin. Teeth that the photo shows stay with the upper lip.
Where nothing of the photo is known there is the darkness of a mouth, a tongue and, between lips that were
closed, the edge of the upper teeth, in the light of this photo.
"""

from collections.abc import Callable, Sequence
from typing import Annotated

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from realedit.compositing.eyes import Floats
from realedit.compositing.flow import Array
from realedit.compositing.layers import Layer, Slide
from realedit.compositing.mouths import NECK, OPEN, XS, Light, Mouth
from realedit.photos import Box, Photo

# Lengths are mouth widths.
JAW = 0.65  # of the lower lip's way that the chin goes
FINEST = 100  # places per mouth width at which a motion is worked out
SOFT = 1.5  # photo pixels over which an edge is soft
ROUND, ROUND_OPEN = 2.5, 2.0  # how angular the lower lip's way is; less so where teeth show up to the corners
SEAM = 0.02  # of the shadow between lips that meet
EDGES = np.array([0.0, 0.082, 0.146, 0.208, 0.262, 0.308])  # between teeth, from the middle to a side

# Colours, in shares of the skin's brightness.
DARK = np.array([0.30, 0.11, 0.10])
TONGUE = np.array([0.72, 0.36, 0.34])
ENAMEL = np.array([1.0, 0.965, 0.9])  # of what is white
DIM = 0.35  # of the photo's grain that is seen in the dark


Way = Annotated[float, msgspec.Meta(ge=-2, le=2)]


class Lips(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """lower: how far the lower lip goes down in its middle, in interocular distances; upper: how far the
    upper one does."""

    lower: Way = 0.0
    upper: Way = 0.0


def lips_slide(photo: Photo, points: Floats, lips: Lips) -> Slide | None:
    """The slide of a mouth; None where nothing moves."""
    mouth = Mouth.of(points)
    box = mouth.box(photo)
    if lips == Lips() or box is None:
        return None
    light, mouth = Light.of(photo, points), mouth.fitted(photo)
    if min(lips.lower, -lips.upper) < 0:
        mouth = mouth.inset()
    return Slide(box, lambda part: _layers(mouth, light, lips, part))


def _layers(mouth: Mouth, light: Light, lips: Lips, box: Box) -> Sequence[Layer]:
    """The mouth's inside, the lower lip with the jaw, and the upper lip."""
    x, y = _grid(mouth, box)
    upper, lower = (_at(x, each) for each in (mouth.upper, mouth.lower))
    new = lower + _at(x, lower_way(mouth, lips))
    layers = []
    if lips.lower > 0 and bool(((y > upper) & (y < new + 0.02)).any()):
        layers.append(_inside(mouth, light, x, y, new, float(lower_way(mouth, lips).max())))
    if lips.lower:
        cover = np.clip((y - new) * mouth.width / SOFT + 0.5, 0, 1)
        layers.append(_slid(mouth, cover, _coarsely(mouth, box, lambda x, y: _jaw_way(mouth, lips, x, y))))
    if lips.upper:
        edge = upper + _at(x, upper_way(mouth, lips))
        cover = np.clip((edge - y) * mouth.width / SOFT + 0.5, 0, 1)
        layers.append(_slid(mouth, cover, _coarsely(mouth, box, lambda x, y: _nose_way(mouth, lips, x, y))))
    shut = float(np.clip((lips.upper - lips.lower) * mouth.unit / max(mouth.gap, 1e-6), 0, 1))
    if shut and mouth.gap > OPEN:
        layers.append(_seam(x, y, new, shut))
    return layers


def _grid(mouth: Mouth, box: Box, step: int = 1) -> tuple[Array, Array]:
    """Places in the frame, `[h, w]` each, of the middles of cells of `step` pixels, counted from the
    photo's corner: those that a box touches, and one more on each side where they are larger than
    pixels."""
    around = 0 if step == 1 else 1
    columns, rows = (
        step * (np.arange(low // step - around, -(-high // step) + around) + 0.5)
        for low, high in ((box[0], box[2]), (box[1], box[3]))
    )
    across, down = columns - mouth.origin[0], (rows - mouth.origin[1])[:, None]
    (a, b), (c, d) = mouth.turn / mouth.width**2
    return _float(across * a + down * b), _float(across * c + down * d)


def _coarsely(mouth: Mouth, box: Box, way: Callable[[Array, Array], Array]) -> Array:
    """A smooth function of places, `[h, w]`, worked out at few of them."""
    step = max(1, round(mouth.width / FINEST))
    if step == 1:
        return way(*_grid(mouth, box))
    seen = way(*_grid(mouth, box, step))
    whole = cv2.resize(seen, (seen.shape[1] * step, seen.shape[0] * step), interpolation=cv2.INTER_LINEAR)
    left, top = (low - (low // step - 1) * step for low in box[:2])
    return np.asarray(whole[top : top + box[3] - box[1], left : left + box[2] - box[0]], np.float32)


def _slid(mouth: Mouth, cover: NDArray[np.floating], way: Array) -> Layer:
    """What went down by `way`, in mouth widths."""
    shift = np.where(cover > 0, -way, np.float32(0))
    offset = np.stack([-shift * np.float32(mouth.axis[1]), shift * np.float32(mouth.axis[0])], -1)
    return Layer(_float(cover), _float(offset))


def lower_way(mouth: Mouth, lips: Lips) -> Floats:
    """How far down the lower lip's edge goes at `XS`. Lips that close go no farther than to the other one."""
    if lips.lower >= 0:
        power = ROUND if mouth.gap <= OPEN else ROUND_OPEN
        return np.asarray(lips.lower * mouth.unit * np.clip(1 - np.abs(2 * XS) ** power, 0, 1))
    return _closing(mouth, -lips.lower)


def upper_way(mouth: Mouth, lips: Lips) -> Floats:
    """How far down the upper lip's edge goes at `XS`."""
    return -_closing(mouth, lips.upper)


def _closing(mouth: Mouth, way: float) -> Floats:
    """A lip on its way to the other one, all of it by the same share, up."""
    share = min(1.0, max(0.0, way) * mouth.unit / max(mouth.gap, 1e-6))
    return np.asarray(-share * (mouth.lower - mouth.upper))


def _jaw_way(mouth: Mouth, lips: Lips, x: Array, y: Array) -> Array:
    """How far down what is seen at each place has come: lip, chin, cheeks and neck."""
    profile, below = _at(x, lower_way(mouth, lips)), _at(x, mouth.below)
    down = max(lips.lower * mouth.unit, -mouth.gap)
    jaw = JAW * down * (1 - _step((np.abs(x) - 0.2) / (mouth.cheek - 0.2)))
    moved = np.zeros_like(y)
    for _ in range(12):  # it changes by less than half of what the place does
        source = y - moved
        sunk = _step((source - below) / np.maximum(mouth.chin - below, 0.3))
        neck = 1 - _step((source - mouth.chin) / (NECK * mouth.chin))
        moved = _float((profile + sunk * (jaw - profile)) * neck)
    return moved


def _nose_way(mouth: Mouth, lips: Lips, x: Array, y: Array) -> Array:
    """How far down what is seen at each place has come: upper lip, and the skin below the nose."""
    profile, above = _at(x, upper_way(mouth, lips)), _at(x, mouth.above)
    moved = np.zeros_like(y)
    for _ in range(20):
        fallen = _step((y - moved - mouth.nose) / np.maximum(above - mouth.nose, 0.1))
        moved = _float((moved + profile * fallen) / 2)
    return moved


def _at(x: Array, curve: Floats) -> Array:
    """A curve's heights at x `[h, w]`."""
    return _float(np.interp(x, XS, curve))


def _seam(x: Array, y: Array, new: Array, shut: float) -> Layer:
    """The shadow where lips that were apart meet."""
    near = np.exp(-(((y - new) / SEAM) ** 2)) * np.clip((0.5 - np.abs(x)) / 0.1, 0, 1)
    gain = 1 - 0.45 * shut**4 * np.where(near > 0.01, near, 0)
    return Layer(_float(near > 0.01), gain=_float(gain))


def _inside(mouth: Mouth, light: Light, x: Array, y: Array, new: Array, gap: float) -> Layer:
    """What comes to light between the lips: darkness, a tongue, and the upper teeth's edge where lips
    were closed."""
    shown = mouth.gap > OPEN  # the photo's own teeth stay
    start = _at(x, mouth.lower if shown else (mouth.upper + mouth.lower) / 2)
    under, over = y - start, new - y  # below the upper edge, and above the lower lip
    picture = _cavity(light, x, under, over, gap)
    if not shown:
        teeth, cover = _teeth(light, x, under, gap, SOFT / mouth.width)
        picture = picture + cover[..., None] * (teeth - picture)
    picture = light.toned(picture)
    pixel = SOFT / mouth.width
    inside = np.clip(under / pixel + 0.5, 0, 1) * (over > -2 * pixel) * (np.abs(x) < 0.5)
    painted = _float(inside)
    return Layer(_float(inside > 0), paint=_float(picture), painted=painted, grain=DIM * painted)


def _cavity(light: Light, x: Array, under: Array, over: Array, gap: float) -> Floats:
    """Darkness and the tongue, sRGB `[h, w, 3]`."""
    depth = np.clip(np.minimum(under, over) / 0.08, 0, 1) * np.clip(1 - np.abs(x) / 0.5, 0, 1)
    dark = light.luma * DARK * (1 - 0.55 * depth)[..., None]
    mound = np.clip(1 - (x / 0.34) ** 2, 0, 1) ** 0.5 * 0.5 * gap
    lit = np.clip((mound - over) / max(0.35 * gap, 1e-3), 0, 1)
    flesh = light.luma * TONGUE * (0.45 + 0.4 * lit * np.clip(over / 0.04, 0.3, 1))[..., None]
    seen = _step(lit * 1.5) * np.clip((gap - 0.10) / 0.08, 0, 1)
    return np.asarray(dark + seen[..., None] * (flesh - dark))


def _teeth(light: Light, x: Array, under: Array, gap: float, pixel: float) -> tuple[Floats, Floats]:
    """The upper teeth's colours `[h, w, 3]` and where they are."""
    side = np.abs(x)
    tooth = np.clip(np.searchsorted(EDGES, side) - 1, 0, len(EDGES) - 2)
    left, right = EDGES[tooth], EDGES[tooth + 1]
    within = np.clip((side - left) / (right - left), 0, 1)
    height = min(0.10, 0.5 * gap) * (1 - 1.6 * side**2) * (1 - 0.06 * np.isin(tooth, (1,)))
    height = height * (1 - 0.08 * np.abs(2 * within - 1) ** 4)
    soft = max(pixel, 0.014)
    cover = np.clip((height - under) / soft + 0.5, 0, 1) * np.clip((0.33 - side) / 0.06, 0, 1)
    shade = 0.66 + 0.34 * np.clip(under / 0.04, 0, 1)
    shade = shade * (1 - 2.6 * side**2) * (1 - 0.09 * np.abs(2 * within - 1) ** 8)
    return light.white * ENAMEL * shade[..., None], cover


def _float(values: NDArray[np.floating] | NDArray[np.bool_]) -> Array:
    return values.astype(np.float32)


def _step(value: NDArray[np.floating]) -> Array:
    """A smooth step from 0 to 1."""
    value = np.clip(value, 0, 1)
    return _float(value * value * (3 - 2 * value))
