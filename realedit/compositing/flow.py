"""How the picture moved: a dense flow F from after to before, A(x) ~ B(x + F(x)).

Flows are `[S, S, 2]` float32 in pixels of the working square they were measured in, `(x, y)` order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_FLAT = 1e-6  # squared gradient per pixel, of white, below which a surface shows no motion
_SLOPE = 0.45  # how fast a motion may die away towards its bounds, per pixel; it strains by 1 / (1 - _SLOPE)


@dataclass(frozen=True, kw_only=True)
class FlowSettings:
    """Measuring the flow.

    smooth: Gaussian sigmas over which the flow is averaged, weighed by its agreement, from fine to wide:
    each fills what the one before had no agreement for. tolerance: forward-backward disagreement at which a
    pixel's vote is half gone. All lengths are pixels of a 512 square. least: the finest sigma is at least so
    many of the generator's own pixels, and the others in proportion. rounds: how often what is left between
    the moved before and the after is measured again. strain: how far the photo is stretched or squeezed at
    the most; a flow that bends it more is smoothed until it does not.
    In the generator's own pixels: aliasing, the Gaussian sigma by which both pictures are blurred first;
    window, that of the least-squares step at the end, and most, its length at the most.
    """

    smooth: tuple[float, ...] = (8.0, 24.0)
    tolerance: float = 2.0
    least: float = 3.0
    rounds: int = 4
    strain: float = 2.0
    aliasing: float = 0.4
    window: float = 2.5
    most: float = 0.5


@dataclass(frozen=True)
class Known:
    """What is known of a flow: `flow` `[S, S, 2]` where `weight` `[S, S]` is above 0, which counts as so many
    pixels' votes. Where it is 0 pixels go another way, and the flow goes on as it is around them; below 0 it
    is measured.
    """

    flow: Array
    weight: Array


@dataclass(frozen=True)
class Bounds:
    """What a flow may not cross; None: nothing is in its way.

    still `[S, S]`: each pixel's distance to where nothing moves; the flow dies away towards it, and is zero
    there. edge `[S, S]`: its distance to the photo's edge, negative beyond it, where there are no pixels to
    come from: the flow slides along it. Both in pixels.
    """

    still: Array | None = None
    edge: Array | None = None

    @classmethod
    def of(cls, reach: Array, valid: NDArray[np.bool_] | None = None, *, rim: bool = True) -> "Bounds":
        """Zero where `reach` `[S, S]` is zero and, with `rim`, on the square's rim; nothing comes from where
        the photo has no pixels (`valid` `[S, S]` False)."""
        moving = (reach > 0).astype(np.uint8)
        if rim:
            moving[[0, -1]] = moving[:, [0, -1]] = 0
        edge = None if valid is None or valid.all() else distance(valid) - distance(~valid)
        return cls(distance(moving), edge)

    def hold(self, flow: Array) -> Array:
        """The flow within the bounds; where it keeps to them it stays as it is."""
        if self.still is not None:
            length = np.linalg.norm(flow, axis=-1)
            flow = flow * np.minimum(1, _SLOPE * self.still / np.maximum(length, 1e-6))[..., None]
        if self.edge is not None:
            down, right = (np.asarray(part, np.float32) for part in np.gradient(blur(self.edge, 1.0)))
            inwards = np.stack([right, down], -1)
            inwards /= np.maximum(np.linalg.norm(inwards, axis=-1, keepdims=True), 1e-6)
            outwards = -(flow * inwards).sum(-1)
            excess = np.maximum(outwards - _SLOPE * np.maximum(self.edge, 0), 0)
            flow = flow + excess[..., None] * inwards
        return np.asarray(flow, np.float32)


def measure(
    before: Array,
    after: Array,
    settings: FlowSettings,
    *,
    reach: Array,
    resolution: int | None = None,
    known: Known | None = None,
    bounds: Bounds | None = None,
    sure: Array | None = None,
    start: Array | None = None,
    whole: float = 1.0,
) -> Array:
    """The flow `[S, S, 2]` between two sRGB pictures `[S, S, 3]` in [0, 1], zero where `reach` `[S, S]` is
    zero and on the square's rim.

    resolution: the side the pictures had before they were enlarged to S; None: S. known: what is
    known of the flow. bounds: what it may not cross; None: those of `reach`. sure `[S, S]`: how much
    each pixel's motion counts, 0 to 1; None: all alike. start `[S, S, 2]`: a flow that is nearly right, such
    as that of the picture before. whole: the side of the square that lengths are told of, where the pictures
    are a part of it, in sides of theirs. Each round measures what the rounds before left over,
    so that the last ones look at hardly moved pictures, where the search is exact.
    """
    size = before.shape[0]
    scale, pixel = size * whole / 512, size / (resolution or size)
    finest = max(0, round(np.log2(pixel)) - 1)  # halvings: an octave below the pictures' own pixels
    widen = scale * max(1.0, settings.least * pixel / (settings.smooth[0] * scale))
    before, after = (blur(picture, settings.aliasing * pixel) for picture in (before, after))
    believed = np.ones((size, size), np.float32) if sure is None else sure
    flow = np.zeros((size, size, 2), np.float32) if start is None else start
    for _ in range(settings.rounds):
        found, votes = _search(warp(before, flow), after, finest, settings.tolerance * scale)
        votes = votes * warp(believed, flow)
        if known is not None:
            found = np.where(known.weight[..., None] > 0, known.flow - flow, found)
            votes = np.where(known.weight >= 0, known.weight, votes)
        step = _filled(found, votes, [sigma * widen for sigma in settings.smooth])
        flow = step + warp(flow, step)
    moved, weight = warp(before, flow), warp(believed, flow)
    step = _least_squares(moved, after, settings.window * pixel, settings.most * pixel, weight)
    if known is not None:
        step = np.where(known.weight[..., None] >= 0, np.float32(0), step)
    flow = step + warp(flow, step)
    bounds = bounds or Bounds.of(reach)
    return unfold((flow * reach[..., None]).astype(np.float32), most=settings.strain, bounds=bounds)


def _search(before: Array, after: Array, finest: int, tolerance: float) -> tuple[Array, Array]:
    """The flow from after to before and each pixel's vote `[S, S]`: less where the way back disagrees (flat
    skin, things that appear)."""
    forward = _dis(after, before, finest)
    backward = _dis(before, after, finest)
    disagreement = np.linalg.norm(forward + warp(backward, forward), axis=-1)
    return forward, np.asarray(1 / (1 + (disagreement / tolerance) ** 4), np.float32)


def _least_squares(before: Array, after: Array, sigma: float, most: float, weight: Array) -> Array:
    """The small motion from after to before that explains their difference best around each pixel (Lucas and
    Kanade 1981), weighed by a Gaussian of `sigma` and `weight` `[S, S]`, no longer than `most`."""
    b, a = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (before, after))
    y, x = (np.asarray(part, np.float32) for part in np.gradient((a + b) / 2))
    change = a - b
    products = (x * x, x * y, y * y, x * change, y * change)
    xx, xy, yy, xt, yt = (blur(product * weight, sigma) for product in products)
    xx, yy = xx + np.float32(_FLAT), yy + np.float32(_FLAT)
    step = np.stack([yy * xt - xy * yt, xx * yt - xy * xt], -1) / (xx * yy - xy * xy)[..., None]
    length = np.linalg.norm(step, axis=-1, keepdims=True)
    return np.asarray(step * np.minimum(1, most / np.maximum(length, 1e-6)), np.float32)


def _filled(flow: Array, vote: Array, sigmas: Sequence[float]) -> Array:
    """The votes' mean over the finest of `sigmas` that has enough of them."""
    filled = np.zeros_like(flow)
    missing = np.ones_like(vote)
    for sigma in sigmas:
        weight = blur(vote, sigma)
        mean = blur(flow * vote[..., None], sigma) / np.maximum(weight, 1e-6)[..., None]
        share = missing * np.clip(weight * 2, 0, 1) if sigma != sigmas[-1] else missing
        filled += mean * share[..., None]
        missing = missing - share
    return filled


