"""The convolutions of dlib's face recognition network, whose features tell people apart.

An encoder that was given them sees who somebody is without having learned it from its own, few portraits. The
architecture is dlib's (Davis King, `dnn_face_recognition_ex`): a 7x7 convolution of stride 2 and max pooling,
then residual blocks of two 3x3 convolutions; where the width grows the resolution halves, with an
average-pooled shortcut that is extended with zeros in channels and size. Affine layers are folded into the
convolutions.
"""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHIP = 150
"""Height and width of the aligned face, dlib's chip, that the network takes."""

BLOCKS = (*[(32, False)] * 3, (64, True), *[(64, False)] * 3, (128, True), *[(128, False)] * 2,
          (256, True), *[(256, False)] * 2)  # fmt: skip
"""Width of each residual block and whether it halves; dlib's network has one more that halves."""


class FaceTrunk(nn.Module):
    """Chips `[N, 3, 150, 150]` in [-1, 1] -> feature maps of 32, 64, 128 and 256 channels; frozen buffers."""

    mean: Tensor

    def __init__(self, blocks: Sequence[tuple[int, bool]] = BLOCKS) -> None:
        super().__init__()
        self.first = FrozenConv(3, 32, 7, 2)
        self.blocks = nn.ModuleList()
        width = 32
        for out, halves in blocks:
            pair = [FrozenConv(width, out, 3, 2 if halves else 1), FrozenConv(out, out, 3, 1)]
            self.blocks.append(nn.ModuleList(pair))
            width = out
        self.register_buffer("mean", torch.empty(3))  # of the pixels, in [-1, 1]

    def forward(self, chips: Tensor) -> list[Tensor]:
        """The last feature map of each width or resolution, finest first."""
        x = (chips - self.mean.to(chips.dtype)[:, None, None]) * (127.5 / 256)
        x = F.max_pool2d(F.relu(self.first(x)), 3, 2)
        found: list[Tensor] = []
        for pair in self.blocks:
            one, two = cast(tuple[FrozenConv, FrozenConv], pair)
            y = two(F.relu(one(x)))
            if one.stride == 2:
                found.append(x)
                x = F.avg_pool2d(x, 2)
            x = F.relu(_extended(x, y) + _extended(y, x))
        return [*found, x]


class FrozenConv(nn.Module):
    """A convolution that is not trained: weight `[O, I, k, k]`, bias `[O]`; padded where its stride is 1."""

    weight: Tensor
    bias: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.empty(outputs, inputs, kernel, kernel))
        self.register_buffer("bias", torch.empty(outputs))
        self.stride = stride
        self.padding = kernel // 2 if stride == 1 else 0

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight.to(x.dtype), self.bias.to(x.dtype), self.stride, self.padding)


class FaceBranch(nn.Module):
    """Who is in a crop, for an encoder: crop `[N, 3, R, R]` in [-1, 1] -> `[N, hidden]`.

    window `[2, 3]`: the affine from chip to crop, in the coordinates of `grid_sample`: the place of a usual
    face in an FFHQ square. The last feature map's mean, standardised, goes through a linear layer.
    """

    window: Tensor
    centre: Tensor
    spread: Tensor

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.trunk = FaceTrunk()
        width = BLOCKS[-1][0]
        for name, shape in (("window", (2, 3)), ("centre", (width,)), ("spread", (width,))):
            self.register_buffer(name, torch.empty(shape))
        self.fc = nn.Linear(width, hidden, bias=False)

    def forward(self, crop: Tensor) -> Tensor:
        n = len(crop)
        grid = F.affine_grid(self.window.expand(n, 2, 3), [n, 3, CHIP, CHIP], align_corners=False)
        chips = F.grid_sample(crop, grid, padding_mode="border", align_corners=False)
        return cast(Tensor, self.fc(self.standardised(chips)))

    def standardised(self, chips: Tensor) -> Tensor:
        """The trunk's last means `[N, 256]` of chips, each with a deviation of about one."""
        means: Tensor = self.trunk(chips)[-1].float().mean((2, 3))
        return (means - self.centre) / self.spread


def _extended(x: Tensor, like: Tensor) -> Tensor:
    """x with zeros added where `like` has more channels, rows or columns."""
    more = [max(0, b - a) for a, b in zip(x.shape[1:], like.shape[1:], strict=True)]
    return F.pad(x, (0, more[2], 0, more[1], 0, more[0])) if any(more) else x
