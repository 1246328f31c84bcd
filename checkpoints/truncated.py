"""The synthesis network up to one block, frozen and made ready for being run many times.

For optimising a latent against features: weights are cast and laid out once, styles that do not move are
folded into them, gradients go to the latent alone, and the last layers may run in windows (`windows`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .layers import GAIN, LEAK, demodulation
from .local import Places, convolve, take, upsample
from .memory import require_memory, synthesis_bytes
from .network import Generator
from .synthesis import SynthesisLayer
from .windows import Boxes, LayerShape, Plan, Shape, make_plan


def fast_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device multiplies it faster than float32, else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float32
    if device.type != "cpu":
        return torch.float32
    ask: Callable[[], dict[str, object]] = getattr(torch.cpu, "get_capabilities", dict)  # absent before 2.11
    found = ask()
    return torch.bfloat16 if found.get("avx512_bf16") or found.get("amx_bf16") else torch.float32


@dataclass(frozen=True)
class Features:
    """What one run gave: windows [N, C, h, w] of the last block's features, where the plan has them.

    held [1, C, r, r]: the features that were asked to be kept on the way, or None.
    """

    plan: Plan
    windows: Tensor
    held: Tensor | None


class TruncatedSynthesis:
    """ws -> features of the block `upto`, on whole maps or in windows; without noise.

    Noise sticks to its place, so a point that moves would leave a part of its features behind.

    Of the style vectors only the first `moving` may later differ from ws [1, num_ws, w_dim]: the others'
    styles are part of the weights. The generator must not change meanwhile.
    Raises CapacityError where its activations would not fit into memory.
    """

    def __init__(
        self, generator: Generator, ws: Tensor, *, upto: int, moving: int, dtype: torch.dtype = torch.float32
    ) -> None:
        needed = synthesis_bytes(generator.arch, 1, upto=upto, gradients=True)
        require_memory(needed, ws.device, "A drag")
        network = generator.synthesis_network
        self.size = upto
        self.const = _laid_out(network.block(4).const.detach()[None], dtype)
        self.layers: list[_Layer] = []
        self.ends: dict[int, int] = {}  # resolution -> how many layers lead to the end of its block
        with torch.no_grad():
            for resolution in network.upto(upto):
                block = network.block(resolution)
                for layer in [block.conv1] if block.is_first else [block.conv0, block.conv1]:
                    index = len(self.layers)
                    style = None if index < moving else layer.affine(ws[:, index])
                    self.layers.append(_Layer(layer, resolution, style, dtype))
                self.ends[resolution] = len(self.layers)
        self.shapes = [layer.shape for layer in self.layers]
        self._ready: tuple[Plan, list[_Cut]] | None = None

    def plan(self, boxes: Boxes | None = None, *, hold: int = 4) -> Plan:
        """The cheapest plan that covers boxes [N, 4] of the last block (None: all of it), with whole maps up
        to the block `hold`.
        """
        end = len(self.layers)
        if boxes is None:
            return make_plan(self.shapes, np.array([[0, 0, self.size, self.size]]), splits=[end])
        return make_plan(self.shapes, boxes, splits=range(self.ends[hold], end + 1))

    def __call__(self, ws: Tensor, plan: Plan, *, hold: int | None = None) -> Features:
        """ws [1, >= moving, w_dim] -> features; hold: a block on whole maps whose features are wanted too."""
        x, held = self.const, None
        for index in range(plan.split):
            x = self.layers[index](x, ws[:, index])
            if hold is not None and index + 1 == self.ends[hold]:
                held = x
        for index, cut in enumerate(self._cuts(plan), plan.split):
            x = self.layers[index].in_windows(x, ws[:, index], cut)
        return Features(plan, x, held)

    def _cuts(self, plan: Plan) -> list["_Cut"]:
        """What the windowed layers read, from first to last; remembered while the windows stay."""
        if self._ready is None or self._ready[0] != plan:
            origins, shape = np.array(plan.origins, np.int64), plan.shape
            cuts: list[_Cut] = []
            for index in reversed(range(plan.split, len(self.layers))):
                layer = self.layers[index]
                cuts.insert(0, _Cut(layer, origins, shape, first=index == plan.split))
                origins, shape = layer.shape.input_origins(origins), layer.shape.input_shape(shape)
            self._ready = plan, cuts
        return self._ready[1]


class _Layer:
    """One synthesis layer: weight in the running dtype, everything that does not change worked out."""

    def __init__(
        self, layer: SynthesisLayer, resolution: int, style: Tensor | None, dtype: torch.dtype
    ) -> None:
        weight = layer.weight.detach()  # [O, I, 3, 3]
        self.affine = layer.affine
        self.power = weight.float().square().sum((2, 3))  # [O, I]
        self.moving = style is None
        if style is not None:
            factors = demodulation(style, self.power)[0] * GAIN
            weight = weight * style[0][None, :, None, None] * factors[:, None, None, None]
        self.shape = LayerShape(weight.shape[1], weight.shape[0], resolution, layer.up)
        self.weight = _laid_out(weight.transpose(0, 1) if layer.up else weight, dtype)
        self.bias = (layer.bias.detach() * GAIN).to(dtype)[None, :, None, None]
        fir = layer.resample_filter.detach().flip((0, 1)) * 4
        self.fir = fir.to(dtype).expand(weight.shape[0], 1, 4, 4)
        self.limit = None if layer.clamp is None else layer.clamp * GAIN

    def __call__(self, x: Tensor, w: Tensor) -> Tensor:
        """Whole maps: x [1, I, H, W], w [1, w_dim] -> [1, O, H, W], or [1, O, 2H, 2W] where it doubles."""
        x, factors = self._modulated(x, w)
        if self.shape.up:
            y = F.conv_transpose2d(x, self.weight, stride=2)  # [1, O, 2H+1, 2W+1]
            y = F.conv2d(y, self.fir, padding=1, groups=y.shape[1])
        else:
            y = F.conv2d(x, self.weight, padding=1)
        return self._activated(y, factors)

    def in_windows(self, x: Tensor, w: Tensor, cut: "_Cut") -> Tensor:
        """What `cut` says of x [M, I, ., .] -> [N, O, h, w]."""
        if cut.source is not None:
            x = take(x, cut.source)
        x, factors = self._modulated(x, w)
        if cut.filtered is not None:
            y = upsample(x, self.weight, self.fir, cut.offsets, cut.filtered)
        else:
            y = convolve(x, self.weight)
        y = self._activated(y, factors)
        return y if cut.inside is None else y * cut.inside

    def _modulated(self, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor | None]:
        if not self.moving:
            return x, None
        style = self.affine(w)  # [1, I]
        factors = demodulation(style, self.power) * GAIN  # [1, O]
        return x * style.to(x.dtype)[:, :, None, None], factors.to(x.dtype)[:, :, None, None]

    def _activated(self, y: Tensor, factors: Tensor | None) -> Tensor:
        y = y + self.bias if factors is None else torch.addcmul(self.bias, y, factors)
        y = F.leaky_relu_(y, LEAK)
        return y if self.limit is None else y.clamp(-self.limit, self.limit)


class _Cut:
    """Everything about a layer's windows that their place decides.

    source: cells of the whole maps that the first windowed layer reads; None for the others, whose input is
    what the layer before them gave. filtered: cells of the transposed convolution that the low-pass filter
    reads, from offsets [N, 2] on; None where nothing is doubled. inside [N, 1, h, w]: 0 beyond the picture,
    where the next layer must see zeros; None where all of it is inside.
    """

    def __init__(self, layer: _Layer, origins: NDArray[np.int64], shape: Shape, *, first: bool) -> None:
        sizes, like = layer.shape, layer.weight
        begin, read = sizes.input_origins(origins), sizes.input_shape(shape)
        one = np.zeros(len(origins), np.int64)
        self.source = Places.of(begin, read, (sizes.in_size,) * 2, like, one) if first else None
        self.offsets = origins - 1 - 2 * begin
        self.filtered: Places | None = None
        if sizes.up:
            raw = (2 * read[0] + 1, 2 * read[1] + 1)
            self.filtered = Places.of(self.offsets, (shape[0] + 3, shape[1] + 3), raw, like)
        self.inside = Places.of(origins, shape, (sizes.out_size,) * 2, like, one).inside


def _laid_out(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype).contiguous(memory_format=torch.channels_last)
