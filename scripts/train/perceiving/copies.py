"""Training copies of chips: bent, shifted, turned, mirrored, darkened, blurred; and what is no face."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from alignment import Alignment
from alignment.geometry import index_affine
from realedit.perception import frames
from realedit.perception import points as parts
from realedit.perception.network import EYE_SIZE, MATTE_SIZE, MOUTH_SIZE, VIEW_SIZE

from . import bending, teacher
from .bending import Bent
from .chips import SIZE, Chips, encoded, interocular

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]

_GRAIN = np.random.default_rng(0).standard_normal(2**20, dtype=np.float32)
_SHARPEST = 0.6  # deviation of the blur that a photo has at its own resolution, in photo pixels


@dataclass(frozen=True, kw_only=True)
class Jitter:
    """How far copies may differ. Shifts and scales are parts of the square's side, turns are in radians
    (dlib's squares differ from the labels' by deviations of 0.002, 0.02 and 0.008). The shares say how many
    copies are bent in each way, made grey, blurred, or no face at all.
    """

    shift: float = 0.012
    scale: float = 0.06
    turn: float = 0.05
    detail_shift: float = 0.035
    detail_scale: float = 0.06
    detail_turn: float = 0.05
    lids: float = 0.35
    lips: float = 0.35
    heads: float = 0.3
    grey: float = 0.15
    blurred: float = 0.4
    negative: float = 0.1


@dataclass(frozen=True)
class Copy:
    """One face as the networks see it; targets are in the unit square of each picture.

    view `[192, 192, 3]`, eyes two of `[64, 64, 3]` (the right one mirrored), mouth `[96, 96, 3]`, all uint8.
    points `[478, 3]`; eye_points two of `[478, 2]` (of the right eye mirrored and reordered, so both are left
    eyes); mouth_points `[478, 2]`; matte `[96, 96]`, known `[96, 96]`: where it counts. unit: the interocular
    distance in the view. blur: in interocular distances. glasses: NaN where nobody looked. face: False
    for negatives, whose other values mean nothing.
    """

    view: Pixels
    eyes: list[Pixels]
    mouth: Pixels
    points: Points
    eye_points: list[Points]
    mouth_points: Points
    matte: NDArray[np.float32]
    known: NDArray[np.bool_]
    unit: float
    blur: float
    glasses: float
    face: bool


class Copier:
    """Makes copies of the chips; decoded pictures are kept."""

    def __init__(self, chips: Chips) -> None:
        self.chips = chips
        self._kept: dict[int, Pixels] = {}

    def plain(self, index: int) -> Copy:
        """The chip's own view and close-ups."""
        return self._seen(index, self._bent(index), np.random.default_rng(0), None, mirrored=False)

    def pair(self, index: int, rng: np.random.Generator, jitter: Jitter) -> tuple[Copy, Copy]:
        """Two copies of a chip that is bent once, of which one is mirrored."""
        bent = _acted(self._bent(index), rng, jitter)
        straight = self._seen(index, bent, rng, jitter, mirrored=False)
        return straight, self._seen(index, bent, rng, jitter, mirrored=True)

    def _bent(self, index: int) -> Bent:
        chips = self.chips
        if index not in self._kept:
            self._kept[index] = chips.pixels(index)
        matte = chips.mattes[index].astype(np.float32) / 255
        points = chips.points[index].astype(np.float64) * SIZE
        return Bent(self._kept[index], cv2.resize(matte, (SIZE, SIZE)), points)

    def _seen(
        self, index: int, bent: Bent, rng: np.random.Generator, jitter: Jitter | None, *, mirrored: bool
    ) -> Copy:
        chips = self.chips
        valid = chips.valid[index]
        if mirrored:
            bent, valid = _mirrored(bent, chips.mirror), valid[:, ::-1]
        look = _Look.drawn(rng, jitter)
        base = _SHARPEST / chips.scales[index] / float(interocular(bent.points[None])[0])
        copy = _seen(bent, valid, chips.mirror, rng, jitter, look, base)
        worn = chips.glasses(index)
        return copy if worn is None else replace(copy, glasses=float(worn))


