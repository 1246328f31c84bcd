"""Where a motion reaches the edge of the square that the model sees: it dies away in the photo around it.

A face's square ends just below the chin. Cut off there, a chin that moves ends in a line; held there, it does
not move. The photo goes on, so the motion does too, and stretches what is beside the square.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from alignment import Alignment
from alignment.warp import valid_mask
from realedit.compositing.change import Change
from realedit.compositing.flow import Array, Bounds, FlowSettings, distance, unfold

MARGIN = 1 / 8  # of the square's side: how far beyond it the photo may move


def beyond(change: Change, alignment: Alignment, size: tuple[int, int]) -> tuple[Change, Alignment]:
    """The change on a larger square that nothing moves on the rim of, and that square; as they are where
    nothing moves on the rim already.

    size: the photo's (width, height). Beyond the square pixels only move: nothing is added there.
    """
    edges = [change.flow[side] for side in (0, -1)] + [change.flow[:, side] for side in (0, -1)]
    if not any(edge.any() for edge in edges):
        return change, alignment
    margin = round(MARGIN * change.size)
    larger = change.size + 2 * margin
    square = replace(alignment, side=alignment.side * larger / change.size)
    outside = np.ones((larger, larger), np.bool_)
    outside[margin:-margin, margin:-margin] = False
    t = np.clip(1 - distance(outside) / margin, 0, 1)
    fade = np.asarray(t * t * (3 - 2 * t), np.float32)  # 1 in the square, 0 on the larger one's rim
    flow = _padded(change.flow, margin) * fade[..., None]
    bounds = Bounds.of(np.abs(flow).sum(-1), valid_mask(*size, square, larger))
    amount = _padded(change.amount, margin) * fade
    return (
        Change(
            flow=unfold(flow, most=FlowSettings().strain, bounds=bounds),
            residual=_padded(change.residual, margin, cv2.BORDER_CONSTANT),
            trust=np.where(outside, np.float32(1), _padded(change.trust, margin)),
            generated=_padded(change.generated, margin),
            amount=np.where(amount < 1 / 512, np.float32(0), amount),
            resolution=change.resolution,
        ),
        square,
    )


def _padded(picture: NDArray[np.float32], margin: int, border: int = cv2.BORDER_REPLICATE) -> Array:
    return np.asarray(cv2.copyMakeBorder(picture, margin, margin, margin, margin, border), np.float32)
