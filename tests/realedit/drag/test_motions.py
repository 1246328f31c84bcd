"""Drags along motions that the generator knows: as far as the handles ask, as steps like others."""

import dataclasses

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from checkpoints import Checkpoint, Motions
from checkpoints.testing import random_checkpoint
from inversion import CodeSpace
from realedit.drag import DragSettings, DragStep, Editor
from realedit.drag.motions import BEYOND, FEWEST, mixture

SIZE = 64
RANGES = torch.tensor([[0.0, 1.0], [-1.0, 1.0]])
LED = DragSettings(max_steps=30, motions=("way 0",))
HANDLE = [(30.0, 30.0)]


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return random_checkpoint(SIZE, channel_base=512, seed=1, motions=2)


@pytest.fixture(scope="module")
def latent(checkpoint: Checkpoint) -> Tensor:
    return checkpoint.generator.mapping(torch.randn(1, 32, generator=torch.Generator().manual_seed(2)))


def motions_of(checkpoint: Checkpoint) -> Motions:
    assert checkpoint.codes is not None and checkpoint.codes.motions is not None
    return checkpoint.codes.motions


def _editor(checkpoint: Checkpoint, latent: Tensor, settings: DragSettings = LED) -> Editor:
    return Editor(
        checkpoint.generator, latent, settings, CodeSpace.of(checkpoint),
        layers=5, motions=motions_of(checkpoint),
    )  # fmt: skip


def _asked(checkpoint: Checkpoint, latent: Tensor) -> NDArray[np.float64]:
    """A target two pixels away on the way that half of the first motion takes the handle."""
    editor = _editor(checkpoint, latent)
    editor.add(HANDLE, [(40.0, 30.0)])
    lead = editor._begun().lead
    assert lead is not None
    lead.begin(editor._state)
    way = lead._probe(editor._state, lead.motions[0])[0].numpy()
    return HANDLE + 2 * way / np.linalg.norm(way)


def _along(step: DragStep, latent: Tensor, way: Tensor) -> tuple[float, float]:
    """How much of a motion a step is, and what of it is nothing of it, as a share."""
    gone = step.latent - latent
    share = float((gone * way).sum() / way.square().sum())
    return share, float((gone - share * way).norm() / gone.norm())


def test_a_drag_goes_along_the_named_motion_alone(checkpoint: Checkpoint, latent: Tensor) -> None:
    editor = _editor(checkpoint, latent)
    editor.add(HANDLE, _asked(checkpoint, latent))
    steps = list(editor.steps())
    assert steps[-1].ending == "arrived" and all(step.ending == "running" for step in steps[:-1])
    way = torch.zeros_like(latent)
    way[:, :5] = motions_of(checkpoint).ways[0, :5]
    shares = [_along(step, latent, way) for step in steps]
    assert all(rest < 1e-3 for _, rest in shares)
    amounts = [share for share, _ in shares]
    assert amounts == sorted(amounts) and 0.05 < amounts[-1] <= BEYOND
    assert np.allclose(np.diff([0, *amounts]), amounts[0], atol=1e-3), "steps of equal length"
    assert torch.equal(editor.latent, steps[-1].latent)


def test_a_drag_that_is_paused_undone_and_redone_is_the_same(checkpoint: Checkpoint, latent: Tensor) -> None:
    target = _asked(checkpoint, latent)
    once, paused = (_editor(checkpoint, latent) for _ in range(2))
    for editor in (once, paused):
        editor.add(HANDLE, target)
    *_, last = once.steps()
    next(iter(paused.steps()))
    *_, resumed = paused.steps()
    assert torch.equal(last.latent, resumed.latent)
    assert paused.undo() and torch.equal(paused.latent, latent)
    assert paused.redo() and torch.equal(paused.latent, last.latent)


def test_points_that_change_begin_the_way_anew(checkpoint: Checkpoint, latent: Tensor) -> None:
    editor = _editor(checkpoint, latent)
    editor.add(HANDLE, _asked(checkpoint, latent))
    steps = editor.steps()
    next(steps)
    editor.add([(20.0, 20.0)], [(20.0, 20.0)])
    last = list(editor.steps())[-1]
    assert last.ending == "arrived" and bool(last.latent.isfinite().all())


@pytest.mark.parametrize("named", [(), ("lips apart",)])
def test_a_motion_that_is_unknown_or_not_asked_for_leaves_the_drag_as_it_was(
    named: tuple[str, ...], checkpoint: Checkpoint, latent: Tensor
) -> None:
    settings = dataclasses.replace(LED, motions=named, max_steps=4)
    with_motions = _editor(checkpoint, latent, settings)
    without = Editor(checkpoint.generator, latent, settings, CodeSpace.of(checkpoint), layers=5)
    for editor in (with_motions, without):
        editor.add(HANDLE, [(36.0, 33.0)])
    assert torch.equal(list(with_motions.steps())[-1].latent, list(without.steps())[-1].latent)