def _dis(source: Array, target: Array, finest: int) -> Array:
    """OpenCV's dense inverse search (Kroeger et al. 2016, arXiv 1603.03590) from `source` to `target`; the
    pictures are halved `finest` times at least."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(finest)
    grey = [cv2.cvtColor(_to_bytes(picture), cv2.COLOR_RGB2GRAY) for picture in (source, target)]
    start = np.zeros((*source.shape[:2], 2), np.float32)
    return np.asarray(search.calc(grey[0], grey[1], start), np.float32)


def warp(picture: Array, flow: Array) -> Array:
    """picture(x + flow(x)), bilinear, the border extended."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    moved = cv2.remap(
        picture, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.float32)


def unfold(
    flow: Array,
    *,
    least: float = 0.1,
    most: float = np.inf,
    rounds: int = 20,
    bounds: Bounds | None = None,
) -> Array:
    """Smooth a flow where x + F(x) would fold (Jacobian determinant below `least`), or stretch or squeeze by
    more than `most`, until it does not. It stays within the `bounds`, however far it is smoothed."""
    held = bounds or Bounds()
    sigma, flow = 2.0, held.hold(flow)
    for _ in range(rounds):
        bent = _bent(flow, least, most).astype(np.float32)
        if not bent.any():
            return flow
        near = np.clip(blur(dilate(bent, 5), sigma) * 4, 0, 1)[..., None]
        flow = held.hold(flow * (1 - near) + blur(flow, sigma) * near)
        sigma = min(sigma * 1.3, flow.shape[0] / 16)
    while _bent(flow, least, most).any():  # a smaller motion bends less
        flow = flow * np.float32(0.9)
    return flow


