"""Units of weights: every direction is as visible as every other."""

import torch
import torch.nn.functional as F
from torch import Tensor

from checkpoints import Generator
from checkpoints.layers import ModulatedConv
from checkpoints.testing import random_checkpoint
from inversion.conditioning import Moments, Units, _taps


def _layer(name: str) -> ModulatedConv:
    generator: Generator = random_checkpoint(16, seed=2).generator
    found = generator.get_submodule(f"synthesis_network.{name}")
    assert isinstance(found, ModulatedConv)
    return found


def _units(layer: ModulatedConv, x: Tensor, damping: float) -> Units:
    moments = Moments()
    moments.add(layer, x)
    return moments.units(damping)


def _smooth(channels: int, size: int) -> Tensor:
    """Channels that go together, and neighbours that are nearly the same `[1, C, size, size]`."""
    random = torch.Generator().manual_seed(0)
    apart = F.interpolate(
        torch.randn(1, channels, size // 4, size // 4, generator=random), size=[size, size], mode="bicubic"
    )
    mix = torch.eye(channels) + 0.8
    return torch.einsum("ij,njhw->nihw", mix, apart) + 0.02 * torch.randn(apart.shape, generator=random)


def _visible(change: Tensor, x: Tensor) -> Tensor:
    """How much a change of the weight `[1, I, k, k]` shows in what the convolution gives."""
    return F.conv2d(x, change, padding=change.shape[-1] // 2).square().mean()


def test_changes_in_these_units_are_alike_visible() -> None:
    layer = _layer("b16.conv1")
    channels = layer.weight.shape[1]
    x = _smooth(channels, 32)
    units = _units(layer, x, 1e-3)
    random = torch.Generator().manual_seed(1)
    plain, conditioned = [], []
    for _ in range(40):
        flat = torch.randn(1, channels, 1, 1, generator=random).expand(-1, -1, 3, 3)
        rough = torch.randn(1, channels, 3, 3, generator=random)
        for change in (flat, rough - rough.mean((1, 2, 3), keepdim=True)):
            change = change / change.norm()
            plain.append(_visible(change, x))
            conditioned.append(_visible(units(change), x))

    def ratio(values: list[Tensor]) -> float:
        return float(torch.stack(values).quantile(0.9) / torch.stack(values).quantile(0.1))

    assert ratio(conditioned) < 0.2 * ratio(plain)


def test_units_are_their_own_adjoint() -> None:
    layer = _layer("b16.conv0")
    units = _units(layer, _smooth(layer.weight.shape[1], 16), 0.03)
    one, other = (
        torch.randn(layer.weight.shape, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)
    )
    assert torch.allclose((units(one) * other).sum(), (one * units(other)).sum(), rtol=1e-4)
    laid_out = one.contiguous(memory_format=torch.channels_last)
    assert torch.allclose(units(laid_out), units(one), atol=1e-5)


def test_much_damping_leaves_the_weights_as_they_are() -> None:
    layer = _layer("b16.torgb")
    units = _units(layer, _smooth(layer.weight.shape[1], 16), 1e8)
    change = torch.randn(layer.weight.shape, generator=torch.Generator().manual_seed(1))
    found = units(change)
    assert torch.allclose(found / found.norm(), change / change.norm(), atol=1e-4)


def test_maps_without_anything_in_them_give_finite_units() -> None:
    layer = _layer("b16.conv1")
    units = _units(layer, torch.zeros(1, layer.weight.shape[1], 16, 16), 0.03)
    assert bool(units(torch.ones_like(layer.weight)).isfinite().all())


def test_taps_are_the_moments_of_a_kernels_reading() -> None:
    x = torch.randn(1, 2, 9, 7, generator=torch.Generator().manual_seed(3))
    read = F.unfold(F.pad(x, (4, 4, 4, 4)), 3).reshape(2, 9, -1)  # every place a kernel sees anything
    wanted = torch.einsum("cap,cbp->ab", read, read)
    assert torch.allclose(_taps(x, 3), wanted, rtol=1e-4, atol=1e-3)
