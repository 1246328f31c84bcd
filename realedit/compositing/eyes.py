"""One eye in its own upright frame, and what the skin around it looks like there.

In the frame the eye is one unit wide from corner to corner; x goes from its middle to the viewer's right,
y down.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.compositing.flow import Array, blur
from realedit.perception.points import Eye as EyePoints
from realedit.photos import Box, Photo

Floats = NDArray[np.float64]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # Rec. 601

# Lengths are eye widths, brightness is told as shares of the skin's.
WIDE = 0.8  # from the eye's middle to both sides: what is farther away is no business of its lids
XS = np.linspace(-WIDE, WIDE, 321)  # where a curve's heights are kept
EVEN = 0.015  # over which a lid's edge is smoothed
ABOVE, BELOW = 0.52, 0.35  # the lids: how far skin is looked at
FINEST, SMOOTHED = 256, 64  # pixels per eye width in which it is looked at, and in which it is averaged
HIDDEN = 0.06  # above the upper lid's edge that lashes hide
RIM = 0.05  # below the lower lid's edge that is wet
SIGMAS = (0.07, 0.18, 0.5, 1.0)  # over which skin is averaged: the finest of which there is enough
NEARBY, TONES = (
    0.07,
    (0.35, 1.05),
)  # how far, and by how much, skin above the eye is toned by its brightest parts
BAND_TALL = 0.35  # what is dark and taller is a shadow, not a brow or a frame
BAND_DARK = (
    0.55  # brightness of a band, in the mean and beside the eye; of the darkest four fifths a little more
)
BAND_SURE, LASH_LINE = 0.42, 0.06  # the same beside the eye, of what lies so near to the lid as lashes do
BAND_HALF = 0.08  # from the middle of a band to its edge, at the most
LASHES_COST = 0.2  # brightness that a band so near to the eye is believed to have more
BAND_SCALE = 80  # cells per eye width in which it is looked for
BEND = 0.05  # what a cell up or down costs a band, in brightness


@dataclass(frozen=True)
class Eye:
    """origin: the eye's middle, photo pixels; axis: from its left corner to the right one, photo pixels;
    upper, lower, brow: the heights at `XS` of the lids' edges and of the brow's lower one. Beyond the
    corners both lids are level.
    """

    origin: Floats
    axis: Floats
    upper: Floats
    lower: Floats
    brow: Floats

    @classmethod
    def of(cls, points: Floats, which: EyePoints) -> "Eye":
        """One eye of the face with these 478 points, photo pixels."""
        corners = points[list(which.corners)]
        level = np.zeros_like(XS)
        bare = cls(corners.mean(0), corners[1] - corners[0], level, level, level)
        parts = (which.upper, which.lower, which.brow_lower)
        upper, lower, brow = (curve(bare.to_frame(points[list(part)])) for part in parts)
        within = np.abs(XS) <= 0.5
        middle = np.where(within, (upper + lower) / 2, 0)
        upper, lower = (
            np.where(within, smooth(np.where(within, each, 0), EVEN), 0) for each in (upper, lower)
        )
        return cls(bare.origin, bare.axis, np.minimum(upper, middle), np.maximum(lower, middle), brow)

    @property
    def width(self) -> float:
        """Photo pixels from corner to corner."""
        return float(np.hypot(*self.axis))

    @property
    def height(self) -> float:
        """How far the lids are apart where they are farthest."""
        return float((self.lower - self.upper).max())

    @property
    def span(self) -> tuple[float, float]:
        """The heights between which skin is looked at, and may move."""
        return float(self.upper.min() - ABOVE), float(self.lower.max() + BELOW)

    @property
    def turn(self) -> Floats:
        """`[2, 2]`: a place of the frame, as a row, times this is photo pixels from the origin."""
        return np.array([self.axis, [-self.axis[1], self.axis[0]]])

    def to_frame(self, points: Floats) -> Floats:
        """Photo pixels `[..., 2]` in the frame."""
        return np.asarray((points - self.origin) @ self.turn.T / self.width**2)

    def to_photo(self, places: Floats) -> Floats:
        """Places of the frame `[..., 2]` in photo pixels."""
        return np.asarray(places @ self.turn + self.origin)

    def box(self, photo: Photo) -> Box | None:
        """The photo's rectangle around the frame's part that is looked at; None outside of the photo."""
        places = self.to_photo(np.array([[x, y] for x in (-WIDE, WIDE) for y in self.span]))
        left, top = np.maximum(np.floor(places.min(0)).astype(int), 0)
        right, bottom = np.minimum(np.ceil(places.max(0)).astype(int), (photo.width, photo.height))
        return (int(left), int(top), int(right), int(bottom)) if left < right and top < bottom else None

    def sampled(self, picture: Array, x: Floats, y: Floats) -> Array:
        """A picture of the frame (see `Skin`) at places of it."""
        height, width = picture.shape[:2]
        low, high = self.span
        columns = ((x + WIDE) * width / (2 * WIDE) - 0.5).astype(np.float32)
        rows = ((y - low) * height / (high - low) - 0.5).astype(np.float32)
        return np.asarray(
            cv2.remap(picture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        )


@dataclass(frozen=True)
class Skin:
    """The skin around an eye: pictures `[H, W, ...]` of the frame, `WIDE` to both sides, over the eye's
    span.

    base: sRGB in [0, 1] without what is dark and narrow, such as lashes, crease and wrinkles. shade: how
    bright the photo is, in shares of the base. band: the heights at `XS` of the lower edge of what
    crosses it above the eye and lies over it, a frame of glasses or a low brow; None without.
    """

    base: Array
    shade: Array
    band: Floats | None

    @classmethod
    def around(cls, eye: Eye, photo: Photo) -> "Skin":
        """The skin around an eye of a photo."""
        scale = min(eye.width, FINEST)
        picture = _rectified(photo, eye, scale)
        coarse = min(scale, SMOOTHED)
        size = tuple(max(2, round(side * coarse / scale)) for side in picture.shape[1::-1])
        small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
        seen = _skin(eye, small.shape)
        toned = _toned(_base(small, seen, coarse), small, seen, eye, coarse)
        base: Array = np.asarray(cv2.resize(toned, picture.shape[1::-1]), np.float32)
        shade: Array = np.asarray((picture @ LUMA) / np.maximum(base @ LUMA, 1e-3), np.float32)
        return cls(base, shade, _band(picture, eye, scale))


def _skin(eye: Eye, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where in a picture of the frame skin is: not at the eye with its lashes and its wet rim, nor at the
    brow."""
    low, high = eye.span
    rows = low + (np.arange(shape[0]) + 0.5)[:, None] * (high - low) / shape[0]
    columns = -WIDE + (np.arange(shape[1]) + 0.5) * 2 * WIDE / shape[1]
    upper, lower, brow = (np.interp(columns, XS, each) for each in (eye.upper, eye.lower, eye.brow))
    hidden = (rows > upper - HIDDEN) & (rows < lower + RIM) & (lower > upper)
    return np.asarray(~hidden & (rows > brow))


