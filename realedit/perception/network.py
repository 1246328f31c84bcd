"""The networks that see a face: one looks at the whole view, one at an eye, one at the mouth.

All are plain convolutions with residual blocks. Pictures are `[N, 3, S, S]` in [-1, 1]; places are in the
unit square of the picture (0 to 1 from border to border), depth in the same unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from realedit.perception.points import COUNT

VIEW_SIZE = 192
EYE_SIZE = 64
MOUTH_SIZE = 96
MATTE_SIZE = VIEW_SIZE // 2

_VIEW_PATCH, _VIEW_WIDTHS = 4, (32, 64, 128, 160)
_DETAIL_PATCH, _DETAIL_WIDTHS = 2, (32, 64, 96)
_LATERAL = 32
EYE_FACTS = 1  # the logit of glasses
_FACTS = 3  # a face's logit, the logarithms of its blur and of the points' error


class Conv(nn.Module):
    """A 3x3 (or 1x1) convolution with bias and ReLU; while it is trained, normalised over the batch."""

    def __init__(
        self, inputs: int, outputs: int, *, stride: int = 1, kernel: int = 3, norm: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=not norm)
        self.norm = nn.BatchNorm2d(outputs) if norm else None

    def forward(self, x: Tensor, *, linear: bool = False) -> Tensor:
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        return x if linear else F.relu(x)


class Stage(nn.Module):
    """A convolution, which halves the resolution where its stride is 2, then a residual block."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 2, norm: bool) -> None:
        super().__init__()
        self.down = Conv(inputs, outputs, stride=stride, norm=norm)
        self.one = Conv(outputs, outputs, norm=norm)
        self.two = Conv(outputs, outputs, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        return F.relu(x + self.two(self.one(x), linear=True))


class Head(nn.Module):
    """A small feature map, flattened, to numbers: so every number may look at every place."""

    def __init__(self, inputs: int, cells: int, kept: int, hidden: int, outputs: int, *, norm: bool) -> None:
        super().__init__()
        self.reduce = Conv(inputs, kept, kernel=1, norm=norm)
        self.hidden = nn.Linear(kept * cells * cells, hidden)
        self.out = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        flat = self.reduce(x).flatten(1)
        hidden = F.relu(self.hidden(flat)).float()
        return F.linear(hidden, self.out.weight.float(), self.out.bias.float())


@dataclass(frozen=True)
class ViewOutput:
    """points `[N, 478, 3]`; matte `[N, 96, 96]` logits; face, blur, error `[N]`: a face's logit, logarithms
    of the blur's deviation and of the mean error of the points, both in interocular distances."""

    points: Tensor
    matte: Tensor
    face: Tensor
    blur: Tensor
    error: Tensor


class ViewNet(nn.Module):
    """A view `[N, 3, 192, 192]` to everything that is seen of it."""

    def __init__(self, *, norm: bool = False) -> None:
        super().__init__()
        self.stages = _stages(_VIEW_PATCH, _VIEW_WIDTHS, norm=norm)
        cells = VIEW_SIZE // _VIEW_PATCH >> len(_VIEW_WIDTHS) - 1
        self.head = Head(_VIEW_WIDTHS[-1], cells, 64, 192, COUNT * 3 + _FACTS, norm=norm)
        self.laterals = nn.ModuleList(Conv(each, _LATERAL, kernel=1, norm=norm) for each in _VIEW_WIDTHS)
        self.merges = nn.ModuleList(Conv(_LATERAL, _LATERAL, norm=norm) for _ in _VIEW_WIDTHS[1:])
        self.matte = nn.Conv2d(_LATERAL, (MATTE_SIZE * _VIEW_PATCH // VIEW_SIZE) ** 2, 3, padding=1)

    def forward(self, views: Tensor) -> ViewOutput:
        maps = [F.pixel_unshuffle(views, _VIEW_PATCH)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        numbers = self.head(maps[-1])
        facts = numbers[:, COUNT * 3 :]
        points = numbers[:, : COUNT * 3].unflatten(1, (COUNT, 3))
        return ViewOutput(points, self._matte(maps[1:]), *facts.unbind(1))

    def _matte(self, maps: Sequence[Tensor]) -> Tensor:
        """Coarse to fine, with what each resolution knows."""
        x = cast(Tensor, self.laterals[-1](maps[-1]))
        finer = list(zip(maps, self.laterals, self.merges, strict=False))
        for each, lateral, merge in reversed(finer):
            x = merge(F.interpolate(x, scale_factor=2.0, mode="nearest") + lateral(each))
        logits = self.matte(x).float()
        return F.pixel_shuffle(logits, MATTE_SIZE * _VIEW_PATCH // VIEW_SIZE)[:, 0]


class DetailNet(nn.Module):
    """A close-up `[N, 3, S, S]` of an eye or a mouth to `[N, count, 2]` places and `[N, facts]` logits."""

    def __init__(self, size: int, count: int, facts: int = 0, *, norm: bool = False) -> None:
        super().__init__()
        self.count = count
        self.stages = _stages(_DETAIL_PATCH, _DETAIL_WIDTHS, norm=norm)
        cells = size // _DETAIL_PATCH >> len(_DETAIL_WIDTHS) - 1
        self.head = Head(_DETAIL_WIDTHS[-1], cells, 1024 // cells**2, 128, count * 2 + facts, norm=norm)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        x = F.pixel_unshuffle(pictures, _DETAIL_PATCH)
        for stage in self.stages:
            x = stage(x)
        numbers = self.head(x)
        return numbers[:, : self.count * 2].unflatten(1, (self.count, 2)), numbers[:, self.count * 2 :]


def _stages(patch: int, widths: Sequence[int], *, norm: bool) -> nn.ModuleList:
    """Squares of `patch` pixels as one cell each; the first stage keeps that resolution."""
    inputs = [3 * patch**2, *widths[:-1]]
    return nn.ModuleList(
        Stage(each, out, stride=1 if number == 0 else 2, norm=norm)
        for number, (each, out) in enumerate(zip(inputs, widths, strict=True))
    )
