"""Synthesis layers whose weights stay, made ready for being run many times, forwards and backwards.

Backwards is written out here instead of left to autograd. It goes to the styles alone, what the styles share
is worked out for all layers in one operation, and nothing is kept that is not needed again. Of a drag's step,
which is hundreds of small operations, this takes away half (docs/benchmarks/drag.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .layers import EPSILON, GAIN, LEAK
from .local import Part, Places, convolve_back, take, turned, upsample, upsample_back
from .synthesis import SynthesisLayer
from .windows import LayerShape, Shape


def laid_out(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """In the dtype and the memory layout that convolutions are fastest in."""
    return tensor.to(dtype).contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Modulation:
    """Styles [L, 1, I] and demodulation factors [L, 1, O] (with the activation's gain) of L layers, float32,
    and the same in the dtype of the activations. Layers with fewer channels than the widest leave some
    unused.
    """

    style: Tensor
    factors: Tensor
    cast: tuple[Tensor, Tensor]

    def of(self, index: int, sizes: LayerShape) -> tuple[Tensor, Tensor]:
        """A layer's, [1, I, 1, 1] and [1, O, 1, 1]."""
        style, factors = self.cast
        into, out = sizes.in_channels, sizes.out_channels
        return style[index, :, :into, None, None], factors[index, :, :out, None, None]


class Styles:
    """What makes the modulation of several layers of their codes, all of them in one go."""

    def __init__(self, layers: Sequence[SynthesisLayer], w_dim: int, dtype: torch.dtype) -> None:
        like = layers[0].weight if layers else torch.empty(0)
        most_in = max((layer.weight.shape[1] for layer in layers), default=0)
        most_out = max((layer.weight.shape[0] for layer in layers), default=0)
        new = partial(torch.zeros, dtype=torch.float32, device=like.device)
        self.dtype = dtype
        self.weight: Tensor = new(len(layers), w_dim, most_in)
        self.bias: Tensor = new(len(layers), 1, most_in)
        self.power: Tensor = new(len(layers), most_in, most_out)
        # The activation's gain rides on the factors: 1 / sqrt(q / GAIN^2) = GAIN / sqrt(q).
        self.least: Tensor = new(len(layers), 1, most_out) + EPSILON / GAIN**2
        for index, layer in enumerate(layers):
            affine, (out, into) = layer.affine, layer.weight.shape[:2]
            self.weight[index, :, :into] = affine.weight.detach().float().t() * affine.weight_gain
            self.bias[index, 0, :into] = affine.bias.detach().float() * affine.bias_gain
            power = layer.weight.detach().float().square().sum((2, 3))  # [O, I]
            self.power[index, :into, :out] = power.t() / GAIN**2

    def __call__(self, codes: Tensor) -> Modulation:
        """codes [L, 1, w_dim] float32."""
        style = torch.baddbmm(self.bias, codes, self.weight)
        factors = torch.baddbmm(self.least, style.square(), self.power).rsqrt_()
        return Modulation(style, factors, (style.to(self.dtype), factors.to(self.dtype)))

    def back(self, found: Modulation, of_style: Tensor, of_factors: Tensor) -> Tensor:
        """The codes' gradient [L, 1, w_dim] from those of styles [L, 1, I] and factors [L, 1, O]."""
        # factors = q^(-1/2): a change of q changes them by -1/2 factors^3, and one of a style q by 2 style
        through = torch.bmm(of_factors * found.factors.pow(3), self.power.mT)
        return torch.bmm(torch.addcmul(of_style, found.style, through, value=-1), self.weight.mT)


@dataclass(frozen=True)
class Kept:
    """What a layer's way back needs: its input, what its convolution gave (both where its style moves alone)
    and its output."""

    x: Tensor | None
    raw: Tensor | None
    y: Tensor


class FrozenLayer:
    """One synthesis layer: weight in the running dtype, everything that does not change worked out.

    style [1, I]: of a layer whose style stays, which becomes a part of the weight; None where it moves.
    """

    def __init__(
        self, layer: SynthesisLayer, resolution: int, style: Tensor | None, dtype: torch.dtype
    ) -> None:
        weight = layer.weight.detach()  # [O, I, 3, 3]
        self.moving = style is None
        if style is not None:
            weight = weight * style[0][None, :, None, None]
            factors = (weight.float().square().sum((1, 2, 3)) + EPSILON).rsqrt() * GAIN
            weight = weight * factors[:, None, None, None]
        self.shape = LayerShape(weight.shape[1], weight.shape[0], resolution, layer.up)
        self.weight = laid_out(weight.transpose(0, 1) if layer.up else weight, dtype)
        self.back_weight = self.weight if layer.up else laid_out(turned(weight), dtype)
        self.bias = (layer.bias.detach() * GAIN).to(dtype)
        self.bias_map = self.bias[None, :, None, None]
        fir = (layer.resample_filter.detach() * 4).to(dtype)
        self.fir, self.back_fir = (each.expand(weight.shape[0], 1, 4, 4) for each in (fir.flip((0, 1)), fir))
        self.limit = None if layer.clamp is None else layer.clamp * GAIN

    def whole(self, x: Tensor, modulation: tuple[Tensor, Tensor] | None) -> Kept:
        """Whole maps: x [1, I, H, W] -> [1, O, H, W], or [1, O, 2H, 2W] where it doubles."""
        read = x if modulation is None else x * modulation[0]
        bias = self.bias if modulation is None else None
        if self.shape.up:
            y = F.conv_transpose2d(read, self.weight, stride=2)  # [1, O, 2H+1, 2W+1]
            y = F.conv2d(y, self.fir, bias, padding=1, groups=y.shape[1])
        else:
            y = F.conv2d(read, self.weight, bias, padding=1)
        return self._kept(x, y, modulation)

    def in_windows(self, x: Tensor, modulation: tuple[Tensor, Tensor] | None, cut: "Cut") -> Kept:
        """What `cut` says of x [N, I, ., .] -> [N, O, h, w]."""
        read = x if modulation is None else x * modulation[0]
        bias = self.bias if modulation is None else None
        if cut.filtered is not None:
            y = upsample(read, self.weight, self.fir, bias, cut.offsets, cut.filtered)
        else:
            y = F.conv2d(read, self.weight, bias)
        kept = self._kept(x, y, modulation)
        if cut.inside is not None:
            kept.y.mul_(cut.inside)
        return kept

    def back(
        self,
        gradient: Tensor,
        kept: Kept,
        modulation: tuple[Tensor, Tensor] | None,
        cut: "Cut | None",
        part: Part | None,
    ) -> tuple[Tensor, Part | None, tuple[Tensor, Tensor] | None]:
        """The gradient of what was given to `whole` (cut None) or `in_windows`, where it is not zero, and,
        where the style moves, those of style [I] and factors [O], float32.

        gradient [N, O, h, w], of the output; part: where that is not zero (None: anywhere).
        """
        if cut is not None and cut.inside is not None:
            gradient = gradient * cut.inside
        if self.limit is not None:  # beyond it, and there the kept output is the limit itself
            gradient = torch.ops.aten.hardtanh_backward(gradient, kept.y, -self.limit, self.limit)
        gradient = torch.ops.aten.leaky_relu_backward(gradient, kept.y, LEAK, True)
        if modulation is None or kept.x is None or kept.raw is None:
            return *self._convolved_back(gradient, cut, part), None
        of_factors = (gradient * kept.raw).sum((0, 2, 3), dtype=torch.float32)
        gradient, part = self._convolved_back(gradient * modulation[1], cut, part)
        of_style = (gradient * kept.x).sum((0, 2, 3), dtype=torch.float32)
        return gradient * modulation[0], part, (of_style, of_factors)

    def _convolved_back(
        self, gradient: Tensor, cut: "Cut | None", part: Part | None
    ) -> tuple[Tensor, Part | None]:
        if cut is None:
            if not self.shape.up:
                return F.conv2d(gradient, self.back_weight, padding=1), None
            wide = F.conv2d(gradient, self.back_fir, padding=2, groups=gradient.shape[1])
            return F.conv2d(wide, self.weight, stride=2), None
        if cut.filtered is not None:
            return upsample_back(gradient, self.weight, self.back_fir, cut.offsets, cut.read, part)
        return convolve_back(gradient, self.back_weight, part)

    def _kept(self, x: Tensor, raw: Tensor, modulation: tuple[Tensor, Tensor] | None) -> Kept:
        if modulation is None:
            return Kept(None, None, self._limited(F.leaky_relu_(raw, LEAK)))
        y = F.leaky_relu_(torch.addcmul(self.bias_map, raw, modulation[1]), LEAK)
        return Kept(x, raw, self._limited(y))

    def _limited(self, y: Tensor) -> Tensor:
        return y if self.limit is None else F.hardtanh_(y, -self.limit, self.limit)


class Cut:
    """Everything about a layer's windows that their place decides.

    source: cells of the whole maps that the first windowed layer reads; None for the others, whose input is
    what the layer before them gave. read: the shape of that input. filtered: cells of the transposed
    convolution that the low-pass filter reads, from offsets [N, 2] on; None where nothing is doubled.
    inside [N, 1, h, w]: 0 beyond the picture, where the next layer must see zeros; None where all is inside.
    """

    def __init__(self, layer: FrozenLayer, origins: NDArray[np.int64], shape: Shape, *, first: bool) -> None:
        sizes, like = layer.shape, layer.weight
        begin, self.read = sizes.input_origins(origins), sizes.input_shape(shape)
        one = np.zeros(len(origins), np.int64)
        self.source = Places.of(begin, self.read, (sizes.in_size,) * 2, like, one) if first else None
        self.offsets = origins - 1 - 2 * begin
        self.filtered: Places | None = None
        if sizes.up:
            raw = (2 * self.read[0] + 1, 2 * self.read[1] + 1)
            self.filtered = Places.of(self.offsets, (shape[0] + 3, shape[1] + 3), raw, like)
        self.inside = Places.of(origins, shape, (sizes.out_size,) * 2, like, one).inside

    def taken(self, x: Tensor) -> Tensor:
        """The input of the windows, of the whole maps or of the windows before."""
        return x if self.source is None else take(x, self.source)

    def given_back(self, gradient: Tensor, like: Tensor) -> Tensor:
        """The whole maps' gradient of that of the input of the windows; like: of the maps' shape."""
        assert self.source is not None
        if self.source.inside is not None:
            gradient = gradient * self.source.inside
        channels = gradient.shape[1]
        table = gradient.new_zeros(like.shape[2] * like.shape[3], channels)
        table.index_add_(0, self.source.rows, gradient.permute(0, 2, 3, 1).reshape(-1, channels))
        return table.reshape(1, *like.shape[2:], channels).permute(0, 3, 1, 2)
