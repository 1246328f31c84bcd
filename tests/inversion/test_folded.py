"""A block whose styles are in its weights does what the block does."""

from functools import partial

import pytest
import torch
from torch import Tensor

from checkpoints import Generator
from checkpoints.layers import ModulatedConv
from checkpoints.testing import random_checkpoint
from inversion.folded import folded_block
from inversion.synthesis import RunBlock, as_it_is, run_blocks


@pytest.fixture(scope="module")
def generator() -> Generator:
    """With noise and a clamp that is reached."""
    made = random_checkpoint(32, seed=3).generator
    with torch.no_grad():
        for name, tensor in made.named_parameters():
            if name.endswith("noise_strength"):
                tensor.fill_(0.3)
    for module in made.modules():
        if isinstance(module, ModulatedConv) and hasattr(module, "clamp"):
            module.clamp = 1.5
    return made


@pytest.fixture(scope="module")
def ws(generator: Generator) -> Tensor:
    z = torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(4))
    return generator.mapping(z)


def _slopes(generator: Generator, ws: Tensor, run: RunBlock) -> tuple[Tensor, dict[str, Tensor]]:
    """The picture, and the gradients of a function of it by convolution weights and biases."""
    network = generator.synthesis_network
    tensors = {n: p for n, p in network.named_parameters() if "affine" not in n and "noise" not in n}
    for tensor in tensors.values():
        tensor.requires_grad_(True)
    image = run_blocks(generator, ws, dtype=torch.float32, upto=32, run=run)[1]
    found = torch.autograd.grad((image - 0.3).square().sum(), list(tensors.values()))
    for tensor in tensors.values():
        tensor.requires_grad_(False)
    return image.detach(), dict(zip(tensors, found, strict=True))


def _off(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> float:
    return max(float((found[n] - wanted[n]).norm() / wanted[n].norm().clamp_min(1e-6)) for n in wanted)


def test_picture_and_gradients_are_the_blocks(generator: Generator, ws: Tensor) -> None:
    image, slopes = _slopes(generator, ws, as_it_is)
    assert image.abs().max() > 0.5, "nothing to compare"
    folded, its = _slopes(generator, ws, folded_block)
    assert torch.allclose(folded, image, atol=1e-4)
    assert _off(its, slopes) < 1e-3


def test_gradients_may_be_rounded_and_the_picture_is_not(generator: Generator, ws: Tensor) -> None:
    image, slopes = _slopes(generator, ws, as_it_is)
    rounded, its = _slopes(generator, ws, partial(folded_block, gradients=torch.bfloat16))
    assert torch.allclose(rounded, image, atol=1e-4)
    assert 1e-4 < _off(its, slopes) < 0.05, "rounded, and near"


def test_every_layer_is_seen_with_what_it_reads(generator: Generator, ws: Tensor) -> None:
    block, shapes = generator.synthesis_network.block(8), {}
    x, image = torch.randn(1, block.conv0.weight.shape[1], 4, 4), torch.zeros(1, 3, 4, 4)

    def see(layer: ModulatedConv, read: Tensor) -> None:
        shapes[layer] = tuple(read.shape)

    folded_block(block, x, image, ws[:, 1:4], seen=see)
    channels = block.conv1.weight.shape[0]
    assert shapes == {
        block.conv0: tuple(x.shape),
        block.conv1: (1, channels, 8, 8),
        block.torgb: (1, channels, 8, 8),
    }
