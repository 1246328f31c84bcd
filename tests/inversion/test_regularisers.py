"""Distances in W: in units of the codes' own spread."""

import pytest
import torch

from checkpoints.testing import random_checkpoint
from inversion import CodeSpace

CKPT = random_checkpoint(16, seed=2)
CODES = CodeSpace.of(CKPT)


def test_the_mean_is_at_distance_zero() -> None:
    ws = CODES.mean.repeat(1, 6, 1)
    assert float(CODES.whitened(ws)) == 0
    assert float(CODES.spread(ws)) == 0


def test_one_deviation_along_every_axis_counts_one_per_axis() -> None:
    axes, w_dim = CODES.components.shape
    ws = (CODES.mean + CODES.std @ CODES.components).repeat(1, 6, 1)
    assert float(CODES.whitened(ws)) == pytest.approx(axes / w_dim, rel=1e-3)


def test_a_deviation_along_one_axis_counts_once_and_twice_of_it_four_times() -> None:
    w_dim = CODES.mean.numel()
    for axis in (0, 3, len(CODES.std) - 1):
        ws = (CODES.mean + CODES.std[axis] * CODES.components[axis]).reshape(1, 1, -1)
        assert float(CODES.whitened(ws)) == pytest.approx(1 / w_dim, rel=1e-2)
        twice = 2 * ws - CODES.mean
        assert float(CODES.whitened(twice)) == pytest.approx(4 / w_dim, rel=1e-2)


def test_what_the_axes_leave_out_is_dearer_than_any_axis() -> None:
    direction = torch.randn(32, generator=torch.Generator().manual_seed(1))
    direction -= CODES.components.T @ (CODES.components @ direction)
    direction = direction / direction.norm() * CODES.std.min()
    outside = float(CODES.whitened((CODES.mean + direction).reshape(1, 1, -1)))
    inside = float(CODES.whitened((CODES.mean + CODES.std.min() * CODES.components[-1]).reshape(1, 1, -1)))
    assert outside > 2 * inside


def test_spread_is_the_layers_distance_from_their_mean() -> None:
    ws = CODES.mean.repeat(1, 2, 1)
    ws[:, 0] += CODES.scale
    ws[:, 1] -= CODES.scale
    assert float(CODES.spread(ws)) == pytest.approx(1)
    assert float(CODES.spread(ws + 3.0)) == pytest.approx(1), "a shift of all layers is no spread"


def test_axes_are_measured_where_the_checkpoint_has_none() -> None:
    bare = random_checkpoint(16, seed=2, codes=False)
    codes, again = CodeSpace.of(bare), CodeSpace.of(bare)
    assert torch.equal(codes.components, again.components), "from the seed alone"
    assert torch.allclose(codes.components @ codes.components.T, torch.eye(len(codes.std)), atol=1e-4)
    z = torch.randn(2000, 32, generator=torch.Generator().manual_seed(9))
    ws = bare.generator.mapping(z)
    assert float(codes.whitened(ws).mean()) == pytest.approx(1, abs=0.25), "a usual code is at distance 1"
    assert codes.scale == pytest.approx(float((ws - ws.mean(0)).square().mean().sqrt()), rel=0.1)


def test_conditional_generators_have_axes_too() -> None:
    codes = CodeSpace.of(random_checkpoint(16, c_dim=3, codes=False))
    assert codes.mean.shape == (32,) and bool(codes.std.isfinite().all())


def test_distances_have_gradients() -> None:
    ws = (CODES.mean + 0.3).repeat(1, 6, 1).requires_grad_(True)
    (CODES.whitened(ws) + CODES.spread(ws)).backward()  # type: ignore[no-untyped-call]
    assert ws.grad is not None and bool(ws.grad.isfinite().all()) and float(ws.grad.abs().sum()) > 0
