"""Features around the handles: the same as those of the whole maps, wherever the windows are."""

import numpy as np
import pytest
import torch
from torch import Tensor

from checkpoints import Checkpoint
from checkpoints.testing import random_checkpoint
from realedit.drag.maps import Maps, Source, held_resolution

CELLS = 64


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return random_checkpoint(128, channel_base=4096, channel_max=64, seed=1)


@pytest.fixture(scope="module")
def latent(checkpoint: Checkpoint) -> Tensor:
    return checkpoint.generator.mapping(torch.randn(1, 32, generator=torch.Generator().manual_seed(2)))


def _source(checkpoint: Checkpoint, latent: Tensor, reach: float = 4.0) -> Source:
    return Source(checkpoint.generator, latent, cells=CELLS, moving=4, reach=reach, dtype=torch.float32)


HANDLES = {
    "one": [[30.2, 20.7]],
    "far apart": [[6.3, 7.9], [50.1, 12.4], [28.6, 55.5]],
    "close": [[30.2, 20.7], [31.0, 22.3], [35.5, 21.0]],
    "in corners": [[0.0, 0.0], [64.0, 64.0], [0.2, 63.9]],
    "everywhere": np.random.default_rng(0).uniform(0, 64, (80, 2)).tolist(),
}


@pytest.mark.parametrize("name", HANDLES)
@pytest.mark.parametrize("hold", [False, True])
def test_samples_are_those_of_whole_maps(
    name: str, hold: bool, checkpoint: Checkpoint, latent: Tensor
) -> None:
    handles = torch.tensor(HANDLES[name])
    with torch.no_grad():
        whole = Maps.whole(
            checkpoint.generator.features(latent, upto=CELLS, noise="none")[CELLS], len(handles)
        )
        maps = _source(checkpoint, latent)(latent, handles, hold=hold)
    offsets = torch.rand(50, 2, generator=torch.Generator().manual_seed(3)) * 8 - 4
    points = handles[:, None] + offsets
    assert torch.allclose(maps.sample(points), whole.sample(points), atol=2e-5)
    assert (maps.held is not None) == hold


@pytest.mark.parametrize("name", HANDLES)
def test_patches_sample_what_maps_do(name: str, checkpoint: Checkpoint, latent: Tensor) -> None:
    handles = torch.tensor(HANDLES[name])
    maps = _source(checkpoint, latent)(latent, handles, hold=False)
    patches = maps.patches(handles, 3.0)
    points = handles[:, None] + torch.rand(20, 2, generator=torch.Generator().manual_seed(3)) * 6 - 3
    found = torch.bmm(patches.weights(points), patches.cells)
    assert torch.allclose(found, maps.sample(points), atol=2e-5)


@pytest.mark.parametrize("name", ["far apart", "close", "in corners"])
def test_gradients_are_those_of_whole_maps(name: str, checkpoint: Checkpoint, latent: Tensor) -> None:
    """Of the parts of the windows that samples touch alone, too."""
    handles = torch.tensor(HANDLES[name])
    points = handles[:, None] + torch.tensor([[0.3, -0.4], [1.2, 0.9]])
    ws = latent.clone().requires_grad_(True)
    whole = Maps.whole(checkpoint.generator.features(ws, upto=CELLS, noise="none")[CELLS], len(handles))
    (expected,) = torch.autograd.grad(whole.sample(points).square().sum(), ws)
    source = _source(checkpoint, latent)
    sight = source.look(latent, handles, hold=False)
    assert len(sight.maps.table) < CELLS * CELLS / 2
    patches = sight.maps.patches(handles, 3.0)
    weights = patches.weights(points)
    gradient = sight.maps.back(patches, weights.mT @ (2 * weights @ patches.cells))
    touched = sight.maps.touched(points)
    assert touched[1][0] < sight.maps.shape[0]
    for part in (None, touched):
        slope = source.synthesis.back(sight.trace, gradient, part=part)
        assert torch.allclose(
            slope, expected[:, :4], rtol=1e-3, atol=1e-4 * float(expected[:, :4].abs().max())
        )


def test_windows_follow_the_handles(checkpoint: Checkpoint, latent: Tensor) -> None:
    source = _source(checkpoint, latent)
    handles = torch.tensor(HANDLES["far apart"])
    shapes = set()
    for _ in range(12):
        plan = source.plan(handles, hold=False)
        shapes.add(plan.shape)
        for members, (top, left) in zip(plan.members, plan.origins, strict=True):
            for member in members:
                x, y = handles[member].tolist()
                assert left <= max(x - 4.5, 0) and left + plan.shape[1] >= min(x + 4.5, CELLS)
                assert top <= max(y - 4.5, 0) and top + plan.shape[0] >= min(y + 4.5, CELLS)
        handles = handles + torch.tensor([0.7, -0.4])
    assert len(shapes) == 1, "moving changes no shape"


def test_near_points_share_a_window_and_very_many_the_whole_map(
    checkpoint: Checkpoint, latent: Tensor
) -> None:
    source = _source(checkpoint, latent)
    close = source.plan(torch.tensor(HANDLES["close"]), hold=False)
    assert len(close.origins) == 1 and close.shape[0] < CELLS / 2
    everywhere = source.plan(torch.tensor(HANDLES["everywhere"]), hold=False)
    assert everywhere.shape == (CELLS, CELLS)


def test_what_is_held_is_the_same_with_and_without_windows(checkpoint: Checkpoint, latent: Tensor) -> None:
    source = _source(checkpoint, latent)
    held = source.held(latent)
    resolution = held_resolution(CELLS)
    with torch.no_grad():
        expected = checkpoint.generator.features(latent, upto=resolution, noise="none")[resolution]
        maps = source(latent, torch.tensor(HANDLES["one"]), hold=True)
    assert torch.allclose(held, expected, atol=2e-5)
    assert maps.held is not None and torch.equal(maps.held, held)
