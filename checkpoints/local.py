"""Parts of feature maps: taking them, putting them back, and convolutions whose way back goes only through
the parts that have a gradient.

Of a window the tracking sees all and the supervision a patch, whose gradient spreads by a convolution's halo
from layer to layer. Where it is zero nothing is computed: the same sums, exactly.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .windows import Shape


@dataclass(frozen=True)
class Places:
    """Cells to take from maps [M, C, H, W] so that [N, C, h, w] results: their rows in [M H W, C].

    inside [N, 1, h, w]: 0 beyond the maps; None where all of it is inside.
    """

    rows: Tensor
    shape: tuple[int, int, int]
    inside: Tensor | None

    @classmethod
    def of(
        cls,
        origins: NDArray[np.int64],
        shape: Shape,
        size: Shape,
        like: Tensor,
        maps: NDArray[np.int64] | None = None,
    ) -> "Places":
        """Windows of `shape` at origins [N, 2] in maps of `size`: in those numbered `maps` [N], or each in
        its own. like: of the device and dtype of the maps.
        """
        maps = np.arange(len(origins)) if maps is None else maps
        y = origins[:, :1] + np.arange(shape[0])  # [N, h]
        x = origins[:, 1:] + np.arange(shape[1])  # [N, w]
        inside = ((y >= 0) & (y < size[0]))[:, :, None] & ((x >= 0) & (x < size[1]))[:, None]
        rows = (maps[:, None, None] * size[0] + y.clip(0, size[0] - 1)[:, :, None]) * size[1]
        rows = rows + x.clip(0, size[1] - 1)[:, None]
        zeros = None if inside.all() else torch.from_numpy(inside[:, None]).to(like)
        return cls(torch.from_numpy(rows.reshape(-1)).to(like.device), (len(origins), *shape), zeros)


def take(x: Tensor, places: Places) -> Tensor:
    """The windows [N, C, h, w] of x [M, C, H, W], zero beyond its border."""
    table = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])  # [M H W, C]
    found = table.index_select(0, places.rows).reshape(*places.shape, -1).permute(0, 3, 1, 2)
    return found if places.inside is None else found * places.inside


def convolve(x: Tensor, weight: Tensor) -> Tensor:
    """A convolution without padding: x [N, I, h + 2, w + 2], weight [O, I, 3, 3] -> [N, O, h, w]; gradients
    go to x alone.
    """
    found: Tensor = _Convolution.apply(x, weight)
    return found


def upsample(x: Tensor, weight: Tensor, fir: Tensor, offsets: NDArray[np.int64], filtered: Places) -> Tensor:
    """A transposed convolution of stride 2 and a low-pass filter of the cells `filtered` of it, which begin
    at offsets [N, 2]: x [N, I, h, w], weight [I, O, 3, 3], fir [O, 1, 4, 4]; gradients go to x alone.
    """
    found: Tensor = _Upsampling.apply(x, weight, fir, offsets, filtered)
    return found


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(weight)
        return F.conv2d(x, weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        origins, shape = _part(gradient)
        height, width = gradient.shape[2:]
        some = take(gradient, Places.of(origins, shape, (height, width), gradient))
        return _put(F.conv_transpose2d(some, weight), origins, (height + 2, width + 2)), None


class _Upsampling(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, fir: Tensor, offsets: NDArray[np.int64], filtered: Places
    ) -> Tensor:
        ctx.save_for_backward(weight, fir)
        ctx.offsets, ctx.size = offsets, x.shape[2:]
        y = F.conv_transpose2d(x, weight, stride=2)
        return F.conv2d(take(y, filtered), fir, groups=y.shape[1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        weight, fir = ctx.saved_tensors
        size = np.array(ctx.size)
        origins, shape = _part(gradient)
        # Row i of x spreads over rows 2i to 2i + 2 of the transposed convolution, which the filter reads for
        # rows 2i - 3 - offset to 2i + 2 - offset of the result.
        first = (origins + ctx.offsets - 1) // 2
        last = (origins + ctx.offsets + np.array(shape) + 2) // 2
        count = np.minimum((last - first).max(0) + 1, size)
        first = first.clip(0, size - count)
        whole = gradient.shape[2], gradient.shape[3]
        read = Places.of(2 * first - 3 - ctx.offsets, _pair(2 * count + 4), whole, gradient)
        some = F.conv2d(take(gradient, read), fir.flip((2, 3)), groups=len(fir))
        return _put(F.conv2d(some, weight, stride=2), first, _pair(size)), None, None, None, None


def _part(gradient: Tensor) -> tuple[NDArray[np.int64], Shape]:
    """Windows of one shape that hold all of gradient [N, C, h, w] that is not zero. On devices that would
    have to wait for the answer they are the whole maps.
    """
    count, _, height, width = gradient.shape
    if gradient.device.type != "cpu":
        return np.zeros((count, 2), np.int64), (height, width)
    there = gradient.abs().amax(1).ne(0)  # [N, h, w]
    origins, shape = np.zeros((count, 2), np.int64), [1, 1]
    for axis, size in ((0, height), (1, width)):
        line: NDArray[np.bool_] = there.any(2 - axis).numpy()  # [N, size]
        first, last = line.argmax(1), size - line[:, ::-1].argmax(1)
        last = np.where(line.any(1), last, 1)
        shape[axis] = int((last - first).max())
        origins[:, axis] = first.clip(0, size - shape[axis])
    return origins, (shape[0], shape[1])


def _put(some: Tensor, origins: NDArray[np.int64], size: Shape) -> Tensor:
    """[N, C, h, w] at origins [N, 2] of maps of `size`, which are zero elsewhere."""
    count, channels, height, width = some.shape
    if (height, width) == size:
        return some
    table = some.new_zeros(count * size[0] * size[1], channels)
    rows = Places.of(origins, (height, width), size, some).rows
    table.index_copy_(0, rows, some.permute(0, 2, 3, 1).reshape(-1, channels))
    return table.reshape(count, *size, channels).permute(0, 3, 1, 2)


def _pair(sizes: NDArray[np.int64]) -> Shape:
    return int(sizes[0]), int(sizes[1])
