"""Pivotal tuning: a second generator shows the crop; the first, and what is far from the pivot, stay."""

import dataclasses

import pytest
import torch
from torch import Tensor

from checkpoints import Checkpoint, Generator
from checkpoints.testing import random_checkpoint
from inversion import Pyramid, Step, TuningSettings, apply, difference, tune, tuned_copy
from inversion.tuning import tunable

SETTINGS = TuningSettings(steps=30, learning_rate=5e-3, locality_every=4)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return random_checkpoint(32, seed=1)


@pytest.fixture(scope="module")
def pivot(checkpoint: Checkpoint) -> Tensor:
    return checkpoint.generator.mapping(torch.randn(1, 32, generator=torch.Generator().manual_seed(2)))


@pytest.fixture(scope="module")
def crop(checkpoint: Checkpoint, pivot: Tensor) -> Tensor:
    """Something like, but not quite, what the generator shows at the pivot."""
    with torch.no_grad():
        return checkpoint.generator.synthesis(
            pivot + 0.7 * torch.randn(pivot.shape, generator=torch.Generator().manual_seed(6))
        )


def _tune(
    checkpoint: Checkpoint, pivot: Tensor, crop: Tensor, *, seed: int = 0, **changes: object
) -> tuple[Generator, list[Step]]:
    tuned = tuned_copy(checkpoint.generator)
    settings = dataclasses.replace(SETTINGS, **changes)  # type: ignore[arg-type]
    valid = torch.ones(1, 1, 32, 32)
    return tuned, list(tune(checkpoint, tuned, pivot, crop, valid, Pyramid(), settings, seed=seed))


@torch.no_grad()
def _error(generator: Generator, pivot: Tensor, crop: Tensor) -> float:
    return float((generator.synthesis(pivot) - crop).abs().mean())


def test_the_pivot_shows_the_crop(checkpoint: Checkpoint, pivot: Tensor, crop: Tensor) -> None:
    tuned, steps = _tune(checkpoint, pivot, crop)
    assert _error(tuned, pivot, crop) < 0.7 * _error(checkpoint.generator, pivot, crop)
    assert [step.index for step in steps] == list(range(1, 31)) and {step.stage for step in steps} == {"tune"}
    assert all(torch.equal(step.latent, pivot) for step in steps)
    assert ["locality" in step.terms for step in steps[:4]] == [False, False, False, True]


def test_the_first_generator_stays_as_it_is(checkpoint: Checkpoint, pivot: Tensor, crop: Tensor) -> None:
    before = {name: t.clone() for name, t in checkpoint.generator.state_dict().items()}
    tuned, _ = _tune(checkpoint, pivot, crop, steps=3)
    for name, tensor in checkpoint.generator.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    for generator in (tuned, checkpoint.generator):
        assert not any(p.requires_grad or p.grad is not None for p in generator.parameters())


def test_closing_the_iterator_freezes_the_weights(
    checkpoint: Checkpoint, pivot: Tensor, crop: Tensor
) -> None:
    tuned = tuned_copy(checkpoint.generator)
    steps = tune(checkpoint, tuned, pivot, crop, torch.ones(1, 1, 32, 32), Pyramid(), SETTINGS)
    next(steps)
    steps.close()
    assert not any(p.requires_grad or p.grad is not None for p in tuned.parameters())


def test_mapping_noise_and_coarse_blocks_are_not_tuned(
    checkpoint: Checkpoint, pivot: Tensor, crop: Tensor
) -> None:
    names = tunable(checkpoint.generator, 16)
    assert names and all("b16." in name or "b32." in name for name in names)
    assert not any("noise_strength" in name or "mapping" in name for name in tunable(checkpoint.generator, 0))
    tuned, _ = _tune(checkpoint, pivot, crop, steps=3, first_resolution=16)
    changed = difference(tuned, checkpoint.generator)
    assert changed and set(changed) <= set(names)


