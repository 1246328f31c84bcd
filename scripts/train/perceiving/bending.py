"""Faces that do what portraits hardly show: lids that close, lips that part or close, heads that turn.

A chip is bent by a known motion and its points move along, so the teacher need not look again. Pictures are
`[S, S, 3]` uint8; points `[478, 3]` in their pixels (centres at +0.5), depth in the same unit.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.perception import points as parts

from .chips import interocular

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]
Map = NDArray[np.float32]

_LASHES = 0.12  # of the eye's opening: what goes with the lid's edge
_BROW = 0.42  # eye widths above the lid at which the skin begins to stretch


@dataclass(frozen=True)
class Bent:
    """A picture, its matte `[S, S]` float32 and its points after a motion."""

    picture: Pixels
    matte: Map
    points: Points


@dataclass(frozen=True)
class _Frame:
    """A part's upright frame: `origin` is midway between two points, x runs from the first to the second."""

    origin: Points
    turn: Points

    @classmethod
    def between(cls, first: Points, second: Points) -> "_Frame":
        angle = np.arctan2(*(second - first)[::-1])
        c, s = np.cos(angle), np.sin(angle)
        return cls((first + second) / 2, np.array([[c, s], [-s, c]]))

    def inward(self, points: Points) -> Points:
        return np.asarray((points - self.origin) @ self.turn.T)

    def outward(self, points: Points) -> Points:
        return np.asarray(points @ self.turn + self.origin)


def move_lid(bent: Bent, eye: parts.Eye, amount: float) -> Bent:
    """The upper lid slides down: amount 1 shuts the eye, below 0 opens it wider (of what it is open)."""
    places = bent.points[:, :2]
    upper, lower = list(eye.upper), list(eye.lower)
    frame = _Frame.between(places[upper[0]], places[upper[-1]])
    own = frame.inward(places)
    span = own[upper[-1], 0] - own[upper[0], 0]

    def lines(x: Points) -> tuple[Points, Points, Points, Points]:
        """Where the skin begins, the lid's edge is, shall be, and the lower lid is, at each x."""
        top = np.interp(x, own[upper, 0], own[upper, 1])
        bottom = np.maximum(np.interp(x, own[lower, 0], own[lower, 1]), top)
        fade = np.clip(np.minimum(x - own[upper[0], 0], own[upper[-1], 0] - x) / (0.06 * span), 0, 1)
        edge = top + _LASHES * (bottom - top)
        return top - _BROW * span, edge, edge + amount * fade * (bottom - edge) * 0.97, bottom

    box = _box(bent.picture, places[[*upper, *lower, *eye.brow_upper]], 0.2 * span)
    x, y = _grid(frame, box)
    brow, edge, lid, bottom = lines(x)
    above = brow + (y - brow) * (edge - brow) / np.maximum(lid - brow, 1e-3)
    below = y if amount >= 0 else bottom - (bottom - y) * (bottom - edge) / np.maximum(bottom - lid, 1e-3)
    inside = (x > own[upper[0], 0]) & (x < own[upper[-1], 0]) & (y > brow) & (y < bottom)
    source = np.where(inside, np.where(y < lid, above, below), y)
    points = bent.points.copy()
    px, py = own[:, 0], own[:, 1]
    brow, edge, lid, bottom = lines(px)
    down = brow + (py - brow) * (lid - brow) / np.maximum(edge - brow, 1e-3)
    down = np.where(py <= edge, down, py)
    if amount < 0:
        wide = bottom - (bottom - py) * (bottom - lid) / np.maximum(bottom - edge, 1e-3)
        down = np.where((py > edge) & (py < bottom), wide, down)
    moves = (px > own[upper[0], 0]) & (px < own[upper[-1], 0]) & (py > brow) & (py < bottom)
    points[:, :2] = frame.outward(np.column_stack([px, np.where(moves, down, py)]))
    return _resampled(bent, frame, box, x, source, points)


def move_lips(bent: Bent, gap: float, rng: np.random.Generator) -> Bent:
    """The lower lip and the jaw slide down by `gap` interocular distances; below 0: up, over the teeth."""
    jaw = _Jaw.of(bent.points, gap)
    wide, low = 1.4 * jaw.unit, jaw.chin + 0.8 * jaw.unit
    top = float(jaw.own[list(parts.INNER_LIP_UPPER), 1].min())
    corners = np.array([(-wide, top), (wide, top), (-wide, low), (wide, low)])
    box = _box(bent.picture, jaw.frame.outward(corners), 2)
    x, y = _grid(jaw.frame, box)
    source, inside = jaw.sources(x, y)
    points = bent.points.copy()
    points[:, :2] = jaw.frame.outward(jaw.moved())
    moved = _resampled(bent, jaw.frame, box, x, source, points)
    if gap > 0:
        left, top, right, bottom = box
        light = _light(bent)
        region = moved.picture[top:bottom, left:right]
        drawn = jaw.interior(x, y, light, rng)
        region[:] = np.rint(region + (drawn - region) * inside[..., None]).astype(np.uint8)
    return moved


