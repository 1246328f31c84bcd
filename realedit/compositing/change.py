"""What the edit did, at the crop's scale: how pixels moved, what appeared, and what to do where neither is
known."""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.compositing.flow import Array, Bounds, FlowSettings, blur, dilate, measure, warp
from realedit.compositing.membrane import membrane
from realedit.compositing.opening import Mouth, part
from realedit.compositing.tone import LUMA
from realedit.plumbing.choices import MODES as MODES
from realedit.plumbing.choices import Mode as Mode

_LEAST_ERROR = 0.01  # share of white: a likeness that is nearer shows everything


@dataclass(frozen=True, kw_only=True)
class ChangeSettings:
    """How before and after are compared; lengths are pixels of a 512 square, colours shares of 1.

    mode: `detail` moves the photo's own pixels; `plain` shows the generator's, shifted to the photo's local
    colours; `seamless` shows them with their gradients, shifted so that they meet the photo at the border.
    size: side of the working square, at least the crop's.
    colour_match: Gaussian sigma over which generated pixels take the photo's colours.
    still_colour, still_motion: change below which nothing happened.
    noise: what is added must be larger than this, and than own_error times what the generator gets wrong
    anyway.
    new: local size of what is added at which the generator's pixels are half shown instead of moved ones.
    rim: share of the square's side over which what is added or shown instead fades in from its edge.
    """

    mode: Mode = "detail"
    size: int = 512
    colour_match: float = 16.0
    still_colour: float = 0.012
    still_motion: float = 0.35
    noise: float = 0.05
    own_error: float = 1.0
    new: float = 0.2
    rim: float = 0.03
    flow: FlowSettings = field(default_factory=FlowSettings)


@dataclass(frozen=True)
class Change:
    """All on one working square `[S, S]`, to whose rim a motion may reach; `paste` goes on from there.

    flow `[S, S, 2]`: where a pixel comes from, relative, in pixels of the square. residual `[S, S, 3]`: what
    is added after moving. trust `[S, S]`: 1 = move the photo and add the residual; 0 = show `generated` `[S,
    S, 3]` instead. amount `[S, S]`: 0 = leave the photo alone, 1 = the whole change. Colours are sRGB in [0,
    1]. resolution: the side of the pictures that were compared.
    """

    flow: Array
    residual: Array
    trust: Array
    generated: Array
    amount: Array
    resolution: int

    @property
    def size(self) -> int:
        """Side of the working square."""
        return int(self.amount.shape[0])

    @property
    def empty(self) -> bool:
        """True when nothing changed anywhere."""
        return not bool(self.amount.any())

    def moved_alone(self, where: Array) -> "Change":
        """The same, but at `where` `[S, S]`, 0 to 1, pixels move and nothing is added or shown instead."""
        return replace(
            self,
            residual=self.residual * (1 - where)[..., None],
            trust=np.maximum(self.trust, where),
        )


def describe(
    before: NDArray[np.floating],
    after: NDArray[np.floating],
    crop: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    reach: NDArray[np.float32],
    settings: ChangeSettings,
    *,
    inverted: NDArray[np.uint8] | None = None,
    mouth: Mouth | None = None,
    start: Array | None = None,
    whole: float = 1.0,
) -> Change:
    """Explain the step from before to after.

    before, after `[R, R, 3]` sRGB in [0, 1] from the same generator; crop `[R, R, 3]` uint8 and valid `[R,
    R]` the aligned photo; reach `[R, R]` where the drag may act; inverted `[R, R, 3]`: the crop that before
    shows, where the photo was edited since then. mouth: where the face's landmarks are and go to, if known:
    what is between lips that part is the generator's. start, whole: as in `measure`; `settings.size` is the
    side of the part.
    """
    resolution = before.shape[0]
    size = max(settings.size, resolution)
    if np.array_equal(before, after):
        return _nothing(size, resolution)
    scale = size * whole / 512
    b, a = _enlarge(before, size), _enlarge(after, size)
    photo = _enlarge(crop.astype(np.float32) / 255, size)
    seen = photo if inverted is None else _enlarge(inverted.astype(np.float32) / 255, size)
    here = _enlarge(valid.astype(np.float32), size)
    known = _enlarge(-dilate(-valid.astype(np.float32), 3), size)  # enlarged from the photo's pixels alone
    photographed = _enlarge(dilate(valid.astype(np.float32), 3), size) > 0  # its pixels at the edge too
    within, edge = _enlarge(reach, size), rim(size, settings.rim * whole)
    error = _mean(np.abs(seen - b).mean(-1), known, 4 * scale)  # what the generator gets wrong anyway
    sure = believed(error, within > 0)
    inside = np.zeros_like(within)
    bounds = Bounds.of(within, here > 0.5, rim=False)  # beyond it the photo goes on: see `beyond`
    if mouth is not None and mouth.parts and settings.mode == "detail":
        flow, inside = part(
            b, a, mouth, settings.flow, reach=within, resolution=resolution, bounds=bounds, sure=sure
        )
    else:
        flow = measure(
            b, a, settings.flow,
            reach=within, resolution=resolution, bounds=bounds, sure=sure, start=start, whole=whole,
        )  # fmt: skip
    a = within_colours(a, photo, within * (here > 0.5) > 0.02)
    still = np.maximum(
        blur(np.abs(a - b).max(-1), 3 * scale) / settings.still_colour,
        np.linalg.norm(flow, axis=-1) / (settings.still_motion * scale),
    )
    active = dilate(np.clip(still - 1, 0, 1), 5)
    amount = within * photographed * np.clip(blur(active, 4 * scale) * 1.5, 0, 1)
    amount = np.where(amount < 1 / 512, 0, amount).astype(np.float32)
    if settings.mode != "detail":
        matched = _matched(a, photo - b, flow, amount > 0, known, settings, whole)
        return replace(_nothing(size, resolution), generated=matched, amount=amount * edge)
    residual = a - warp(b, flow)
    residual = shrink(residual, settings.noise + settings.own_error * warp(error, flow), 2 * scale)
    appeared = blur(np.abs(residual).mean(-1), 2 * scale) / settings.new
    generated = _matched(a, photo - b, flow, amount > 0, known, settings, whole)
    if mouth is not None and inside.any():
        generated = np.where(
            inside[..., None] > 0, within_hues(generated, photo, mouth.lips(size), rare=0.05), generated
        )
    trust = 1 - (1 - (1 - inside) / (1 + appeared**4)) * edge
    return Change(
        flow,
        residual * edge[..., None],
        trust.astype(np.float32),
        generated,
        amount,
        resolution,
    )