@dataclass(frozen=True)
class _Look:
    """What light and camera do to all pictures of a copy. blur: deviation in interocular distances; reduced:
    to how many pixels an interocular distance is reduced first, or 0; noise: in grey levels."""

    curve: NDArray[np.uint8]
    tint: Points
    grey: bool
    blur: float
    reduced: float
    noise: float
    quality: int

    @classmethod
    def drawn(cls, rng: np.random.Generator, jitter: Jitter | None) -> "_Look":
        ramp = np.arange(256) / 255
        if jitter is None:
            return cls(np.arange(256, dtype=np.uint8), np.ones(3), False, 0, 0, 0, 0)
        gamma, gain = np.exp(rng.normal(0, 0.3)), np.exp(rng.normal(-0.08, 0.25))
        contrast = rng.uniform(0.7, 1.25)
        curve = np.clip(((ramp**gamma * gain) - 0.45) * contrast + 0.45, 0, 1)
        blurred, noisy, small, packed = rng.random(4) < (jitter.blurred, 0.35, 0.25, 0.3)
        return cls(
            np.rint(curve * 255).astype(np.uint8),
            np.exp(rng.normal(0, 0.08, 3)),
            bool(rng.random() < jitter.grey),
            float(np.exp(rng.uniform(np.log(0.01), np.log(0.12)))) if blurred else 0.0,
            float(rng.uniform(14, 60)) if small else 0.0,
            float(rng.uniform(2, 14)) if noisy else 0.0,
            int(rng.integers(25, 90)) if packed else 0,
        )

    def onto(self, picture: Pixels, unit: float, rng: np.random.Generator) -> Pixels:
        """`unit`: the interocular distance in the picture's pixels."""
        out = picture
        size = picture.shape[0]
        if self.blur * unit > 0.3:
            out = np.asarray(cv2.GaussianBlur(out, (0, 0), self.blur * unit), np.uint8)
        if 0 < self.reduced < unit:
            small = max(8, round(size * self.reduced / unit))
            tiny = cv2.resize(out, (small, small), interpolation=cv2.INTER_AREA)
            out = np.asarray(cv2.resize(tiny, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)
        out = self.curve[out]
        if self.grey:
            out = np.repeat(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
        lit = out * self.tint.astype(np.float32)
        if self.noise:
            lit += _noise(out.shape, rng) * self.noise
        out = np.clip(lit, 0, 255).astype(np.uint8)
        if self.quality:
            out = cv2.imdecode(encoded(out, self.quality), cv2.IMREAD_COLOR)[..., ::-1]
        return np.ascontiguousarray(out)


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Grain, cut from a sheet of it at a random place."""
    start = int(rng.integers(0, len(_GRAIN) - int(np.prod(shape))))
    return _GRAIN[start : start + int(np.prod(shape))].reshape(shape)


def _acted(bent: Bent, rng: np.random.Generator, jitter: Jitter) -> Bent:
    heads, lids, lips = rng.random(3) < (jitter.heads, jitter.lids, jitter.lips)
    if heads:
        bent = bending.turn_head(bent, rng.uniform(-18, 18), rng.uniform(-9, 9))
    if lids:
        both = rng.uniform(-0.25, 1.0) if rng.random() < 0.6 else 1.0
        one = rng.random() < 0.3
        for eye in parts.EYES:
            if not (one and rng.random() < 0.5):
                bent = bending.move_lid(bent, eye, both)
    if lips:
        gap = -rng.uniform(0.02, 0.3) if rng.random() < 0.35 else rng.uniform(0.01, 0.42)
        bent = bending.move_lips(bent, gap, rng)
    return bent


def _mirrored(bent: Bent, mirror: NDArray[np.int64]) -> Bent:
    points = bent.points[mirror] * (-1, 1, 1) + (SIZE, 0, 0)
    picture, matte = (np.ascontiguousarray(each[:, ::-1]) for each in (bent.picture, bent.matte))
    return Bent(picture, matte, points)


def _seen(
    bent: Bent,
    valid: NDArray[np.bool_],
    mirror: NDArray[np.int64],
    rng: np.random.Generator,
    jitter: Jitter | None,
    look: _Look,
    base: float,
) -> Copy:
    places = bent.points[:, :2]
    chip = Alignment(centre=(SIZE / 2, SIZE / 2), side=SIZE * frames.VIEW / teacher.WIDTH, angle=0.0)
    face = jitter is None or rng.random() >= jitter.negative
    view = chip if jitter is None else _moved(chip, rng, jitter.shift, jitter.scale, jitter.turn)
    left, right = (_close(square, rng, jitter) for square in frames.eye_squares(places))
    mouth = _close(frames.mouth_square(places), rng, jitter)
    unit = float(interocular(bent.points[None])[0])
    if not face:
        return _negative(bent, view, rng, look, unit, (left, right, mouth))
    half = cv2.resize(bent.picture, (SIZE // 2, SIZE // 2), interpolation=cv2.INTER_AREA)

    def cut(square: Alignment, size: int) -> Pixels:
        return look.onto(_cut(bent.picture, square, size), unit * size / square.side, rng)

    seen = look.onto(_cut(half, view, VIEW_SIZE), unit * VIEW_SIZE / view.side, rng)
    mirrored = np.ascontiguousarray(cut(right, EYE_SIZE)[:, ::-1])
    depth = bent.points[:, 2:] / view.side
    right_points = right.to_crop(places, 1)[mirror] * (-1, 1) + (1, 0)
    known = _cut(valid.astype(np.float32), view, MATTE_SIZE) > 0.99
    added = np.hypot(look.blur, 0.6 / look.reduced if 0 < look.reduced < unit else 0)
    blur = float(np.hypot(base, added))
    return Copy(
        seen, [cut(left, EYE_SIZE), mirrored], cut(mouth, MOUTH_SIZE),
        np.column_stack([view.to_crop(places, 1), depth]),
        [left.to_crop(places, 1), right_points], mouth.to_crop(places, 1),
        _cut(bent.matte, view, MATTE_SIZE), known, unit / view.side, blur, np.nan, True,
    )  # fmt: skip


def _moved(square: Alignment, rng: np.random.Generator, shift: float, scale: float, turn: float) -> Alignment:
    dx, dy = rng.uniform(-shift, shift, 2) * square.side
    x, y = square.centre
    return Alignment(
        centre=(x + dx, y + dy),
        side=square.side * float(np.exp(rng.uniform(-scale, scale))),
        angle=square.angle + rng.uniform(-turn, turn),
    )


def _close(square: Alignment, rng: np.random.Generator, jitter: Jitter | None) -> Alignment:
    if jitter is None:
        return square
    return _moved(square, rng, jitter.detail_shift, jitter.detail_scale, jitter.detail_turn)


def _cut(picture: NDArray[np.float32] | Pixels, square: Alignment, size: int) -> NDArray[np.float32]:
    """A square (in the chip's pixels) of a picture of the chip at any resolution."""
    scale = picture.shape[0] / SIZE
    x, y = square.centre
    own = replace(square, centre=(x * scale, y * scale), side=square.side * scale)
    return np.asarray(
        cv2.warpAffine(
            picture, index_affine(own.matrix(size)), (size, size), flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
    )  # fmt: skip


def _negative(
    bent: Bent,
    view: Alignment,
    rng: np.random.Generator,
    look: _Look,
    unit: float,
    close: tuple[Alignment, Alignment, Alignment],
) -> Copy:
    """What is no upright face: turned over, a corner of the picture, shuffled pieces, a texture."""
    kind = rng.integers(4)
    picture = bent.picture
    if kind == 0:
        turned = replace(view, angle=view.angle + rng.uniform(0.4, 1.6) * np.pi)
        seen = _cut(picture, turned, VIEW_SIZE)
    elif kind == 1:
        side = view.side * rng.uniform(0.12, 0.4)
        x, y = rng.uniform(side / 2, SIZE - side / 2, 2)
        seen = _cut(picture, Alignment(centre=(x, y), side=side, angle=rng.uniform(-3, 3)), VIEW_SIZE)
    elif kind == 2:
        whole = _cut(picture, view, VIEW_SIZE)
        n = int(rng.choice([3, 4, 6]))
        pieces = whole.reshape(n, VIEW_SIZE // n, n, VIEW_SIZE // n, 3).transpose(0, 2, 1, 3, 4)
        pieces = rng.permutation(pieces.reshape(n * n, VIEW_SIZE // n, VIEW_SIZE // n, 3)).reshape(
            n, n, VIEW_SIZE // n, VIEW_SIZE // n, 3
        )
        seen = pieces.transpose(0, 2, 1, 3, 4).reshape(whole.shape)
    else:
        cells = int(rng.integers(2, 48))
        colours = bent.picture[rng.integers(0, SIZE, (cells, cells)), rng.integers(0, SIZE, (cells, cells))]
        seen = cv2.resize(colours, (VIEW_SIZE, VIEW_SIZE), interpolation=cv2.INTER_CUBIC)
    seen = look.onto(np.ascontiguousarray(seen, dtype=np.uint8), unit * VIEW_SIZE / view.side, rng)
    eyes = [_cut(picture, square, EYE_SIZE).astype(np.uint8) for square in close[:2]]
    mouth = _cut(picture, close[2], MOUTH_SIZE).astype(np.uint8)
    none = np.zeros((478, 2))
    return Copy(
        seen, eyes, mouth, np.zeros((478, 3)), [none, none], none,
        np.zeros((MATTE_SIZE, MATTE_SIZE), np.float32), np.zeros((MATTE_SIZE, MATTE_SIZE), np.bool_), 1.0,
        np.nan, np.nan, False,
    )  # fmt: skip