def test_a_motion_that_leads_away_is_not_gone_along(checkpoint: Checkpoint, latent: Tensor) -> None:
    motions = motions_of(checkpoint)
    one_way = dataclasses.replace(motions, ranges=torch.tensor([[0.0, 1.0]]).repeat(2, 1))
    away = 2 * np.array(HANDLE) - _asked(checkpoint, latent)
    settings = dataclasses.replace(LED, max_steps=3)
    editors = [
        Editor(checkpoint.generator, latent, settings, CodeSpace.of(checkpoint), layers=5, motions=each)
        for each in (one_way, None)
    ]
    for editor in editors:
        editor.add(HANDLE, away)
    led, free = (list(editor.steps())[-1].latent for editor in editors)
    assert torch.equal(led, free), "it is dragged as ever"


def test_the_mixture_is_what_the_handles_ask_for() -> None:
    leads = torch.tensor([[[0.0, 4.0], [0.0, 2.0]], [[3.0, 0.0], [0.0, 0.0]]])
    found = mixture(leads, torch.tensor([[0.0, 2.0], [0.0, 1.0]]), RANGES)
    assert 0.45 < float(found[0]) < 0.5 and float(found[1]) == pytest.approx(0, abs=1e-6)
    assert float(mixture(leads, torch.tensor([[0.0, -2.0], [0.0, -1.0]]), RANGES)[0]) == 0, "its range"
    assert float(mixture(leads, torch.tensor([[0.0, 20.0], [0.0, 10.0]]), RANGES)[0]) == 1
    both = mixture(leads, torch.tensor([[1.5, 2.0], [0.0, 0.0]]), RANGES)
    assert float(both[1]) > 0.2, "each motion for its part of the way"


def test_what_leads_handles_sideways_does_not_count_unless_they_should_stay() -> None:
    leads = torch.tensor([[[3.0, 4.0], [2.0, 0.0]]])
    sideways = mixture(leads, torch.tensor([[0.0, 2.0], [0.0, 1.0]]), RANGES[:1])
    straight = mixture(leads * torch.tensor([0.0, 1.0]), torch.tensor([[0.0, 2.0], [0.0, 1.0]]), RANGES[:1])
    assert torch.allclose(sideways, straight)
    held = mixture(leads, torch.tensor([[0.0, 2.0], [0.0, 0.0]]), RANGES[:1])
    free = mixture(leads[:, :1], torch.tensor([[0.0, 2.0]]), RANGES[:1])
    assert float(held) < float(free) - 0.02


@pytest.mark.parametrize("amount", [0.5, -0.4])
def test_given_amounts_are_gone_whatever_the_handles_ask(
    amount: float, checkpoint: Checkpoint, latent: Tensor
) -> None:
    settings = dataclasses.replace(LED, motions=("way 1",), amounts=(amount,))
    editor = _editor(checkpoint, latent, settings)
    editor.add(HANDLE, [(45.0, 12.0)])
    steps = list(editor.steps())
    way = torch.zeros_like(latent)
    way[:, :5] = motions_of(checkpoint).ways[1, :5]
    shares = [_along(step, latent, way) for step in steps]
    assert len(steps) >= FEWEST
    assert shares[-1][0] == pytest.approx(amount, abs=1e-3) and shares[-1][1] < 1e-3
    assert steps[-1].ending == "arrived"
    assert np.array_equal(editor.targets, editor.handles), "where the amount led is where they should be"


def test_given_amounts_stay_within_what_was_trained(checkpoint: Checkpoint, latent: Tensor) -> None:
    settings = dataclasses.replace(LED, motions=("way 0",), amounts=(-3.0,))
    editor = _editor(checkpoint, latent, settings)
    editor.add(HANDLE, [(36.0, 33.0)])
    way = torch.zeros_like(latent)
    way[:, :5] = motions_of(checkpoint).ways[0, :5]
    assert _along(list(editor.steps())[-1], latent, way)[0] == pytest.approx(-BEYOND, abs=1e-3)


def test_given_amounts_of_motions_that_are_not_all_known_leave_the_drag_as_it_was(
    checkpoint: Checkpoint, latent: Tensor
) -> None:
    settings = dataclasses.replace(LED, motions=("way 0", "smile"), amounts=(0.5, 1.0), max_steps=3)
    plain = dataclasses.replace(LED, motions=(), max_steps=3)
    editors = [_editor(checkpoint, latent, each) for each in (settings, plain)]
    for editor in editors:
        editor.add(HANDLE, [(36.0, 33.0)])
    assert torch.equal(*(list(editor.steps())[-1].latent for editor in editors))
