"""Parts of feature maps: taking them, putting them back, and convolutions' ways back through the parts that
have a gradient alone.

Of a window the tracking sees all and the supervision a patch, whose gradient spreads by a convolution's halo
from layer to layer. Where it is zero nothing is computed: the same sums, exactly.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .windows import Shape

Part = tuple[NDArray[np.int64], Shape]
"""Windows of one shape in maps [N, C, H, W], one in each: where they begin, [N, 2] (top, left)."""


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


def upsample(
    x: Tensor,
    weight: Tensor,
    fir: Tensor,
    bias: Tensor | None,
    offsets: NDArray[np.int64],
    filtered: Places,
) -> Tensor:
    """A transposed convolution of stride 2 and a low-pass filter of the cells `filtered` of it, which begin
    at offsets [N, 2]: x [N, I, h, w], weight [I, O, 3, 3], fir [O, 1, 4, 4], bias [O].
    """
    y = F.conv_transpose2d(x, weight, stride=2)
    if (offsets == offsets[0]).all():
        top, left = offsets[0].tolist()
        _, height, width = filtered.shape
        y = y[:, :, top : top + height, left : left + width]
    else:
        y = take(y, filtered)
    return F.conv2d(y, fir, bias, groups=y.shape[1])


def turned(weight: Tensor) -> Tensor:
    """The weight [O, I, k, k] of a convolution as that of the convolution that is its way back, [I, O, k, k].

    In bfloat16 oneDNN's convolutions are a third faster than its transposed ones, in float32 alike.
    """
    return weight.flip((2, 3)).transpose(0, 1)


def convolve_back(gradient: Tensor, weight: Tensor, part: Part | None) -> tuple[Tensor, Part | None]:
    """The gradient [N, I, h + 2, w + 2] of what a convolution without padding read, from that of what it
    gave, [N, O, h, w], whose `part` alone is not zero (None: all of it); and its own such part.
    weight [I, O, 3, 3]: the convolution's, turned round by `turned`.
    """
    if part is None:
        return F.conv2d(gradient, weight, padding=2), None
    origins, shape = part
    height, width = gradient.shape[2:]
    some = F.conv2d(_cut(gradient, origins, shape), weight, padding=2)
    wider = shape[0] + 2, shape[1] + 2
    return _put(some, origins, (height + 2, width + 2)), (origins, wider)


def upsample_back(
    gradient: Tensor,
    weight: Tensor,
    fir: Tensor,
    offsets: NDArray[np.int64],
    size: Shape,
    part: Part | None,
) -> tuple[Tensor, Part | None]:
    """The gradient [N, I, *size] of what `upsample` read, from that of what it gave, [N, O, h, w]; parts as
    in `convolve_back`. fir [O, 1, 4, 4]: the low-pass filter turned round.
    """
    whole = gradient.shape[2], gradient.shape[3]
    origins, shape = part or (np.zeros_like(offsets), whole)
    # Row i of x spreads over rows 2i to 2i + 2 of the transposed convolution, which the filter reads for rows
    # 2i - 3 - offset to 2i + 2 - offset of the result.
    first = (origins + offsets - 1) // 2
    last = (origins + offsets + np.array(shape) + 2) // 2
    count = np.minimum((last - first).max(0) + 1, np.array(size))
    first = first.clip(0, np.array(size) - count)
    height, width = int(count[0]), int(count[1])
    some = _cut(gradient, 2 * first - 3 - offsets, (2 * height + 4, 2 * width + 4))
    some = F.conv2d(F.conv2d(some, fir, groups=len(fir)), weight, stride=2)
    return _put(some, first, size), None if part is None else (first, (height, width))


def _cut(x: Tensor, origins: NDArray[np.int64], shape: Shape) -> Tensor:
    """Windows of `shape` at origins [N, 2], each of its own map of x [N, C, h, w]; zero beyond it."""
    height, width = x.shape[2:]
    if len(origins) > 1:
        return take(x, Places.of(origins, shape, (height, width), x))
    top, left = origins[0].tolist()
    return F.pad(x, (-left, left + shape[1] - width, -top, top + shape[0] - height))


def _put(some: Tensor, origins: NDArray[np.int64], size: Shape) -> Tensor:
    """[N, C, h, w] at origins [N, 2] of maps of `size`, which are zero elsewhere."""
    count, channels, height, width = some.shape
    if (height, width) == size:
        return some
    if count == 1:
        top, left = origins[0].tolist()
        return F.pad(some, (left, size[1] - width - left, top, size[0] - height - top))
    table = some.new_zeros(count * size[0] * size[1], channels)
    rows = Places.of(origins, (height, width), size, some).rows
    table.index_copy_(0, rows, some.permute(0, 2, 3, 1).reshape(-1, channels))
    return table.reshape(count, *size, channels).permute(0, 3, 1, 2)
