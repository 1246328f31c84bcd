"""An encoder's eye for faces: it sees who somebody is without having learned it from few portraits."""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .recogniser import BLOCKS, CHIP, FaceTrunk, read_trunk


class FaceBranch(nn.Module):
    """Who is in a crop, for an encoder: crop `[N, 3, R, R]` in [-1, 1] -> `[N, hidden]`.

    window `[2, 3]`: the affine from chip to crop, in the coordinates of `grid_sample`: the place of a usual
    face in an FFHQ square. The last feature map's mean, standardised, goes through a linear layer. The
    trunk is no part of the state: it is dlib's, read from dlib's file when first used.
    """

    window: Tensor
    centre: Tensor
    spread: Tensor

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self._read: tuple[FaceTrunk, ...] = ()  # in a tuple it is no submodule
        width = BLOCKS[-1][0]
        for name, shape in (("window", (2, 3)), ("centre", (width,)), ("spread", (width,))):
            self.register_buffer(name, torch.empty(shape))
        self.fc = nn.Linear(width, hidden, bias=False)

    @property
    def trunk(self) -> FaceTrunk:
        """dlib's convolutions, on the branch's device. Raises CheckpointError where their file is missing."""
        if not self._read or self._read[0].mean.device != self.window.device:
            self._read = (read_trunk()[0].to(self.window.device),)
        return self._read[0]

    def forward(self, crop: Tensor) -> Tensor:
        return cast(Tensor, self.fc(self.standardised(self.chips(crop))))

    def chips(self, crop: Tensor) -> Tensor:
        """The usual face's place in crops `[N, 3, R, R]` in [-1, 1], of any size: `[N, 3, 150, 150]`."""
        n = len(crop)
        grid = F.affine_grid(self.window.expand(n, 2, 3), [n, 3, CHIP, CHIP], align_corners=False)
        return F.grid_sample(crop, grid, padding_mode="border", align_corners=False)

    def standardised(self, chips: Tensor) -> Tensor:
        """The trunk's last means `[N, 256]` of chips, each with a deviation of about one."""
        means: Tensor = self.trunk(chips)[-1].float().mean((2, 3))
        return (means - self.centre) / self.spread
