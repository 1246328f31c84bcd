"""How the picture moved: a dense flow F from after to before, A(x) ~ B(x + F(x)).

Flows are `[S, S, 2]` float32 in pixels of the working square they were measured in, `(x, y)` order.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class FlowSettings:
    """Measuring the flow.

    smooth: Gaussian sigmas over which the flow is averaged, weighed by its agreement, from fine to wide:
    each fills what the one before had no agreement for. tolerance: forward-backward disagreement at which a
    pixel's vote is half gone. All lengths are pixels of a 512 square.
    """

    smooth: tuple[float, ...] = (3.0, 8.0, 24.0)
    tolerance: float = 2.0


def measure(before: Array, after: Array, settings: FlowSettings, *, reach: Array) -> Array:
    """The flow `[S, S, 2]` between two sRGB pictures `[S, S, 3]` in [0, 1], zero where `reach` `[S, S]` is
    zero.

    Forward and backward search vote: where they disagree (flat skin, things that appear) neighbours that
    agree decide.
    """
    scale = before.shape[0] / 512
    forward = _dis(after, before)
    backward = _dis(before, after)
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
    return unfold((flow * reach[..., None]).astype(np.float32))


def _dis(source: Array, target: Array) -> Array:
    """OpenCV's dense inverse search (Kroeger et al. 2016, arXiv 1603.03590) from `source` to `target`."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
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
    dx_dy, dx_dx = np.gradient(flow[..., 0])
    dy_dy, dy_dx = np.gradient(flow[..., 1])
    return np.asarray((1 + dx_dx) * (1 + dy_dy) - dx_dy * dy_dx, np.float32)


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
