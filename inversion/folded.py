"""A generator's block at one latent, for tuning its weights.

At one latent the styles are constants, so modulation and demodulation are folded into the weights (Karras et
al. 2020, arXiv 1912.04958, section 2.2) and one convolution per layer is all that runs at full size.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from checkpoints.layers import EPSILON, GAIN, LEAK, ModulatedConv, upsample_image
from checkpoints.synthesis import Block, SynthesisLayer, ToRGB

Seen = Callable[[ModulatedConv, Tensor], None]
"""Told of every layer and of what its convolution reads `[1, I, h, w]`, modulated."""


def folded_block(
    block: Block,
    x: Tensor | None,
    image: Tensor | None,
    ws: Tensor,
    *,
    gradients: torch.dtype = torch.float32,
    seen: Seen | None = None,
) -> tuple[Tensor, Tensor]:
    """What `block(x, image, ws)` returns, for one latent: x `[1, C, h, w]`, ws `[1, num_conv + 1, w_dim]`.

    Gradients flow to the block's weights. gradients: dtype that convolutions go backwards in where x is
    float32: rounding the weights hides their small changes, rounding the gradients does not.
    """
    if x is None:
        x = block.const[None]
    x = x.contiguous(memory_format=torch.channels_last)
    layers = [block.conv1] if block.is_first else [block.conv0, block.conv1]
    for index, layer in enumerate(layers):
        style = layer.affine(ws[:, index])
        if seen is not None:
            seen(layer, x * style[:, :, None, None])
        x = _layer(layer, x, style, gradients)
    style = block.torgb.affine(ws[:, block.num_conv]) * block.torgb.gain
    if seen is not None:
        seen(block.torgb, x * style[:, :, None, None])
    part = _to_image(block.torgb, x, style)
    return x, part if image is None else part + upsample_image(image, block.resample_filter)


def _layer(layer: SynthesisLayer, x: Tensor, style: Tensor, gradients: torch.dtype) -> Tensor:
    """x `[1, I, h, w]`, style `[1, I]` -> `[1, O, h, w]`, or `[1, O, 2h, 2w]` where the layer doubles."""
    weight = layer.weight * style[:, :, None, None]  # [O, I, 3, 3]
    factors = (weight.square().sum((1, 2, 3), keepdim=True) + EPSILON).rsqrt() * GAIN
    weight = (weight * factors).to(x.dtype)
    bias = (layer.bias * GAIN).to(x.dtype)
    if layer.up:
        y = _convolve(x, weight.transpose(0, 1), None, True, gradients)  # [1, O, 2h+1, 2w+1]
        fir = (layer.resample_filter.flip((0, 1)) * 4).to(x.dtype).expand(len(bias), 1, -1, -1)
        # depthwise convolutions are ten times slower backwards where they have a bias
        y = F.conv2d(y, fir, padding=1, groups=len(bias)).add_(bias[:, None, None])
    else:
        y = _convolve(x, weight, bias, False, gradients)
    y = y.add_((layer.noise_const * (layer.noise_strength * GAIN)).to(x.dtype))
    y = F.leaky_relu_(y, LEAK)
    return y if layer.clamp is None else y.clamp(-layer.clamp * GAIN, layer.clamp * GAIN)


def _to_image(layer: ToRGB, x: Tensor, style: Tensor) -> Tensor:
    """x `[1, C, h, w]`, style `[1, C]` -> `[1, 3, h, w]` float32."""
    weight = (layer.weight[:, :, 0, 0] * style).to(x.dtype)  # [3, C]
    part = F.linear(x.movedim(1, -1), weight, layer.bias.to(x.dtype)).movedim(-1, 1)
    part = part.float().contiguous()
    return part if layer.clamp is None else part.clamp(-layer.clamp, layer.clamp)


def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None, up: bool, gradients: torch.dtype) -> Tensor:
    weight = weight.contiguous(memory_format=torch.channels_last)
    if x.dtype == torch.float32 != gradients and torch.is_grad_enabled():
        found: Tensor = _Convolution.apply(x, weight, bias, up, gradients)
        return found
    return _plain(x, weight, bias, up)


def _plain(x: Tensor, weight: Tensor, bias: Tensor | None, up: bool) -> Tensor:
    if up:
        return F.conv_transpose2d(x, weight, bias, stride=2)
    return F.conv2d(x, weight, bias, padding=1)


class _Convolution(torch.autograd.Function):
    """A 3x3 convolution in the dtype of its input that goes backwards in another one."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, up: bool, gradients: torch.dtype
    ) -> Tensor:
        ctx.up, ctx.gradients = up, gradients
        ctx.save_for_backward(x.to(gradients), weight.to(gradients))
        return _plain(x, weight, bias, up)

    @staticmethod
    def backward(ctx: Any, *above: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = above
        x, weight = ctx.saved_tensors
        needs = ctx.needs_input_grad
        stride, padding = ([2, 2], [0, 0]) if ctx.up else ([1, 1], [1, 1])
        of_x, of_weight, _ = torch.ops.aten.convolution_backward(
            gradient.to(ctx.gradients), x, weight, None, stride, padding, [1, 1], ctx.up, [0, 0], 1,
            [needs[0], needs[1], False],
        )  # fmt: skip
        return (
            of_x.float() if needs[0] else None,
            of_weight.float() if needs[1] else None,
            gradient.sum((0, 2, 3)) if needs[2] else None,
            None,
            None,
        )