def _rectified(photo: Photo, eye: Eye, scale: float) -> Array:
    """The photo in the eye's frame at `scale` pixels a unit, sRGB in [0, 1]; beyond the photo its border
    goes on."""
    low, high = eye.span
    size = max(2, round(2 * WIDE * scale)), max(2, round((high - low) * scale))
    box = eye.box(photo)
    if box is None:
        return np.zeros((size[1], size[0], 3), np.float32)
    picture = np.asarray(photo.srgb(box), np.float32) / np.float32(255)
    picture = blur(picture, 0.4 * max(0.0, eye.width / scale - 1))
    pixel = eye.turn.T @ np.diag(
        [2 * WIDE / size[0], (high - low) / size[1]]
    )  # of the frame, in photo pixels
    first = eye.to_photo(np.array([-WIDE, low])) + pixel.sum(1) / 2 - (box[0] + 0.5, box[1] + 0.5)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(
        picture, np.column_stack([pixel, first]), size, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.float32)


def _base(picture: Array, seen: NDArray[np.bool_], scale: float) -> Array:
    """Skin without what is darker than its surroundings: means for which dark pixels count less and less."""
    luma = picture @ LUMA
    weight = seen.astype(np.float32)
    mean = picture
    for _ in range(4):
        mean, missing = np.zeros_like(picture), np.ones_like(weight)
        for sigma in SIGMAS:
            total = blur(weight, sigma * scale)
            here = (
                blur(np.asarray(picture * weight[..., None], np.float32), sigma * scale)
                / np.maximum(total, 1e-4)[..., None]
            )
            share = missing if sigma == SIGMAS[-1] else missing * np.clip(total * 2.5 - 0.5, 0, 1)
            mean += share[..., None] * here
            missing = missing - share
        bright = luma / np.maximum(mean @ LUMA, 1e-3)
        weight = np.asarray(seen * np.clip((bright - 0.82) / 0.14, 0.01, 1), np.float32)
    return mean


