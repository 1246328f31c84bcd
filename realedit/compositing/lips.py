"""Lips that part, close, or part further: each slides whole, jaw and chin follow, and what comes to light
is drawn.

Teeth that the photo shows stay where they are, behind the lips. Where nothing of the photo is known the
inside of a mouth is drawn (`cavity`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.compositing.cavity import Opening, inside
from realedit.compositing.eyes import LUMA, Floats
from realedit.compositing.flow import Array
from realedit.compositing.layers import Layer, Slide
from realedit.compositing.mouths import OPEN, Light, Mouth
from realedit.compositing.parting import Lips, above_source, at, below_source, edges, narrowed, step
from realedit.compositing.softness import softness
from realedit.photos import Box, Photo

FINEST = 100  # places per mouth width at which a motion is worked out
SOFT = 1.5  # photo pixels over which an edge is soft, in a sharp photo,
SOFTER = 2.0  # and how many times the photo's own softness in others
TEETH_IN = 0.012  # mouth widths: the lower lip's edge is believed to be so much higher, over the teeth
RIM = (0.26, 0.12)  # of its brightness that a lip's inner rim loses: lips that were closed, and others
RIM_WIDE = 0.035  # mouth widths
SEAM = 0.02  # mouth widths of the shadow between lips that meet,
SEAM_SHADE, SEAM_FULL = 0.5, 0.8  # its brightness in shares of the lips', and how much of it is seen
SEAM_ENDS = 0.3  # mouth widths over which it fades to the corners
DIM = 0.35  # of the photo's grain that is seen in the dark


def lips_slide(photo: Photo, points: Floats, lips: Lips) -> Slide | None:
    """The slide of a mouth; None where nothing moves."""
    mouth = Mouth.of(points)
    box = mouth.box(photo)
    if lips == Lips() or box is None:
        return None
    light, mouth = Light.of(photo, points), mouth.fitted(photo)
    if lips.closing:
        mouth = mouth.inset()
    soft = max(SOFT, SOFTER * softness(photo, points))
    parted = _Parted(mouth, light, mouth.lip_colour(photo), lips, soft, *edges(mouth, lips))
    return Slide(box, lambda part: _layers(parted, part))


@dataclass(frozen=True)
class _Parted:
    """A mouth with where its lips go. lip: their colour, sRGB in [0, 1]; upper, lower: their new edges; soft:
    photo pixels."""

    mouth: Mouth
    light: Light
    lip: Floats
    lips: Lips
    soft: float
    upper: Floats
    lower: Floats


def _layers(parted: _Parted, box: Box) -> Sequence[Layer]:
    """The mouth's inside, the lower lip with the jaw, and the upper lip."""
    mouth, lips = parted.mouth, parted.lips
    x, y = _grid(mouth, box)
    upper, lower = at(x, parted.upper), at(x, parted.lower)
    layers = []
    corners = bool(lips.left or lips.right)
    opening = (y > upper - 0.05) & (y < lower + 0.05) & (np.abs(x) < 0.55)
    if (lips.lower > 0 or (corners and mouth.gap > OPEN)) and bool(opening.any()):
        layers.append(_inside(parted, x, y, upper, lower))
    if lips.moves_corners:
        layers.append(_slid(parted, box, y - lower, below_source))
    if lips.upper or lips.moves_corners:
        layers.append(_slid(parted, box, upper - y, above_source))
    shut = float(np.clip((lips.upper - lips.lower) * mouth.unit / max(mouth.gap, 1e-6), 0, 1))
    if shut and mouth.gap > OPEN:
        layers.append(_seam(parted.lip, x / (1 - 2 * narrowed(mouth, lips)), y - lower, shut))
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


Source = Callable[[Mouth, Lips, Array, Array], Array]


def _shift(parted: _Parted, box: Box, source: Source) -> Array:
    """From each place to where it comes from, `[h, w, 2]` mouth widths: smooth, worked out at few places."""
    mouth = parted.mouth
    step = max(1, round(mouth.width / FINEST))
    x, y = _grid(mouth, box, step)
    seen = source(mouth, parted.lips, x, y) - np.stack([x, y], -1)
    if step == 1:
        return seen
    whole = cv2.resize(seen, (seen.shape[1] * step, seen.shape[0] * step), interpolation=cv2.INTER_LINEAR)
    left, top = (low - (low // step - 1) * step for low in box[:2])
    return np.asarray(whole[top : top + box[3] - box[1], left : left + box[2] - box[0]], np.float32)


def _slid(parted: _Parted, box: Box, within: Array, source: Source) -> Layer:
    """A lip with what goes along with it; within: how far each place lies on its side of the lip's edge."""
    mouth, lips = parted.mouth, parted.lips
    cover = np.clip(within * mouth.width / parted.soft + 0.5, 0, 1)
    shift = np.where(cover[..., None] > 0, _shift(parted, box, source), np.float32(0))
    gain = None
    if lips.lower > 0:
        x, _ = _grid(mouth, box)
        opened = min(1.0, lips.lower * mouth.unit / 0.15) * np.clip((0.5 - np.abs(x)) / 0.15, 0, 1)
        rim = np.exp(-((np.maximum(within, 0) / RIM_WIDE) ** 2))
        gain = _float(1 - RIM[mouth.gap > OPEN] * opened * np.where(rim > 0.02, rim, 0))
    return Layer(_float(cover), _float(shift @ mouth.turn.astype(np.float32)), gain=gain)


def _seam(lip: Floats, x: Array, off: Array, shut: float) -> Layer:
    """The shadow where lips that were apart meet: a darker lip, which hides what of the teeth went along.
    off: how far below the line each place is."""
    near = np.exp(-((off / SEAM) ** 2)) * step((0.48 - np.abs(x)) / SEAM_ENDS)
    painted = _float(SEAM_FULL * shut**4 * np.where(near > 0.01, near, 0))
    deep = SEAM_SHADE * lip * lip / max(float(lip @ LUMA), 1e-3)  # a shadow on flesh is redder than flesh
    paint = np.broadcast_to(_float(np.clip(deep, 0, 1)), (*painted.shape, 3))
    return Layer(_float(painted > 0), paint=paint, painted=painted, grain=painted)


def _inside(parted: _Parted, x: Array, y: Array, upper: Array, lower: Array) -> Layer:
    """What comes to light between the lips, and below teeth that the photo shows."""
    mouth = parted.mouth
    shown = mouth.gap > OPEN  # the photo's own teeth stay
    pixel = parted.soft / mouth.width
    gaps = parted.lower - parted.upper
    wide = np.abs(np.linspace(-1.6, 1.6, len(gaps))[gaps > 0.01])
    opening = Opening(
        x, y + 0 * x - float(parted.upper[len(gaps) // 2]), y - upper, lower - y,
        half=float(wide.max()) if len(wide) else 0.5, gap=float(gaps[len(gaps) // 2]), soft=max(pixel, 0.012),
    )  # fmt: skip
    picture = inside(mouth, parted.light, opening, teeth=not shown)
    start = at(x, mouth.lower) - TEETH_IN if shown else upper - 2 * pixel
    cover = np.clip((y - start) / pixel + 0.5, 0, 1) * (y < lower + 2 * pixel) * (np.abs(x) < 0.52)
    painted = _float(cover)
    return Layer(_float(cover > 0), paint=_float(picture), painted=painted, grain=DIM * painted)


def _float(values: NDArray[np.floating] | NDArray[np.bool_]) -> Array:
    return values.astype(np.float32)
