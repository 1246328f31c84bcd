"""Pivotal tuning: a second generator shows the crop; the first, and what is far from the pivot, stay."""

import dataclasses
from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor

from checkpoints import Block, Checkpoint, Generator
from checkpoints.testing import random_checkpoint
from inversion import Pyramid, Step, TuningSettings, apply, difference, synthesis, tune, tuned_copy, tuning
from inversion.folded import folded_block
from inversion.tuning import tunable

SETTINGS = TuningSettings(steps=30, first_resolution=0)


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


def _assert_frozen(generator: Generator) -> None:
    for tensor in (*generator.parameters(), *generator.buffers()):
        assert not tensor.requires_grad and tensor.grad is None


def _count_runs(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """How often each block runs for the tuning, by resolution, from now on."""
    runs: Counter[int] = Counter()

    def counted(block: Block, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        runs[block.resolution] += 1
        return folded_block(block, *args, **kwargs)

    monkeypatch.setattr(tuning, "folded_block", counted)
    return runs


@torch.no_grad()
def _error(generator: Generator, pivot: Tensor, crop: Tensor) -> float:
    return float((generator.synthesis(pivot) - crop).abs().mean())


def test_the_pivot_shows_the_crop(checkpoint: Checkpoint, pivot: Tensor, crop: Tensor) -> None:
    tuned, steps = _tune(checkpoint, pivot, crop)
    assert _error(tuned, pivot, crop) < 0.7 * _error(checkpoint.generator, pivot, crop)
    assert [step.index for step in steps] == list(range(1, 31)) and {step.stage for step in steps} == {"tune"}
    assert all(torch.equal(step.latent, pivot) for step in steps)
    assert all(set(step.terms) == {"pyramid", "l2"} for step in steps)


def test_the_first_generator_stays_as_it_is(checkpoint: Checkpoint, pivot: Tensor, crop: Tensor) -> None:
    before = {name: t.clone() for name, t in checkpoint.generator.state_dict().items()}
    tuned, _ = _tune(checkpoint, pivot, crop, steps=3)
    for name, tensor in checkpoint.generator.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    for generator in (tuned, checkpoint.generator):
        _assert_frozen(generator)


def test_closing_the_iterator_freezes_the_weights(
    checkpoint: Checkpoint, pivot: Tensor, crop: Tensor
) -> None:
    tuned = tuned_copy(checkpoint.generator)
    steps = tune(checkpoint, tuned, pivot, crop, torch.ones(1, 1, 32, 32), Pyramid(), SETTINGS)
    next(steps)
    steps.close()
    _assert_frozen(tuned)


def test_mapping_noise_and_coarse_blocks_are_not_tuned(
    checkpoint: Checkpoint, pivot: Tensor, crop: Tensor
) -> None:
    names = tunable(checkpoint.generator, 16, 32)
    assert names and all("b16." in name or "b32." in name for name in names)
    fixed = ("noise_strength", "mapping", "affine")
    assert not any(part in name for name in tunable(checkpoint.generator, 0, 32) for part in fixed)
    tuned, _ = _tune(checkpoint, pivot, crop, steps=3, first_resolution=16)
    changed = difference(tuned, checkpoint.generator)
    assert changed and set(changed) <= set(names)


def test_tuning_stops_at_the_target(checkpoint: Checkpoint, pivot: Tensor, crop: Tensor) -> None:
    _, steps = _tune(checkpoint, pivot, crop, target=1e9)
    assert len(steps) == 1


def test_locality_keeps_other_codes_as_they_were(checkpoint: Checkpoint, pivot: Tensor, crop: Tensor) -> None:
    random = checkpoint.generator.mapping(torch.randn(8, 32, generator=torch.Generator().manual_seed(3)))
    near = pivot + 0.5 * (random - pivot)

    def drift(weight: float) -> float:
        tuned, _ = _tune(checkpoint, pivot, crop, locality=weight, locality_codes=4)
        with torch.no_grad():
            return float((tuned.synthesis(near) - checkpoint.generator.synthesis(near)).abs().mean())

    assert drift(0.3) < 0.9 * drift(0.0)


def test_the_seed_decides_everything(checkpoint: Checkpoint, pivot: Tensor, crop: Tensor) -> None:
    runs = [
        _tune(checkpoint, pivot, crop, steps=8, seed=seed, locality=1.0)[0].state_dict() for seed in (1, 1, 2)
    ]
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
    assert size <= sum(p.numel() for p in tunable(tuned, 0, 32).values()) * 2, (
        "half of the weights, and no buffers"
    )
    again = tuned_copy(checkpoint.generator)
    apply(again, changes)
    with torch.no_grad():
        error = (again.synthesis(pivot) - tuned.synthesis(pivot)).abs().max()
    assert float(error) < 2e-3
    for name, tensor in tuned.state_dict().items():
        rounding = float(changes[name].abs().max()) * 2**-11 if name in changes else 0.0
        assert torch.allclose(again.state_dict()[name], tensor, atol=rounding + 1e-6), name


def test_the_blocks_that_stay_run_once(
    checkpoint: Checkpoint, pivot: Tensor, crop: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = _count_runs(monkeypatch)
    starts: list[int] = []
    tuned = tuned_copy(checkpoint.generator)
    tuned.synthesis_network.block(4).register_forward_hook(lambda *_: starts.append(4))
    settings = dataclasses.replace(SETTINGS, steps=5, first_resolution=16)
    list(tune(checkpoint, tuned, pivot, crop, torch.ones(1, 1, 32, 32), Pyramid(), settings))
    assert starts == [4] and runs == {16: 5 + 1, 32: 5 + 1}, "once more for the units"


def test_the_fast_dtype_tunes_as_well(checkpoint: Checkpoint, pivot: Tensor, crop: Tensor) -> None:
    errors = []
    for precision in ("float32", "bfloat16"):
        tuned = tuned_copy(checkpoint.generator)
        list(
            tune(
                checkpoint, tuned, pivot, crop, torch.ones(1, 1, 32, 32), Pyramid(), SETTINGS,
                precision=precision,  # type: ignore[arg-type]
            )
        )  # fmt: skip
        assert {t.dtype for t in tuned.state_dict().values()} == {torch.float32}
        errors.append(_error(tuned, pivot, crop))
    assert errors[1] < 1.2 * errors[0] < 0.7 * _error(checkpoint.generator, pivot, crop)


def test_exact_steps_go_on_where_the_fast_ones_ended(
    checkpoint: Checkpoint, pivot: Tensor, crop: Tensor
) -> None:
    tuned = tuned_copy(checkpoint.generator)
    settings = dataclasses.replace(SETTINGS, fast=0.5)
    valid = torch.ones(1, 1, 32, 32)
    losses = [
        step.loss
        for step in tune(checkpoint, tuned, pivot, crop, valid, Pyramid(), settings, precision="bfloat16")
    ]
    fast, exact = losses[:15], losses[15:]
    assert exact[0] < 1.3 * min(fast) and min(exact) < 0.6 * min(fast)


def test_all_blocks_are_tuned_from_the_first_step_on(
    checkpoint: Checkpoint, pivot: Tensor, crop: Tensor
) -> None:
    """However many weights there are: the first step is as long as the loss says."""
    _, steps = _tune(checkpoint, pivot, crop, steps=8)
    losses = [step.loss for step in steps]
    assert losses[1] < losses[0] and min(losses) < 0.3 * losses[0]


def test_large_pictures_are_tuned_small_first(
    checkpoint: Checkpoint, pivot: Tensor, crop: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "SEEN", 16)
    tuned = tuned_copy(checkpoint.generator)
    runs = _count_runs(monkeypatch)
    settings = dataclasses.replace(SETTINGS, steps=30, first_resolution=16, locality=0.1)
    steps = list(tune(checkpoint, tuned, pivot, crop, torch.ones(1, 1, 32, 32), Pyramid(), settings))
    # the crop and one code near it: what the code should stay, the units of both sizes, and the steps
    assert runs == {16: 1 + 2 * 2 + 2 * 30, 32: 1 + 2 + 2 * 3}
    assert len(steps) == 30
    assert _error(tuned, pivot, crop) < 0.8 * _error(checkpoint.generator, pivot, crop)
    changed = difference(tuned, checkpoint.generator)
    assert any("b16." in name for name in changed) and any("b32." in name for name in changed)


def test_no_tuning_is_an_empty_difference(checkpoint: Checkpoint) -> None:
    assert difference(tuned_copy(checkpoint.generator), checkpoint.generator) == {}


def test_differences_of_another_generator_are_refused(
    checkpoint: Checkpoint, pivot: Tensor, crop: Tensor
) -> None:
    tuned, _ = _tune(checkpoint, pivot, crop, steps=2)
    changes = difference(tuned, checkpoint.generator)
    other = random_checkpoint(32, channel_max=16, seed=1).generator
    before = {name: t.clone() for name, t in other.state_dict().items()}
    with pytest.raises(ValueError, match="does not fit this generator"):
        apply(other, changes)
    with pytest.raises(ValueError, match="nonsense"):
        apply(other, {"nonsense": torch.zeros(1)})
    name = next(iter(tunable(other, 0, 32)))
    with pytest.raises(ValueError, match="nonsense"):
        apply(other, {name: torch.ones_like(other.state_dict()[name]), "nonsense": torch.zeros(1)})
    assert all(torch.equal(t, before[name]) for name, t in other.state_dict().items()), (
        "nothing is half applied"
    )
