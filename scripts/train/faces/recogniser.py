"""dlib's face recognition network in torch, so that gradients flow through it, and the chips it takes."""

import dlib
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from checkpoints.recogniser import BLOCKS, CHIP, read_trunk

_VIEW = 512  # dlib's landmarks are whole pixels of a view of this size, as in `alignment.identity`


class Recogniser(nn.Module):
    """Chips `[N, 3, 150, 150]` in [-1, 1] -> descriptors `[N, 128]` and, before them, feature maps."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk, rest = read_trunk((*BLOCKS, (256, True)))
        self.register_buffer("last", next(rest).reshape(256, 128))

    def forward(self, chips: Tensor) -> tuple[Tensor, list[Tensor]]:
        """-> descriptors `[N, 128]` float32; feature maps of 32, 64, 128 and 256 channels."""
        *found, x = self.trunk(chips)
        return x.float().mean((2, 3)) @ self.last, found


def chip_transforms(landmarks: NDArray[np.float32]) -> Tensor:
    """dlib's 150-pixel chips of faces with these 68 landmarks `[N, 68, 2]` in the unit square.

    -> `[N, 2, 3]` affines from chip to square, both in the coordinates of `grid_sample` (-1 to 1, borders).
    """
    found = []
    for points in np.floor(landmarks * _VIEW).astype(int):
        low, high = points.min(axis=0), points.max(axis=0)
        shape = dlib.full_object_detection(
            dlib.rectangle(int(low[0]), int(low[1]), int(high[0]), int(high[1])),
            dlib.points([dlib.point(int(x), int(y)) for x, y in points]),
        )
        chip = dlib.get_face_chip_details(shape, size=CHIP, padding=0.25)
        centre = np.array([chip.rect.left() + chip.rect.right(), chip.rect.top() + chip.rect.bottom()]) / 2
        c, s = np.cos(chip.angle), np.sin(chip.angle)
        half = (chip.rect.right() - chip.rect.left() + 1) / 2 * 2 / _VIEW
        middle = (centre + 0.5) * 2 / _VIEW - 1
        found.append([[half * c, -half * s, middle[0]], [half * s, half * c, middle[1]]])
    return torch.tensor(found, dtype=torch.float32)