def believed(error: Array, where: NDArray[np.bool_]) -> Array:
    """How much a pixel's motion counts, `[S, S]`: half where before differs from the photo by as much as in
    the median at `where`. Things that the generator draws roughly, like the frames of glasses, go in all
    directions in its pictures; they move as what is around them does."""
    usual = max(float(np.median(error[where])) if where.any() else 0.0, _LEAST_ERROR)
    return np.asarray(1 / (1 + (error / usual) ** 4), np.float32)


def _matched(
    after: Array,
    difference: Array,
    flow: Array,
    where: NDArray[np.bool_],
    known: Array,
    settings: ChangeSettings,
    whole: float,
) -> Array:
    """`after` in the photo's colours; difference `[S, S, 3]`: the photo minus before, which counts where
    `known` `[S, S]` is above 0: beyond the photo's edge it is made up."""
    if settings.mode == "seamless":
        return np.asarray(after + membrane(difference, where), np.float32)
    sigma = settings.colour_match * after.shape[0] * whole / 512
    return np.asarray(after + warp(_mean(difference, known, sigma), flow), np.float32)


def _mean(picture: Array, weight: Array, sigma: float) -> Array:
    """The Gaussian mean around each pixel of `picture` `[S, S, ...]`, weighed by `weight` `[S, S]`."""
    weights = weight if picture.ndim == 2 else weight[..., None]
    total = blur(weight, sigma)
    total = total if picture.ndim == 2 else total[..., None]
    return np.asarray(blur(picture * weights, sigma) / np.maximum(total, 1e-3), np.float32)


def rim(size: int, width: float) -> Array:
    """0 on the border of a square of `size` pixels, rising to 1 over a share `width` of its side."""
    apart = np.minimum(np.arange(size), np.arange(size)[::-1]) / max(width * size, 1.0)
    near = np.minimum(*np.meshgrid(apart, apart))
    t = np.clip(near, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def within_colours(picture: Array, photo: Array, where: NDArray[np.bool_]) -> Array:
    """`picture` `[S, S, 3]` held to the brightness and hues that `photo` has at `where` `[S, S]`, or darker,
    or neutral.

    A generator that is pushed far makes colours no face has; what appears in a face is made of the face's
    colours, of shade and of white.
    """
    if not where.any():
        return picture
    most = float(np.quantile(photo[where] @ LUMA, 0.995))
    return within_hues(picture, photo, where, most=most)


def within_hues(
    picture: Array,
    photo: Array,
    where: NDArray[np.bool_],
    *,
    most: float | None = None,
    rare: float = 0.005,
) -> Array:
    """`picture` held to the hues that `photo` has at `where` in more than a share of `rare`, or more neutral,
    and to a luma of `most`."""
    y, py = picture @ LUMA, photo[where] @ LUMA
    held = np.clip(y, 0, most)[..., None]
    chroma, pchroma = picture - y[..., None], photo[where] - py[:, None]
    low = np.minimum(np.quantile(pchroma, rare, axis=0), 0)
    high = np.maximum(np.quantile(pchroma, 1 - rare, axis=0), 0)
    clipped = np.clip(chroma, low, high)
    return np.asarray(held + clipped - (clipped @ LUMA)[..., None], np.float32)


def shrink(residual: Array, threshold: Array, sigma: float) -> Array:
    """Take `threshold` `[S, S]` off the residual's local size `[S, S, 3]`: what is no larger than noise is
    not added."""
    size = blur(np.abs(residual).mean(-1), sigma)
    kept = np.clip(1 - threshold / np.maximum(size, 1e-6), 0, 1)
    return np.asarray(residual * kept[..., None], np.float32)


def _nothing(size: int, resolution: int) -> Change:
    flat = np.zeros((size, size), np.float32)
    three = np.zeros((size, size, 3), np.float32)
    return Change(np.zeros((size, size, 2), np.float32), three, flat, three, flat, resolution)


def _enlarge(picture: NDArray[np.floating], size: int) -> Array:
    picture = np.ascontiguousarray(picture, np.float32)
    if picture.shape[0] == size:
        return picture
    interpolation = cv2.INTER_CUBIC if picture.ndim == 3 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (size, size), interpolation=interpolation), np.float32)
