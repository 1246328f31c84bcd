"""StyleGAN2's synthesis network: blocks that double the resolution and add to a skip image.

Nothing in it is global, so a block may also be given a window of its input (with the halo that its
convolutions need) and noise maps cut to that window; see `Block.forward`. Large pictures that nobody wants
gradients of are drawn in bands this way, which takes a third of the memory.
"""

import copy
from collections.abc import Sequence
from typing import Literal, Self, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .architecture import Architecture
from .layers import GAIN, LEAK, ModulatedConv, demodulation, scale_channels, upsample_convolve, upsample_image

NoiseMode = Literal["const", "none", "random"]
BAND = 1_000_000  # numbers in a band of a block's output; small enough for a cache: a third faster, too
HALO = 2  # rows of a block's input around a band: `Block.forward` says how far its borders reach
Noise = NoiseMode | Sequence[Tensor]
"""A mode, or one map per convolution of the block, [1 or N, 1, h, w] (unit variance, not yet scaled)."""


class SynthesisLayer(ModulatedConv):
    """Modulated 3x3 convolution, optionally doubling the size, with noise, bias and leaky ReLU."""

    noise_const: Tensor
    resample_filter: Tensor

    def __init__(
        self, in_channels: int, out_channels: int, arch: Architecture, resolution: int, up: bool
    ) -> None:
        super().__init__(in_channels, out_channels, 3, arch.w_dim)
        self.up = up
        self.clamp = arch.conv_clamp
        self.noise_strength = nn.Parameter(torch.empty([]))
        self.register_buffer("noise_const", torch.empty(resolution, resolution))
        self.register_buffer("resample_filter", torch.empty(4, 4))

    def forward(self, x: Tensor, w: Tensor, noise: NoiseMode | Tensor = "const") -> Tensor:
        """x [N, I, H, W], w [N, w_dim] -> [N, O, H, W], or [N, O, 2H, 2W] where the layer doubles."""
        style = self.affine(w)  # [N, I]
        weight, power = self.prepared(x.dtype)
        x = scale_channels(x, style)
        x = upsample_convolve(x, weight, self.resample_filter) if self.up else F.conv2d(x, weight, padding=1)
        # Leaky ReLU commutes with positive factors, so its gain rides on what is multiplied anyway.
        factors = (demodulation(style, power) * GAIN).to(x.dtype)[:, :, None, None]
        bias = (self.bias * GAIN).to(x.dtype)[None, :, None, None]
        x = torch.addcmul(bias, x, factors)
        if isinstance(noise, Tensor) or noise != "none":
            x = x + (self.noise_map(noise, x) * (self.noise_strength * GAIN)).to(x.dtype)
        x = F.leaky_relu_(x, LEAK)
        return x if self.clamp is None else x.clamp(-self.clamp * GAIN, self.clamp * GAIN)

    def _prepare(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        weight, power = super()._prepare(dtype)
        if not self.up:
            return weight, power
        layout = torch.contiguous_format if weight.is_contiguous() else torch.channels_last
        return weight.transpose(0, 1).contiguous(memory_format=layout), power  # [I, O, 3, 3]

    def noise_map(self, noise: NoiseMode | Tensor, like: Tensor) -> Tensor:
        """The noise [1 or N, 1, h, w] for activations like [N, O, h, w]."""
        if isinstance(noise, Tensor):
            return noise
        if noise == "const":
            return self.noise_const[None, None]
        return torch.randn(like.shape[0], 1, *like.shape[2:], device=like.device)


class ToRGB(ModulatedConv):
    """Modulated 1x1 convolution to image channels, without demodulation or activation."""

    def __init__(self, in_channels: int, arch: Architecture) -> None:
        super().__init__(in_channels, arch.img_channels, 1, arch.w_dim)
        self.clamp = arch.conv_clamp
        self.gain = in_channels**-0.5

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """x [N, C, H, W], w [N, w_dim] -> [N, 3, H, W], float32."""
        x = scale_channels(x, self.affine(w) * self.gain)
        y = F.conv2d(x, self.prepared(x.dtype)[0], self.bias.to(x.dtype)).float()
        return y if self.clamp is None else y.clamp(-self.clamp, self.clamp)


class Block(nn.Module):
    """One resolution: constant or upsampling convolution, convolution, addition to the skip image."""

    resample_filter: Tensor

    def __init__(self, arch: Architecture, resolution: int) -> None:
        super().__init__()
        channels = arch.channels[resolution]
        self.resolution = resolution
        self.is_first = resolution == 4
        if self.is_first:
            self.const = nn.Parameter(torch.empty(channels, 4, 4))
        else:
            self.conv0 = SynthesisLayer(arch.channels[resolution // 2], channels, arch, resolution, up=True)
        self.conv1 = SynthesisLayer(channels, channels, arch, resolution, up=False)
        self.torgb = ToRGB(channels, arch)
        self.register_buffer("resample_filter", torch.empty(4, 4))
        self.num_conv = 1 if self.is_first else 2

    def features(self, x: Tensor | None, ws: Tensor, noise: Noise = "const") -> Tensor:
        """x [N, C/2 res, h, w] (None for the first block), ws [N, >= num_conv, w_dim] -> x [N, C, 2h, 2w]."""
        maps = [noise] * self.num_conv if isinstance(noise, str) else list(noise)
        if len(maps) != self.num_conv:
            raise ValueError(f"block {self.resolution} needs {self.num_conv} noise maps, not {len(maps)}")
        if self.is_first:
            x = self.const[None].expand(ws.shape[0], -1, -1, -1)  # [N, C, 4, 4]
            return cast(Tensor, self.conv1(x, ws[:, 0], maps[0]))
        x = self.conv0(x, ws[:, 0], maps[0])
        return cast(Tensor, self.conv1(x, ws[:, 1], maps[1]))

    def to_image(self, x: Tensor, img: Tensor | None, ws: Tensor) -> Tensor:
        """Add x's part, x [N, C, h, w], to the upsampled img [N, 3, h/2, w/2] -> [N, 3, h, w]."""
        part: Tensor = self.torgb(x, ws[:, self.num_conv])
        return part if img is None else part + upsample_image(img, self.resample_filter)

    def forward(
        self, x: Tensor | None, img: Tensor | None, ws: Tensor, noise: Noise = "const"
    ) -> tuple[Tensor, Tensor]:
        """Both of the above: ws [N, num_conv + 1, w_dim], sliced as `SynthesisNetwork.block_ws` says.

        x and img may be a window of their full size. The result is then exact except near those borders of
        the window that are not borders of the picture: 3 pixels of x (conv0: 2, conv1: 1) and 1 of img at the
        block's resolution, plus twice what was inexact in the input. The "const" noise covers the full
        picture, so a window needs its own maps, e.g. `layer.noise_const[None, None, top:bottom, left:right]`
        for conv0 and conv1.
        """
        x = self.features(x, ws, noise)
        return x, self.to_image(x, img, ws)

    def in_bands(
        self, x: Tensor, img: Tensor, ws: Tensor, noise: NoiseMode, *, last: bool
    ) -> tuple[Tensor | None, Tensor]:
        """`forward` without gradients, some rows at a time; x is left out after the last block."""
        channels, height, width = self.conv1.weight.shape[0], x.shape[2], x.shape[3]
        full = x.new_empty(x.shape[0], 1, 2 * height, 2 * width)
        maps = [layer.noise_map(noise, full) for layer in (self.conv0, self.conv1) if noise != "none"]
        rows = max(1, BAND // (x.shape[0] * channels * 4 * width))
        features = None if last else full.new_empty((x.shape[0], *full.shape[2:], channels)).movedim(3, 1)
        image = img.new_empty(*img.shape[:2], *full.shape[2:])
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            above, below = max(0, top - HALO), min(height, bottom + HALO)
            here: Noise = [m[:, :, 2 * above : 2 * below] for m in maps] or "none"
            found = self(x[:, :, above:below], img[:, :, above:below], ws, here)
            inner, outer = slice(2 * (top - above), 2 * (bottom - above)), slice(2 * top, 2 * bottom)
            image[:, :, outer] = found[1][:, :, inner]
            if features is not None:
                features[:, :, outer] = found[0][:, :, inner]
        return features, image


class SynthesisNetwork(nn.Module):
    """ws [N, num_ws, w_dim] float32 -> features and images; runs in the dtype of its convolution weights."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.resolutions = sorted(arch.channels)
        self.num_ws = arch.num_ws
        for resolution in self.resolutions:
            self.add_module(f"b{resolution}", Block(arch, resolution))

    @property
    def trainable(self) -> bool:
        """Whether any of its weights asks for gradients."""
        return any(parameter.requires_grad for parameter in self.parameters())

    def block(self, resolution: int) -> Block:
        """The block that returns `resolution` x `resolution` features; ValueError if there is none."""
        if resolution not in self.resolutions:
            raise ValueError(f"no block of resolution {resolution}, only {self.resolutions}")
        return cast(Block, self.get_submodule(f"b{resolution}"))

    def block_ws(self, resolution: int) -> slice:
        """Which ws a block takes: its convolutions', then its toRGB's (shared with the next block)."""
        first = max(0, 2 * self.resolutions.index(resolution) - 1)
        return slice(first, first + self.block(resolution).num_conv + 1)

    def forward(self, ws: Tensor, noise: NoiseMode = "const", upto: int | None = None) -> Tensor:
        """The image up to block `upto` (default: the last) [N, 3, R, R], float32, not clipped."""
        x: Tensor | None = None
        img: Tensor | None = None
        for resolution in (wanted := self.upto(upto)):
            block, w = self.block(resolution), ws[:, self.block_ws(resolution)]
            large = block.conv1.weight.shape[0] * resolution**2 * ws.shape[0] > BAND
            if x is None or img is None or not large or torch.is_grad_enabled():
                x, img = block(x, img, w, noise)
            else:
                x, img = block.in_bands(x, img, w, noise, last=resolution == wanted[-1])
        return cast(Tensor, img)

    def features(self, ws: Tensor, noise: NoiseMode = "const", upto: int | None = None) -> dict[int, Tensor]:
        """What each block up to `upto` returns, [N, C, R, R] by resolution, in the network's dtype."""
        found: dict[int, Tensor] = {}
        x: Tensor | None = None
        for resolution in self.upto(upto):
            x = found[resolution] = self.block(resolution).features(
                x, ws[:, self.block_ws(resolution)], noise
            )
        return found

    def upto(self, resolution: int | None) -> list[int]:
        """The blocks to run to reach `resolution`; ValueError if no block has it."""
        last = self.resolutions[-1] if resolution is None else self.block(resolution).resolution
        return [r for r in self.resolutions if r <= last]

    def cast_copy(self, dtype: torch.dtype, memory_format: torch.memory_format = torch.channels_last) -> Self:
        """A copy whose convolutions run in `dtype`; styles, demodulation and the skip image stay float32.

        The affine layers are shared with this network, everything else is its own.
        """
        shared = [m.affine for m in self.modules() if isinstance(m, ModulatedConv)]
        twin = copy.deepcopy(self, {id(m): m for m in shared})
        for module in twin.modules():
            if isinstance(module, ModulatedConv):
                module.weight.data = module.weight.data.to(dtype, memory_format=memory_format)
        first = twin.block(4)
        first.const.data = first.const.data.to(dtype)
        return twin
