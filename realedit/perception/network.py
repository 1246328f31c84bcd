"""The networks that see a face: one looks at the whole view, one at an eye, one at the mouth.

All are plain convolutions with residual blocks. Pictures are `[N, 3, S, S]` in [-1, 1]; places are in the
unit square of the picture (0 to 1 from border to border), depth in the same unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
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
_FACTS = 2  # a face's logit, the logarithm of its blur


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


class Places(nn.Module):
    """A feature map `[N, C, S, S]` to `[N, count, 2]` places: the mean of where each point seems to be.

    A map of logits for each point, over the cells of the feature map; a place is the mean of the cells'
    middles under their softmax (Nibali et al., "Numerical Coordinate Regression", arXiv 1801.07372; Sun et
    al., "Integral Human Pose Regression", arXiv 1711.08229). `prior` is what is expected before anything is
    seen.
    """

    middles: Tensor

    def __init__(self, inputs: int, cells: int, count: int) -> None:
        super().__init__()
        self.logits = nn.Conv2d(inputs, count, 1)
        self.prior = nn.Parameter(torch.zeros(count, cells, cells))
        self.register_buffer("middles", (torch.arange(cells) + 0.5) / cells, persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Places, and the softmax `[N, count, S, S]`."""
        logits = self.logits(x).float() + self.prior
        seen = logits.flatten(2).softmax(2).unflatten(2, logits.shape[2:])
        x_place = (seen.sum(dim=2) * self.middles).sum(dim=2)
        y_place = (seen.sum(dim=3) * self.middles).sum(dim=2)
        return torch.stack([x_place, y_place], dim=2), seen


@dataclass(frozen=True)
class ViewOutput:
    """points `[N, 478, 3]`; matte `[N, 96, 96]` logits; face, blur `[N]`: a face's logit, the logarithm of
    the blur's deviation in interocular distances."""

    points: Tensor
    matte: Tensor
    face: Tensor
    blur: Tensor


class ViewNet(nn.Module):
    """A view `[N, 3, 192, 192]` to everything that is seen of it."""

    def __init__(self, *, norm: bool = False) -> None:
        super().__init__()
        self.stages = _stages(_VIEW_PATCH, _VIEW_WIDTHS, norm=norm)
        *_, wide, last = _VIEW_WIDTHS
        self.beside = Conv(wide, wide, kernel=1, norm=norm)
        self.above = Conv(last, wide, kernel=1, norm=norm)
        self.places = Places(wide, VIEW_SIZE // _VIEW_PATCH >> len(_VIEW_WIDTHS) - 2, COUNT)
        self.depth = nn.Conv2d(wide, COUNT, 1)
        self.facts = nn.Linear(last, _FACTS)
        self.laterals = nn.ModuleList(Conv(each, _LATERAL, kernel=1, norm=norm) for each in _VIEW_WIDTHS)
        self.merges = nn.ModuleList(Conv(_LATERAL, _LATERAL, norm=norm) for _ in _VIEW_WIDTHS[1:])
        self.matte = nn.Conv2d(_LATERAL, (MATTE_SIZE * _VIEW_PATCH // VIEW_SIZE) ** 2, 3, padding=1)

    def forward(self, views: Tensor) -> ViewOutput:
        maps = [F.pixel_unshuffle(views, _VIEW_PATCH)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        joined = F.interpolate(self.above(maps[-1]), scale_factor=2.0, mode="nearest") + self.beside(maps[-2])
        places, seen = self.places(joined)
        depth = (self.depth(joined).float() * seen).sum(dim=(2, 3))
        points = torch.cat([places, depth[..., None]], dim=2)
        facts = self.facts(maps[-1].mean(dim=(2, 3))).float()
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
        self.stages = _stages(_DETAIL_PATCH, _DETAIL_WIDTHS, norm=norm)
        self.places = Places(_DETAIL_WIDTHS[-1], size // _DETAIL_PATCH >> len(_DETAIL_WIDTHS) - 1, count)
        self.facts = nn.Linear(_DETAIL_WIDTHS[-1], facts) if facts else None

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        x = F.pixel_unshuffle(pictures, _DETAIL_PATCH)
        for stage in self.stages:
            x = stage(x)
        pooled = x.mean(dim=(2, 3))
        facts = pooled[:, :0] if self.facts is None else self.facts(pooled)
        return self.places(x)[0], facts.float()


def _stages(patch: int, widths: Sequence[int], *, norm: bool) -> nn.ModuleList:
    """Squares of `patch` pixels as one cell each; the first stage keeps that resolution."""
    inputs = [3 * patch**2, *widths[:-1]]
    return nn.ModuleList(
        Stage(each, out, stride=1 if number == 0 else 2, norm=norm)
        for number, (each, out) in enumerate(zip(inputs, widths, strict=True))
    )
