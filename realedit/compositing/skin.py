"""The skin around an eye, in the eye's own frame: without lashes and folds, and as a lid that it hides."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.compositing.eyes import ABOVE, LUMA, WIDE, XS, Eye, Floats, darkest_path, smooth
from realedit.compositing.flow import Array, blur
from realedit.photos import Photo

# Lengths are eye widths, brightness is told as shares of the skin's.
FINEST, SMOOTHED = 256, 64  # pixels per eye width in which it is looked at, and in which it is averaged
HIDDEN = 0.06  # above the upper lid's edge that lashes hide
RIM = 0.05  # below the lower lid's edge that is wet
SIGMAS = (0.07, 0.18, 0.5, 1.0)  # over which skin is averaged: the finest of which there is enough
RING = (0.3, 0.22, 0.62)  # above, below and beside the eye: skin that says what its lid looks like
FEWEST = 30  # cells of it that are enough
VISIBLE = (0.08, 0.025)  # above the lid's edge its own skin is seen, in the middle, and so far up and down
MADE_UP = (0.97, 1.12)  # of the skin's colours: what a lid's own may be
ALIKE = 0.4  # of a lid's colour that is even all over the eye
SHADES = ((0.14, 1.0), (0.5, 0.02))  # over which skin's shade is averaged, and how much each counts
SHADY = 0.45  # of the shade that a lid lies in as well
NEARBY = 0.07  # how far skin above the eye is toned by its brightest parts,
TONES = (0.35, 1.05)  # by how much,
KNOWN = 0.3  # and how much of it must be skin to be believed
BAND_TALL = 0.35  # what is dark and taller is a shadow, not a brow or a frame
BAND_DARK = 0.55  # brightness of a band, in the mean and beside the eye; of most of it a little more
BAND_SURE, LASH_LINE = 0.42, 0.06  # the same beside the eye, of what lies so near to the lid as lashes do
BAND_HALF = 0.08  # from the middle of a band to its edge, at the most
LASHES_COST = 0.2  # brightness that a band so near to the eye is believed to have more
BAND_SCALE = 80  # cells per eye width in which it is looked for


@dataclass(frozen=True)
class Skin:
    """The skin around an eye: pictures `[H, W, ...]` of the frame, `WIDE` to both sides, over the eye's
    span.

    base: sRGB in [0, 1] without what is dark and narrow, such as lashes, crease and wrinkles. shade: how
    bright the photo is, in shares of the base. lid: what a lid looks like that comes to light, even over the
    whole eye. band: the heights at `XS` of the lower edge of what
    crosses it above the eye and lies over it, a frame of glasses or a low brow; None without.
    """

    base: Array
    shade: Array
    lid: Array
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
        lid = _shaded(toned + ALIKE * (_even(small, seen, eye) - toned), small, seen, coarse)
        base, lid = (np.asarray(cv2.resize(each, picture.shape[1::-1]), np.float32) for each in (toned, lid))
        shade: Array = np.asarray((picture @ LUMA) / np.maximum(base @ LUMA, 1e-3), np.float32)
        return cls(base, shade, lid, _band(picture, eye, scale))


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


def _even(picture: Array, seen: NDArray[np.bool_], eye: Eye) -> Array:
    """Skin close to the eye as a plane of colours over the frame: what is darker or lighter than most of it,
    such as a fold, a frame of glasses or a gleam, counts little."""
    low, high = eye.span
    rows = low + (np.arange(picture.shape[0]) + 0.5)[:, None] * (high - low) / picture.shape[0]
    columns = -WIDE + (np.arange(picture.shape[1]) + 0.5) * 2 * WIDE / picture.shape[1]
    above, below = (np.interp(columns, XS, each) for each in (eye.upper - RING[0], eye.lower + RING[1]))
    x, y = np.broadcast_arrays(columns, rows)
    near = seen & (y > above) & (y < below) & (np.abs(x) < RING[2])
    terms = np.stack([np.ones(x.shape), x, y], -1)
    if near.sum() < FEWEST:
        near = seen
    known, colours = terms[near], picture[near].astype(np.float64)
    luma = colours @ LUMA
    weight = np.ones(len(known))
    for _ in range(6):
        damped = np.diag([0, 0.02, 0.02]) * weight.sum()
        planes = np.linalg.solve(
            (known.T * weight) @ known + damped + 1e-9 * np.eye(3), (known.T * weight) @ colours
        )
        ratio = luma / np.maximum(known @ planes @ LUMA, 1e-3)
        weight = np.clip((ratio - 0.86) / 0.12, 0.02, 1) * np.clip((1.35 - ratio) / 0.15, 0.05, 1)
    whole = terms @ planes
    visible = (np.abs(y - np.interp(columns, XS, eye.upper) + VISIBLE[0]) < VISIBLE[1]) & (np.abs(x) < 0.3)
    if visible.any():
        own = np.median(picture[visible] / np.maximum(whole[visible], 0.02), axis=0)
        whole = whole * np.clip(own, *MADE_UP)
    return np.asarray(np.clip(whole, 0.01, 1), np.float32)


def _shaded(lid: Array, picture: Array, seen: NDArray[np.bool_], scale: float) -> Array:
    """Lids' colours, nearly as dark as the skin around is on average: a socket lies in the shade."""
    weight = seen.astype(np.float32)
    luma, total = np.zeros_like(weight), np.full(weight.shape, 1e-6, np.float32)
    for sigma, share in SHADES:
        luma += share * blur(np.asarray(picture @ LUMA * weight, np.float32), sigma * scale)
        total += share * blur(weight, sigma * scale)
    ratio = np.clip(luma / total / np.maximum(lid @ LUMA, 1e-3), 0.3, 1.1) ** SHADY
    return np.asarray(lid * ratio[..., None], np.float32)


def _toned(base: Array, picture: Array, seen: NDArray[np.bool_], eye: Eye, scale: float) -> Array:
    """The skin above the eye as bright as its brightest parts are nearby: a socket may lie in the shade."""
    luma = blur(np.asarray(picture @ LUMA, np.float32), 0.015 * scale) * seen.astype(np.float32)
    side = 2 * max(1, round(NEARBY * scale)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    bright = np.asarray(cv2.dilate(luma, disc), np.float32)
    known = blur((bright > 0).astype(np.float32), NEARBY * scale / 2)
    nearby = blur(bright, NEARBY * scale / 2) / np.maximum(known, 1e-3)
    tone = np.clip(nearby / np.maximum(base @ LUMA, 1e-3), *TONES) ** 0.8
    tone = 1 + np.clip(known / KNOWN, 0, 1) * (tone - 1)
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
