"""Layers against plain restatements of their definitions."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from checkpoints.layers import normalise_second_moment, upsample_convolve, upsample_image
from checkpoints.testing import random_checkpoint

FIR = torch.outer(torch.tensor([1.0, 3.0, 3.0, 1.0]), torch.tensor([1.0, 3.0, 3.0, 1.0])) / 64


def zero_insert(x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    y = x.new_zeros(n, c, 2 * h, 2 * w)
    y[:, :, ::2, ::2] = x
    return y


def test_image_upsampling_is_zero_insertion_and_filter() -> None:
    x = torch.randn(2, 3, 5, 7)
    padded = F.pad(zero_insert(x), (2, 1, 2, 1))
    expected = F.conv2d(padded.flatten(0, 1)[:, None], FIR[None, None] * 4).reshape(2, 3, 10, 14)
    assert torch.allclose(upsample_image(x, FIR), expected, atol=1e-6)


def test_upsampling_convolution_is_convolution_of_the_upsampled() -> None:
    # True convolution (flipped kernel) of the zero-inserted input with weight, then with the filter.
    x, weight = torch.randn(2, 4, 6, 5), torch.randn(3, 4, 3, 3)
    y = F.conv2d(F.pad(zero_insert(x), (2, 1, 2, 1)), weight.flip(2, 3))
    kernel = (FIR * 4).expand(3, 1, 4, 4)
    expected = F.conv2d(F.pad(y, (1, 1, 1, 1)), kernel, groups=3)
    assert torch.allclose(upsample_convolve(x, weight.transpose(0, 1), FIR), expected, atol=1e-5)


@pytest.mark.parametrize("up", [False, True])
def test_modulation_equals_per_sample_weights(up: bool) -> None:
    block = random_checkpoint(16, seed=3).generator.synthesis_network.block(8)
    layer = block.conv0 if up else block.conv1
    torch.manual_seed(0)
    x, w = torch.randn(3, layer.weight.shape[1], 8, 8), torch.randn(3, 32)
    found = layer(x, w, "none")
    style = layer.affine(w)
    for i in range(3):
        weight = layer.weight * style[i, None, :, None, None]
        weight = weight * (weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).rsqrt()
        if up:
            y = upsample_convolve(x[i : i + 1], weight.transpose(0, 1), layer.resample_filter)
        else:
            y = F.conv2d(x[i : i + 1], weight, padding=1)
        y = F.leaky_relu(y + layer.bias[:, None, None], 0.2) * 2**0.5
        assert torch.allclose(found[i], y[0], atol=1e-5)


@pytest.mark.parametrize("name", ["conv0", "conv1"])
def test_what_is_remembered_follows_the_weight(name: str) -> None:
    layer = getattr(random_checkpoint(8).generator.synthesis_network.block(8), name)
    x, w = torch.randn(1, layer.weight.shape[1], 4, 4), torch.randn(1, 32)
    before = layer(x, w, "none")
    layer.weight.add_(torch.randn(layer.weight.shape))
    changed = layer(x, w, "none")
    assert not torch.allclose(changed, before)
    layer.weight = torch.nn.Parameter(layer.weight.clone())  # wants gradients: nothing is remembered
    assert torch.allclose(layer(x, w, "none"), changed, atol=1e-5)


def test_normalise_second_moment() -> None:
    x = normalise_second_moment(torch.randn(4, 64) * 7)
    assert torch.allclose(x.square().mean(dim=1), torch.ones(4), atol=1e-5)