def _bent(flow: Array, least: float, most: float) -> NDArray[np.bool_]:
    return np.asarray((jacobian(flow) < least) | (strain(flow) > most), np.bool_)


def jacobian(flow: Array) -> Array:
    """Determinant of the derivative of x + F(x), `[S, S]`."""
    (a, b), (c, d) = _derivative(flow)
    return np.asarray(a * d - b * c, np.float32)


def strain(flow: Array) -> Array:
    """How far x + F(x) stretches or squeezes at the most in any direction, `[S, S]`, 1 = not at all."""
    (a, b), (c, d) = _derivative(flow)
    squares = (a * a + b * b + c * c + d * d) / 2
    determinant = a * d - b * c
    root = np.sqrt(np.maximum(squares**2 - determinant**2, 0))
    largest = np.sqrt(squares + root)  # the larger singular value; their product is the determinant
    smallest = np.abs(determinant) / np.maximum(largest, 1e-6)
    return np.asarray(np.maximum(largest, 1 / np.maximum(smallest, 1e-3)), np.float32)


def _derivative(flow: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Of x + F(x): rows are the components, columns the directions x and y."""
    dx_dy, dx_dx = (np.asarray(part, np.float32) for part in np.gradient(flow[..., 0]))
    dy_dy, dy_dx = (np.asarray(part, np.float32) for part in np.gradient(flow[..., 1]))
    one = np.float32(1)
    return (dx_dx + one, dx_dy), (dy_dx, dy_dy + one)


def blur(picture: Array, sigma: float) -> Array:
    """Gaussian blur that mirrors at the border; none for a sigma near zero."""
    if sigma < 0.05:
        return picture
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), np.float32)


def dilate(picture: Array, size: int) -> Array:
    """The largest value in a square of `size` pixels around each pixel."""
    return np.asarray(cv2.dilate(picture, np.ones((size, size), np.uint8)), np.float32)


def distance(inside: NDArray[np.generic]) -> Array:
    """Each pixel's distance to the nearest that is not inside, `[S, S]`."""
    return np.asarray(
        cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32
    )


def _to_bytes(picture: Array) -> NDArray[np.uint8]:
    return np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)