@dataclass(frozen=True)
class _Jaw:
    """The motion of the lower lip, in the mouth's own frame."""

    frame: _Frame
    own: Points
    unit: float
    gap: float
    chin: float

    @classmethod
    def of(cls, points: Points, gap: float) -> "_Jaw":
        places = points[:, :2]
        upper = parts.INNER_LIP_UPPER
        frame = _Frame.between(places[upper[0]], places[upper[-1]])
        own = frame.inward(places)
        unit = float(interocular(points[None])[0])
        return cls(frame, own, unit, gap * unit, float(own[parts.CHIN, 1]))

    def lips(self, x: Points) -> tuple[Points, Points, Points]:
        """The upper and lower inner edge at each x, and by how much the lower one moves there."""
        upper, lower = (self.own[list(each)] for each in (parts.INNER_LIP_UPPER, parts.INNER_LIP_LOWER))
        top, bottom = (np.interp(x, each[:, 0], each[:, 1]) for each in (upper, lower))
        half = (upper[-1, 0] - upper[0, 0]) / 2
        profile = np.clip(1 - ((x - upper[:, 0].mean()) / half) ** 2, 0, 1) ** 0.6
        gap = self.gap * profile
        return top, np.maximum(bottom, top), gap if self.gap > 0 else np.maximum(gap, top - bottom)

    def downward(self, x: Points, y: Points) -> Points:
        """By how much what is below the mouth at (x, y) moves."""
        _, bottom, near = self.lips(x)
        half = 0.75 * self.unit
        far = 0.75 * self.gap * np.exp(-((x / half) ** 2))
        along = _smooth((y - bottom) / (0.35 * self.unit))
        fade = 1 - _smooth((y - self.chin) / (0.8 * self.unit))
        return np.asarray((near + (far - near) * along) * fade)

    def sources(self, x: Points, y: Points) -> tuple[Points, Points]:
        """Which y each pixel shows; and where the inside of the mouth appears (0 to 1)."""
        across = np.linspace(x.min(), x.max(), 96)
        down = np.linspace(y.min(), y.max(), 192)
        _, bottom, near = self.lips(across)
        table = np.empty((192, 96))
        for i in range(96):
            start = down[down > bottom[i]]
            ys = np.concatenate([[bottom[i]], start])
            to = ys + self.downward(np.full(len(ys), across[i]), ys)
            table[:, i] = np.interp(down, np.maximum.accumulate(to), ys)
        u = ((x - across[0]) / (across[1] - across[0])).astype(np.float32)
        v = ((y - down[0]) / (down[1] - down[0])).astype(np.float32)
        slid = cv2.remap(table.astype(np.float32), u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        top, bottom, near = self.lips(x)
        lip = bottom + near
        source = np.where(y >= lip, slid, np.minimum(y, np.maximum(bottom, top) if self.gap > 0 else y))
        soft = 0.012 * self.unit
        shown = np.clip((y - bottom) / soft, 0, 1) * np.clip((lip - y) / soft, 0, 1) * (near > 0)
        return source, shown

    def interior(self, x: Points, y: Points, light: Points, rng: np.random.Generator) -> Points:
        """The dark, a tongue and, where lips were closed, a row of upper teeth, `[h, w, 3]`."""
        top, bottom, near = self.lips(x)
        depth = np.clip((y - top) / np.maximum(bottom + near - top, 1e-3), 0, 1)
        dark = light * np.array([0.28, 0.13, 0.12]) * rng.uniform(0.4, 1.3)
        tongue = light * np.array([0.75, 0.42, 0.42]) * rng.uniform(0.6, 1.1)
        share = _smooth((depth - rng.uniform(0.5, 0.9)) / 0.3)[..., None]
        drawn = dark + (tongue - dark) * share
        if rng.random() < 0.7:
            height = rng.uniform(0.06, 0.16) * self.unit
            teeth = np.clip(light * rng.uniform(0.85, 1.25), 0, 245) * np.array([1, 0.98, 0.92])
            cover = np.clip((top + height - y) / (0.02 * self.unit), 0, 1)[..., None]
            drawn = drawn + (teeth - drawn) * cover
        return np.asarray(np.clip(drawn, 0, 255))

    def moved(self) -> Points:
        x, y = self.own[:, 0], self.own[:, 1]
        top, bottom, _ = self.lips(x)
        lower = y > (top + bottom) / 2
        lower[list(parts.INNER_LIP_UPPER + parts.OUTER_LIP_UPPER)] = False
        lower[list(parts.INNER_LIP_LOWER[1:-1] + parts.OUTER_LIP_LOWER[1:-1])] = True
        down = self.downward(x, np.maximum(y, bottom))
        return np.column_stack([x, y + np.where(lower, down, 0)])


def turn_head(bent: Bent, yaw: float, pitch: float) -> Bent:
    """The face turns by so many degrees, as its points and their depth say; the picture's border stays."""
    size = bent.picture.shape[0]
    middle = bent.points.mean(axis=0)
    a, b = np.radians(yaw), np.radians(pitch)
    about_y = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    back = np.array([0, 0, 0.3 * float(interocular(bent.points[None])[0])])  # the axis is inside of the head
    points = (bent.points - middle - back) @ (about_x @ about_y).T + middle + back
    shift = (bent.points - points)[:, :2]
    cells = 24
    centres = (np.arange(cells) + 0.5) * size / cells
    gx, gy = np.meshgrid(centres, centres)
    border = np.concatenate([gx[:, :1], gx[:, -1:]]).ravel(), np.concatenate([gy[:, :1], gy[:, -1:]]).ravel()
    still = np.column_stack(border)
    known = np.concatenate([points[:, :2], still])
    values = np.concatenate([shift, np.zeros((len(still), 2))])
    apart = (gx.reshape(-1, 1) - known[:, 0]) ** 2 + (gy.reshape(-1, 1) - known[:, 1]) ** 2
    near, far = ((apart / (-2 * (width * size) ** 2)).astype(np.float32) for width in (0.035, 0.12))
    weights = np.exp(near) + 1e-3 * np.exp(far) + 1e-9
    field = (weights @ values / weights.sum(axis=1, keepdims=True)).reshape(cells, cells, 2)
    field = cv2.resize(field.astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    for _ in range(5):  # where the picture really goes: the field is smoother than the points' motion
        at = points[:, None, :2].astype(np.float32) - 0.5
        moved = cv2.remap(field, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        points[:, :2] = bent.points[:, :2] - moved[:, 0]
    index = np.arange(size, dtype=np.float32)
    mx, my = index[None, :] + field[..., 0], index[:, None] + field[..., 1]
    picture = cv2.remap(bent.picture, mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    matte = cv2.remap(bent.matte, mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return Bent(np.asarray(picture, np.uint8), np.asarray(matte), points)


def _smooth(t: Points) -> Points:
    t = np.clip(t, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _box(picture: Pixels, places: Points, margin: float) -> tuple[int, int, int, int]:
    size = picture.shape[0]
    low = np.clip(np.floor(places.min(axis=0) - margin), 0, size - 2).astype(int)
    high = np.clip(np.ceil(places.max(axis=0) + margin), 2, size).astype(int)
    return int(low[0]), int(low[1]), int(max(high[0], low[0] + 2)), int(max(high[1], low[1] + 2))


def _grid(frame: _Frame, box: tuple[int, int, int, int]) -> tuple[Points, Points]:
    """The pixels of a box in the part's frame."""
    left, top, right, bottom = box
    gx, gy = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
    own = frame.inward(np.stack([gx, gy], axis=-1))
    return own[..., 0], own[..., 1]


def _resampled(
    bent: Bent, frame: _Frame, box: tuple[int, int, int, int], x: Points, source: Points, points: Points
) -> Bent:
    """Each pixel of the box shows what was at (x, source), in the part's frame."""
    left, top, right, bottom = box
    at = frame.outward(np.stack([x, source], axis=-1)).astype(np.float32) - 0.5
    picture = bent.picture.copy()
    picture[top:bottom, left:right] = cv2.remap(
        bent.picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return Bent(picture, bent.matte, points)


def _light(bent: Bent) -> Points:
    """The colour of the cheeks, `[3]`."""
    size = bent.picture.shape[0]
    at = np.clip(bent.points[[50, 280, 205, 425], :2].astype(int), 2, size - 3)
    patches = [bent.picture[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3) for x, y in at]
    return np.asarray(np.concatenate(patches).mean(axis=0), np.float64)