def _toned(base: Array, picture: Array, seen: NDArray[np.bool_], eye: Eye, scale: float) -> Array:
    """The skin above the eye as bright as its brightest parts are nearby: a socket may lie in the shade."""
    luma = blur(np.asarray(picture @ LUMA, np.float32), 0.015 * scale) * seen.astype(np.float32)
    side = 2 * max(1, round(NEARBY * scale)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    bright = np.asarray(cv2.dilate(luma, disc), np.float32)
    known = (bright > 0).astype(np.float32)
    nearby = blur(bright, NEARBY * scale / 2) / np.maximum(blur(known, NEARBY * scale / 2), 1e-3)
    tone = np.clip(nearby / np.maximum(base @ LUMA, 1e-3), *TONES) ** 0.8
    low, high = eye.span
    rows = low + (np.arange(len(picture)) + 0.5)[:, None] * (high - low) / len(picture)
    columns = -WIDE + (np.arange(picture.shape[1]) + 0.5) * 2 * WIDE / picture.shape[1]
    above = np.clip(0.5 - (rows - np.interp(columns, XS, (eye.upper + eye.lower) / 2)) / 0.1, 0, 1)
    return np.asarray(base * (1 + above * (tone - 1))[..., None], np.float32)


def _band(picture: Array, eye: Eye, scale: float) -> Floats | None:
    """See `Skin.band`: a dark band from side to side. A crease and lashes are none, they end at the eye's
    corners."""
    low, high = eye.span
    step = 1 / BAND_SCALE
    columns, rows = np.arange(-WIDE + step / 2, WIDE, step), np.arange(low + step / 2, high, step)
    luma = eye.sampled(
        blur(np.asarray(picture @ LUMA, np.float32), 0.3 * scale * step), *np.meshgrid(columns, rows)
    )
    tall = np.ones((round(BAND_TALL * BAND_SCALE), 1), np.uint8)
    bright = luma / np.maximum(cv2.morphologyEx(luma, cv2.MORPH_CLOSE, tall), 1e-3)
    upper = np.interp(columns, XS, eye.upper)
    barred = (rows[:, None] > upper + 0.04) | (rows[:, None] < upper - ABOVE + 0.1)
    lashes = LASHES_COST * (rows[:, None] > upper - HIDDEN)  # are dark too
    path = darkest_path(np.where(barred, 10.0, bright + lashes))
    along = bright[path, np.arange(len(columns))]
    beside, middle = np.abs(columns) > 0.55, np.abs(columns) < 0.4
    hugging = float(np.median(np.abs(rows[path] - upper)[middle])) < LASH_LINE  # as lashes do
    most = BAND_SURE if hugging else BAND_DARK
    if (
        max(float(np.quantile(along, 0.8)) - 0.15, float(along.mean())) > BAND_DARK
        or along[beside].mean() > most
    ):
        return None
    light = (rows[:, None] >= rows[path]) & (bright > 0.5 * (1 + along))
    edge = np.where(light.any(0), rows[light.argmax(0)], rows[path])
    edge = np.minimum(edge, rows[path] + BAND_HALF)
    return smooth(np.interp(XS, columns, np.minimum(edge, upper + 0.02)), 0.05)


def darkest_path(cost: Floats) -> NDArray[np.int64]:
    """The rows `[W]` of the path from left to right of the least sum of `cost` `[H, W]` and its bends."""
    total, row = cost[:, 0], np.arange(len(cost))
    came = np.zeros(cost.shape, np.int64)
    for column in range(1, cost.shape[1]):
        padded = np.pad(total, 1, constant_values=np.inf)
        choices = np.stack([padded[:-2] + BEND, padded[1:-1], padded[2:] + BEND])
        best = choices.argmin(0)
        came[:, column] = row + best - 1
        total = choices[best, row] + cost[:, column]
    path = [int(total.argmin())]
    for column in range(cost.shape[1] - 1, 0, -1):
        path.append(int(came[path[-1], column]))
    return np.array(path[::-1])


def curve(places: Floats) -> Floats:
    """The heights at `XS` of a smooth curve (cubic Hermite) through `places` `[K, 2]`; level past its
    ends."""
    x, y = places[np.argsort(places[:, 0], kind="stable")].T
    x = np.maximum.accumulate(x) + np.arange(len(x)) * 1e-6
    slopes = np.gradient(y, x)
    right = np.clip(np.searchsorted(x, XS), 1, len(x) - 1)
    step = x[right] - x[right - 1]
    t = np.clip((XS - x[right - 1]) / step, 0, 1)
    start, end = y[right - 1], y[right]
    leave, arrive = slopes[right - 1] * step, slopes[right] * step
    bend = 3 * t**2 - 2 * t**3
    return np.asarray(
        (1 - bend) * start + bend * end + (t - 2 * t**2 + t**3) * leave + (t**3 - t**2) * arrive
    )


def smooth(heights: Floats, sigma: float) -> Floats:
    """A curve at `XS`, averaged with a Gaussian of `sigma` eye widths."""
    step = XS[1] - XS[0]
    reach = int(np.ceil(3 * sigma / step))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / sigma) ** 2)
    return np.convolve(np.pad(heights, reach, mode="edge"), weights / weights.sum(), mode="valid")
