"""How the picture moved: a dense flow F from after to before, A(x) ~ B(x + F(x)).

Flows are `[S, S, 2]` float32 in pixels of the working square they were measured in, `(x, y)` order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Motion = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class FlowSettings:
    """Measuring the flow.

    smooth: Gaussian sigmas over which the flow is averaged, weighed by its agreement, from fine to wide:
    each fills what the one before had no agreement for. tolerance: forward-backward disagreement at which a
    pixel's vote is half gone. All lengths are pixels of a 512 square. rounds: how often what is left between
    the moved before and the after is measured again. known: Gaussian sigma of the surroundings that a handle
    of known motion takes along at first.
    """

    smooth: tuple[float, ...] = (8.0, 24.0)
    tolerance: float = 2.0
    rounds: int = 3
    known: float = 10.0


def measure(
    before: Array,
    after: Array,
    settings: FlowSettings,
    *,
    reach: Array,
    resolution: int | None = None,
    known: Sequence[Motion] = (),
) -> Array:
    """The flow `[S, S, 2]` between two sRGB pictures `[S, S, 3]` in [0, 1], zero where `reach` `[S, S]` is
    zero.

    resolution: the side the pictures had before they were enlarged to S; None: S. known: motions of points
    (from `[K, 2]`, to `[K, 2]`; pixels), one after the other, to start from: on flat skin and along edges
    many flows explain the pictures, and this chooses among them. Each round measures what the rounds before
    left over, so that the last ones look at hardly moved pictures, where the search is exact.
    """
    size = before.shape[0]
    finest = max(
        0, round(np.log2(size / (resolution or size))) - 1
    )  # an octave below the pictures' own pixels
    flow = np.zeros((size, size, 2), np.float32)
    for motion in known:
        step = bumps(motion, size, settings.known * size / 512)
        flow = step + warp(flow, step)
    for _ in range(settings.rounds):
        step = _agreed(warp(before, flow), after, settings, finest)
        flow = step + warp(flow, step)
    return unfold((flow * reach[..., None]).astype(np.float32))


def bumps(motion: Motion, size: int, sigma: float) -> Array:
    """The flow `[S, S, 2]` that takes points (pixels, centres at +0.5) and what is around them along."""
    y, x = np.mgrid[:size, :size].astype(np.float32) + np.float32(0.5)
    flow = np.zeros((size, size, 2), np.float32)
    total = np.zeros((size, size), np.float32)
    for start, end in zip(*(np.asarray(points, np.float32) for points in motion), strict=True):
        weight = np.exp(-((x - end[0]) ** 2 + (y - end[1]) ** 2) / (2 * sigma**2)).astype(np.float32)
        flow += weight[..., None] * (start - end)
        total += weight
    return np.asarray(flow / np.maximum(total, 1)[..., None], np.float32)


def _agreed(before: Array, after: Array, settings: FlowSettings, finest: int) -> Array:
    """One search. Forward and backward search vote: where they disagree (flat skin, things that appear)
    neighbours that agree decide."""
    scale = before.shape[0] / 512
    forward = _dis(after, before, finest)
    backward = _dis(before, after, finest)
    disagreement = np.linalg.norm(forward + warp(backward, forward), axis=-1)
    vote = 1 / (1 + (disagreement / (settings.tolerance * scale)) ** 4)
    flow = np.zeros_like(forward)
    missing = np.ones_like(vote)
    for sigma in settings.smooth:
        weight = blur(vote, sigma * scale)
        mean = blur(forward * vote[..., None], sigma * scale) / np.maximum(weight, 1e-6)[..., None]
        share = missing * np.clip(weight * 2, 0, 1) if sigma != settings.smooth[-1] else missing
        flow += mean * share[..., None]
        missing = missing - share
    return flow


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


def unfold(flow: Array, *, least: float = 0.1, rounds: int = 20) -> Array:
    """Smooth a flow where x + F(x) would fold (Jacobian determinant below `least`) until it does not."""
    sigma = 2.0
    for _ in range(rounds):
        folded = (jacobian(flow) < least).astype(np.float32)
        if not folded.any():
            return flow
        near = np.clip(blur(dilate(folded, 5), sigma) * 4, 0, 1)[..., None]
        flow = flow * (1 - near) + blur(flow, sigma) * near
        sigma = min(sigma * 1.3, flow.shape[0] / 16)
    while (jacobian(flow) < least).any():  # a smaller motion folds less
        flow = flow * np.float32(0.9)
    return flow


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


def _to_bytes(picture: Array) -> NDArray[np.uint8]:
    return np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)
