"""Projection: the loss falls, made-up pixels do not count, and the search ends when it no longer pays."""

import dataclasses

import pytest
import torch
from torch import Tensor

from checkpoints import Checkpoint
from checkpoints.testing import random_checkpoint
from inversion import ProjectionSettings, Pyramid, Step, project, starting_latent
from inversion.projection import Plateau, schedule

SETTINGS = ProjectionSettings(steps=30, coarse=0.3, patience=100)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return random_checkpoint(64, channel_base=256, seed=1)


@pytest.fixture(scope="module")
def crop(checkpoint: Checkpoint) -> Tensor:
    """A picture the generator can make."""
    z = torch.randn(1, checkpoint.generator.z_dim, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        return checkpoint.generator.synthesis(checkpoint.generator.mapping(z))


def _run(checkpoint: Checkpoint, crop: Tensor, valid: Tensor | None = None, **changes: object) -> list[Step]:
    settings = dataclasses.replace(SETTINGS, **changes)  # type: ignore[arg-type]
    valid = torch.ones(1, 1, 64, 64) if valid is None else valid
    return list(project(checkpoint, crop, valid, Pyramid(), settings))


def _distance(checkpoint: Checkpoint, latent: Tensor, crop: Tensor, where: Tensor | None = None) -> float:
    with torch.no_grad():
        difference = (checkpoint.generator.synthesis(latent) - crop).square()
    return float(difference.mean() if where is None else (difference * where).sum() / where.sum() / 3)


def test_the_picture_comes_nearer_to_the_crop(checkpoint: Checkpoint, crop: Tensor) -> None:
    steps = _run(checkpoint, crop)
    start = starting_latent(checkpoint, crop)
    assert _distance(checkpoint, steps[-1].latent, crop) < 0.5 * _distance(checkpoint, start, crop)
    assert steps[-1].loss < 0.7 * steps[0].loss


def test_steps_count_and_tell_their_terms(checkpoint: Checkpoint, crop: Tensor) -> None:
    steps = _run(checkpoint, crop, steps=4)
    assert [step.index for step in steps] == [1, 2, 3, 4]
    for step in steps:
        assert step.stage == "project" and step.total == 4
        assert step.latent.shape == (1, checkpoint.generator.num_ws, 32) and not step.latent.requires_grad
        assert set(step.terms) == {"pyramid", "l2", "whitened", "spread"}
        assert sum(step.terms.values()) == pytest.approx(step.loss, rel=1e-4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        steps[0].loss = 0.0  # type: ignore[misc]


def test_pixels_that_were_not_in_the_photo_do_not_count(checkpoint: Checkpoint, crop: Tensor) -> None:
    valid = torch.ones(1, 1, 64, 64)
    valid[..., 40:] = 0
    broken = torch.where(valid > 0, crop, torch.full_like(crop, 5.0))
    start = starting_latent(checkpoint, crop)

    def latent(target: Tensor) -> Tensor:
        *_, last = project(
            checkpoint, target, valid, Pyramid(), dataclasses.replace(SETTINGS, steps=6), start=start
        )
        return last.latent

    assert torch.equal(latent(crop), latent(broken))


def test_the_same_input_gives_the_same_latent(checkpoint: Checkpoint, crop: Tensor) -> None:
    assert torch.equal(_run(checkpoint, crop, steps=5)[-1].latent, _run(checkpoint, crop, steps=5)[-1].latent)


def test_the_search_starts_at_the_encoders_guess_or_at_the_mean(crop: Tensor, checkpoint: Checkpoint) -> None:
    assert checkpoint.encoder is not None
    assert torch.equal(starting_latent(checkpoint, crop), checkpoint.encoder(crop))
    bare = random_checkpoint(64, channel_base=256, seed=1, encoder=False)
    start = starting_latent(bare, crop)
    assert start.shape == (1, bare.generator.num_ws, 32)
    assert bool((start == bare.generator.w_avg).all())


def test_a_given_start_is_not_written_to(checkpoint: Checkpoint, crop: Tensor) -> None:
    start = starting_latent(checkpoint, crop)
    before = start.clone()
    list(
        project(
            checkpoint,
            crop,
            torch.ones(1, 1, 64, 64),
            Pyramid(),
            ProjectionSettings(steps=3, coarse=0),
            start=start,
        )
    )
    assert torch.equal(start, before) and not start.requires_grad


def test_the_generator_stays_frozen_and_as_it_was(checkpoint: Checkpoint, crop: Tensor) -> None:
    before = {name: t.clone() for name, t in checkpoint.generator.state_dict().items()}
    _run(checkpoint, crop, steps=3)
    for name, tensor in checkpoint.generator.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert all(p.grad is None and not p.requires_grad for p in checkpoint.generator.parameters())


def test_regularisers_keep_the_latent_nearer_to_the_mean(checkpoint: Checkpoint, crop: Tensor) -> None:
    free = _run(checkpoint, crop, whitened=0.0, spread=0.0)[-1].latent
    held = _run(checkpoint, crop, whitened=0.5, spread=0.5)[-1].latent
    assert held.norm() < free.norm()
    assert (held - held.mean(1, keepdim=True)).norm() < (free - free.mean(1, keepdim=True)).norm()


def test_a_search_that_no_longer_pays_ends_early(checkpoint: Checkpoint, crop: Tensor) -> None:
    steps = _run(checkpoint, crop, steps=200, coarse=0.0, plateau=0.9, patience=6)
    assert len(steps) < 20
    assert steps[-1].total == 200


def test_the_last_step_holds_the_best_fine_latent(checkpoint: Checkpoint, crop: Tensor) -> None:
    steps = _run(checkpoint, crop, first_fall=1e4, coarse=0.0, steps=2)  # far too fast: it jumps
    losses = [step.loss for step in steps]
    assert losses[-1] > min(losses), "the case needs a trial that is worse"
    held = next(project(checkpoint, crop, torch.ones(1, 1, 64, 64), Pyramid(),
                        dataclasses.replace(SETTINGS, coarse=0.0), start=steps[-1].latent))  # fmt: skip
    assert held.loss == pytest.approx(min(losses), rel=1e-5)


def test_a_batch_is_searched_side_by_side(checkpoint: Checkpoint, crop: Tensor) -> None:
    other = crop.flip(-1)
    valid = torch.ones(2, 1, 64, 64)
    together = _run(checkpoint, torch.cat([crop, other]), valid, steps=10)[-1].latent
    for row, alone in enumerate((crop, other)):
        found = _run(checkpoint, alone, valid[:1], steps=10)[-1].latent
        assert torch.allclose(together[row], found[0], atol=2e-2), row


def test_large_pictures_are_seen_at_256_pixels_until_the_end() -> None:
    steps = ProjectionSettings(steps=50, coarse=0.3)
    assert schedule(1024, steps) == [(128, 15), (256, 30), (1024, 5)]
    assert schedule(128, steps) == [(64, 15), (128, 35)]
    assert schedule(32, steps) == [(32, 50)] and schedule(256, steps) == [(128, 15), (256, 35)]
    assert schedule(1024, ProjectionSettings(steps=0)) == []


def test_activations_may_be_computed_again_to_save_memory(
    checkpoint: Checkpoint, crop: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = _run(checkpoint, crop, steps=5)[-1].latent
    monkeypatch.setattr("inversion.synthesis.PLENTY", 0)
    assert torch.allclose(_run(checkpoint, crop, steps=5)[-1].latent, usual, atol=1e-5)


def test_no_coarse_steps_below_64_pixels() -> None:
    small = random_checkpoint(16)
    crop = torch.zeros(1, 3, 16, 16)
    steps = list(
        project(small, crop, torch.ones(1, 1, 16, 16), Pyramid(), ProjectionSettings(steps=2, coarse=1.0))
    )
    assert len(steps) == 2


def test_a_plateau_is_a_mean_that_no_longer_falls() -> None:
    falling = Plateau(0.01, 6)
    assert not any(falling.stalled(0.9**i) for i in range(50))
    flat = Plateau(0.01, 6)
    assert [flat.stalled(1.0) for _ in range(8)] == [False] * 5 + [True] * 3
    rising = Plateau(0.01, 6)
    assert [rising.stalled(1.0 + i) for i in range(6)][-1]
    slow = Plateau(0.01, 6)
    assert [slow.stalled(1 - 0.0001 * i) for i in range(6)][-1]