def test_tuning_stops_at_the_target(checkpoint: Checkpoint, pivot: Tensor, crop: Tensor) -> None:
    _, steps = _tune(checkpoint, pivot, crop, target=1e9)
    assert len(steps) == 1


def test_locality_keeps_other_codes_as_they_were(checkpoint: Checkpoint, pivot: Tensor, crop: Tensor) -> None:
    near = pivot + 1.0 * torch.randn(pivot.shape, generator=torch.Generator().manual_seed(3))

    def drift(weight: float) -> float:
        tuned, _ = _tune(checkpoint, pivot, crop, locality=weight, locality_every=1)
        with torch.no_grad():
            return float((tuned.synthesis(near) - checkpoint.generator.synthesis(near)).abs().mean())

    assert drift(3.0) < 0.8 * drift(0.0)


def test_the_seed_decides_everything(checkpoint: Checkpoint, pivot: Tensor, crop: Tensor) -> None:
    runs = [_tune(checkpoint, pivot, crop, steps=8, seed=seed)[0].state_dict() for seed in (1, 1, 2)]
    assert all(torch.equal(runs[0][name], runs[1][name]) for name in runs[0])
    assert any(not torch.equal(runs[0][name], runs[2][name]) for name in runs[0])


def test_pixels_that_were_not_in_the_photo_do_not_count(
    checkpoint: Checkpoint, pivot: Tensor, crop: Tensor
) -> None:
    valid = torch.ones(1, 1, 32, 32)
    valid[..., 20:] = 0
    broken = torch.where(valid > 0, crop, torch.full_like(crop, -4.0))
    states = []
    for target in (crop, broken):
        tuned = tuned_copy(checkpoint.generator)
        settings = dataclasses.replace(SETTINGS, steps=4)
        list(tune(checkpoint, tuned, pivot, target, valid, Pyramid(), settings))
        states.append(tuned.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_difference_brings_the_tuned_generator_back(
    checkpoint: Checkpoint, pivot: Tensor, crop: Tensor
) -> None:
    tuned, _ = _tune(checkpoint, pivot, crop)
    changes = difference(tuned, checkpoint.generator)
    assert {tensor.dtype for tensor in changes.values()} == {torch.float16}
    size = sum(tensor.nbytes for tensor in changes.values())
    assert size <= sum(p.numel() for p in tunable(tuned, 0).values()) * 2, (
        "half of the weights, and no buffers"
    )
    again = tuned_copy(checkpoint.generator)
    apply(again, changes)
    with torch.no_grad():
        error = (again.synthesis(pivot) - tuned.synthesis(pivot)).abs().max()
    assert float(error) < 2e-3
    for name, tensor in tuned.state_dict().items():
        assert torch.allclose(again.state_dict()[name], tensor, atol=1e-4), name


def test_no_tuning_is_an_empty_difference(checkpoint: Checkpoint) -> None:
    assert difference(tuned_copy(checkpoint.generator), checkpoint.generator) == {}


def test_differences_of_another_generator_are_refused(
    checkpoint: Checkpoint, pivot: Tensor, crop: Tensor
) -> None:
    tuned, _ = _tune(checkpoint, pivot, crop, steps=2)
    changes = difference(tuned, checkpoint.generator)
    other = random_checkpoint(32, w_dim=16, seed=1).generator
    before = {name: t.clone() for name, t in other.state_dict().items()}
    with pytest.raises(ValueError, match="does not fit this generator"):
        apply(other, changes)
    with pytest.raises(ValueError, match="nonsense"):
        apply(other, {"nonsense": torch.zeros(1)})
    name = next(iter(tunable(other, 0)))
    with pytest.raises(ValueError, match="nonsense"):
        apply(other, {name: torch.ones_like(other.state_dict()[name]), "nonsense": torch.zeros(1)})
    assert all(torch.equal(t, before[name]) for name, t in other.state_dict().items()), (
        "nothing is half applied"
    )
