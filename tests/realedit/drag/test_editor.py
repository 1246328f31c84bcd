"""The drag's loop on random generators: it arrives where they can go, and says so where they cannot."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from checkpoints import Checkpoint
from checkpoints.testing import random_checkpoint
from inversion import CodeSpace
from realedit.drag import DragSettings, DragStep, Editor, decisions
from realedit.drag.decisions import LAST, NEARER
from realedit.errors import UsageError

SIZE = 64
QUICK = DragSettings(max_steps=8, patience=100)
FAR: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([(20.0, 24.0)], [(44.0, 40.0)])


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return random_checkpoint(SIZE, channel_base=512, seed=1)


@pytest.fixture(scope="module")
def latent(checkpoint: Checkpoint) -> Tensor:
    return checkpoint.generator.mapping(torch.randn(1, 32, generator=torch.Generator().manual_seed(2)))


def _editor(checkpoint: Checkpoint, latent: Tensor, settings: DragSettings = QUICK, **more: Any) -> Editor:
    return Editor(checkpoint.generator, latent, settings, CodeSpace.of(checkpoint), **more)


def _run(editor: Editor) -> list[DragStep]:
    return list(editor.steps())


def test_handles_come_nearer_to_their_targets(checkpoint: Checkpoint, latent: Tensor) -> None:
    handles, targets = np.array([[24.0, 28.0], [40.0, 36.0]]), np.array([[27.0, 28.0], [37.0, 38.0]])
    start = np.linalg.norm(targets - handles, axis=1)
    editor = _editor(checkpoint, latent, DragSettings(max_steps=60))
    editor.add(handles, targets)
    last = _run(editor)[-1]
    assert last.distances.mean() < 0.7 * start.mean()
    assert np.allclose(last.distances, np.linalg.norm(targets - last.handles, axis=1))
    assert np.allclose(last.handles, editor.handles) and torch.equal(last.latent, editor.latent)


def test_a_short_way_is_gone_to_its_end(checkpoint: Checkpoint, latent: Tensor) -> None:
    editor = _editor(checkpoint, latent, DragSettings(max_steps=100))
    editor.add([(30.0, 30.0)], [(31.2, 30.0)])
    last = _run(editor)[-1]
    assert last.ending == "arrived"
    assert last.distances[0] <= editor.lengths.enough * SIZE / editor.cells + 1e-4


def test_a_drag_that_is_near_enough_goes_on_only_while_it_gets_nearer(
    checkpoint: Checkpoint, latent: Tensor
) -> None:
    editor = _editor(checkpoint, latent, DragSettings(max_steps=200, until=1e-6))
    editor.add([(30.0, 30.0)], [(33.0, 31.0)])
    steps = _run(editor)
    away = [step.distances[0] * editor.cells / SIZE for step in steps]
    assert steps[-1].ending == "arrived" and len(steps) < 200
    assert away[-1] <= min(away) + NEARER and away[-1] <= editor.lengths.enough
    first = next(i for i, d in enumerate(away) if d <= editor.lengths.enough)
    assert first < len(away) - LAST, "it went on from there"


@pytest.mark.parametrize("more", [{"max_steps": 30}, {"patience": 2, "max_steps": 200}])
def test_a_drag_whose_handles_are_near_enough_has_arrived_however_it_ends(
    more: dict[str, int], checkpoint: Checkpoint, latent: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "LAST", 10**6)  # it would go on for ever
    editor = _editor(checkpoint, latent, DragSettings(until=1e-6, **more))
    editor.add([(30.0, 30.0)], [(31.2, 30.0)])
    last = _run(editor)[-1]
    assert last.ending == "arrived"
    assert last.distances[0] * editor.cells / SIZE <= editor.lengths.enough


def test_steps_are_counted_frozen_and_end_once(checkpoint: Checkpoint, latent: Tensor) -> None:
    editor = _editor(checkpoint, latent)
    editor.add(*FAR)
    steps = _run(editor)
    assert [step.index for step in steps] == list(range(1, 9))
    assert [step.ending for step in steps] == ["running"] * 7 + ["steps"]
    assert all(step.total == 8 and not step.latent.requires_grad for step in steps)
    with pytest.raises(dataclasses.FrozenInstanceError):
        steps[0].index = 5  # type: ignore[misc]


@pytest.mark.parametrize("points", [[], [(20.0, 20.0)], [(20.0, 20.0), (64.0, 0.0)]])
def test_nothing_to_drag_changes_nothing(
    points: list[tuple[float, float]], checkpoint: Checkpoint, latent: Tensor
) -> None:
    editor = _editor(checkpoint, latent)
    editor.add(points, points)
    (only,) = _run(editor)
    assert only.ending == "nothing"
    assert torch.equal(only.latent, latent) and np.allclose(only.handles, np.reshape(points, (-1, 2)))


def test_a_drag_that_gets_nowhere_stalls_and_keeps_the_best(checkpoint: Checkpoint, latent: Tensor) -> None:
    editor = _editor(checkpoint, latent, DragSettings(max_steps=200, patience=8))
    editor.add([(30.0, 24.0), (32.0, 24.0)], [(44.0, 24.0), (14.0, 24.0)])  # neighbours, far apart
    steps = _run(editor)
    assert steps[-1].ending == "stalled" and len(steps) < 200
    away = [np.sqrt(np.square(step.distances).mean()) for step in steps]
    assert away[-1] == pytest.approx(min(away), abs=0.05 * SIZE / editor.cells)
    best = int(np.argmin(away[:-1]))
    assert best < len(steps) - 2, "the best came before the end"
    assert torch.equal(steps[-1].latent, steps[best].latent) or away[best] - away[-1] < 0.05
    assert torch.equal(editor.latent, steps[-1].latent)


def test_a_drag_never_ends_farther_away_than_it_began(checkpoint: Checkpoint, latent: Tensor) -> None:
    wild = DragSettings(max_steps=200, patience=3, learning_rate=2.0)
    editor = _editor(checkpoint, latent, wild)
    editor.add([(5.0, 60.0)], [(9.0, 57.0)])
    last = _run(editor)[-1]
    assert last.ending == "stalled" and last.distances[0] <= 5.0


@pytest.mark.parametrize("layers", [1, 3])
def test_only_the_first_layers_move(layers: int, checkpoint: Checkpoint, latent: Tensor) -> None:
    editor = _editor(checkpoint, latent, layers=layers)
    editor.add(*FAR)
    last = _run(editor)[-1]
    assert torch.equal(last.latent[:, layers:], latent[:, layers:])
    assert bool((last.latent[:, :layers] != latent[:, :layers]).any(-1).all())


def test_a_third_of_the_layers_moves_where_nobody_says_how_many(
    checkpoint: Checkpoint, latent: Tensor
) -> None:
    assert _editor(checkpoint, latent).layers == round(checkpoint.generator.num_ws / 3)
    assert _editor(checkpoint, latent, DragSettings(layers=2), layers=5).layers == 2, "settings come first"


def test_the_same_drag_gives_the_same_latent(checkpoint: Checkpoint, latent: Tensor) -> None:
    results = []
    for _ in range(2):
        editor = _editor(checkpoint, latent)
        editor.add(*FAR)
        results.append(_run(editor)[-1])
    assert torch.equal(results[0].latent, results[1].latent)
    assert np.array_equal(results[0].handles, results[1].handles)


def test_a_caller_without_gradients_drags_as_well(checkpoint: Checkpoint, latent: Tensor) -> None:
    editor = _editor(checkpoint, latent)
    editor.add(*FAR)
    with torch.no_grad():
        steps = _run(editor)
    assert not torch.equal(steps[0].latent, latent) and not steps[0].latent.requires_grad


def test_the_given_latent_and_the_generator_are_not_touched(checkpoint: Checkpoint, latent: Tensor) -> None:
    before = latent.clone()
    weights = {name: t.clone() for name, t in checkpoint.generator.state_dict().items()}
    editor = _editor(checkpoint, latent)
    editor.add(*FAR)
    _run(editor)
    assert torch.equal(latent, before)
    assert all(torch.equal(t, weights[name]) for name, t in checkpoint.generator.state_dict().items())
    assert all(p.grad is None for p in checkpoint.generator.parameters())


def test_undo_and_redo_go_over_finished_drags(checkpoint: Checkpoint, latent: Tensor) -> None:
    editor = _editor(checkpoint, latent)
    assert not editor.undo() and not editor.redo()
    editor.add(*FAR)
    reached = [(latent, np.array(FAR[0]))]
    for _ in range(3):
        _run(editor)
        reached.append((editor.latent, editor.handles))
    for undone in reversed(range(3)):
        assert editor.undo()
        assert torch.equal(editor.latent, reached[undone][0])
        assert np.allclose(editor.handles, reached[undone][1])
    assert not editor.undo()
    for again in (1, 2):
        assert editor.redo()
        assert torch.equal(editor.latent, reached[again][0])
    _run(editor)
    assert torch.equal(editor.latent, reached[3][0]), "the same drag from the same place"
    assert not editor.redo(), "another drag came since"


def test_undo_in_the_middle_ends_the_drag_and_redo_brings_its_best_back(
    checkpoint: Checkpoint, latent: Tensor
) -> None:
    editor = _editor(checkpoint, latent)
    editor.add(*FAR)
    steps = editor.steps()
    for _ in range(3):
        next(steps)
    best = editor.latent
    assert editor.undo() and torch.equal(editor.latent, latent)
    assert list(steps) == [], "the drag is over"
    assert editor.redo() and torch.equal(editor.latent, best)


@pytest.mark.parametrize("rate", [0.02, 0.3])  # at the second handles leave their windows
def test_windows_take_a_drag_where_whole_maps_take_it(
    rate: float, checkpoint: Checkpoint, latent: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways, runs = [], []
    for whole in (False, True):
        settings = DragSettings(max_steps=8, learning_rate=rate, until=1e-3)
        editor = _editor(checkpoint, latent, settings, dtype=torch.float32)
        runs.append(_counted(editor, monkeypatch))
        if whole:
            plan = editor.source.synthesis.plan()
            monkeypatch.setattr(editor.source, "plan", lambda *_, plan=plan, **__: plan)
        editor.add([(22.0, 30.0)], [(34.0, 24.0)])
        ways.append(np.stack([step.handles for step in editor.steps()]))
    assert (len(runs[0]) > len(runs[1])) == (rate > 0.1)
    assert np.allclose(*ways, atol=0.02)


def test_a_handle_at_the_rim_of_its_search_is_not_believed(
    checkpoint: Checkpoint, latent: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step is taken back by half, until tracking is sure."""
    ways = []
    for rate in (0.02, 2.0):
        editor = _editor(checkpoint, latent, DragSettings(max_steps=20, learning_rate=rate))
        runs = _counted(editor, monkeypatch)
        editor.add(*FAR)
        places = np.stack([np.array(FAR[0]), *(step.handles for step in editor.steps())])
        moves = np.linalg.norm(np.diff(places[:-1], axis=0), axis=-1) * (editor.cells / SIZE)
        assert moves.max() <= editor.lengths.rim
        ways.append((len(runs), np.linalg.norm(places[-1] - FAR[1])))
    assert ways[1][0] > ways[0][0], "looked again"
    assert ways[1][1] < np.linalg.norm(np.subtract(*FAR)) - 2, "and got somewhere, at a rate as wild"


def _counted(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows by one at every run of the generator."""
    runs: list[None] = []

    class Counted:
        def run(self, *args: Any, **more: Any) -> Any:
            runs.append(None)
            return network.run(*args, **more)

        def __getattr__(self, name: str) -> Any:
            return getattr(network, name)

    network = editor.source.synthesis
    monkeypatch.setattr(editor.source, "synthesis", Counted())
    return runs


def test_pausing_and_going_on_changes_nothing(checkpoint: Checkpoint, latent: Tensor) -> None:
    whole, paused = _editor(checkpoint, latent), _editor(checkpoint, latent)
    for editor in (whole, paused):
        editor.add(*FAR)
    expected = _run(whole)
    found = []
    steps = paused.steps()
    for _ in range(3):
        found.append(next(steps))
    steps.close()  # type: ignore[attr-defined]
    found += _run(paused)
    assert [step.index for step in found] == list(range(1, 9))
    for one, other in zip(expected, found, strict=True):
        assert torch.equal(one.latent, other.latent) and np.array_equal(one.handles, other.handles)


def test_finishing_keeps_the_best_and_starts_anew(checkpoint: Checkpoint, latent: Tensor) -> None:
    editor = _editor(checkpoint, latent)
    editor.add(*FAR)
    steps = editor.steps()
    distances = [next(steps).distances[0] for _ in range(4)]
    editor.finish()
    assert np.linalg.norm(editor.handles - FAR[1]) <= min(distances) + 0.05
    assert next(editor.steps()).index == 1


def test_a_point_added_in_the_middle_is_dragged_too(checkpoint: Checkpoint, latent: Tensor) -> None:
    editor = _editor(checkpoint, latent, DragSettings(max_steps=60))
    editor.add([(24.0, 28.0)], [(29.0, 28.0)])
    steps = editor.steps()
    for _ in range(3):
        step = next(steps)
    editor.add([(40.0, 36.0)], [(36.0, 38.0)])
    step = next(steps)
    assert step.index == 4 and step.handles.shape == (2, 2), "the drag goes on"
    start = step.distances
    last = list(steps)[-1]
    assert last.distances[1] < start[1] and last.distances.mean() < start.mean()
    assert editor.undo() and len(editor.handles) == 1, "one drag, undone in one"


def test_a_mask_given_in_the_middle_holds_what_is_there(checkpoint: Checkpoint, latent: Tensor) -> None:
    changes = []
    mask = np.zeros((SIZE, SIZE), np.float32)
    mask[:, : SIZE // 2] = 1
    for weight in (0.0, 30.0):
        editor = _editor(checkpoint, latent, DragSettings(max_steps=25, mask_weight=weight, patience=100))
        editor.add([(16.0, 32.0)], [(16.0, 42.0)])
        steps = editor.steps()
        for _ in range(5):
            step = next(steps)
        editor.set_mask(mask)
        assert next(steps).held == 0, "nothing has changed since"
        changes.append(_change(checkpoint, list(steps)[-1].latent, step.latent)[:, 20:].mean())
    assert changes[1] < 0.9 * changes[0]


def test_bfloat16_goes_where_float32_goes(checkpoint: Checkpoint, latent: Tensor) -> None:
    ways = []
    for dtype in (torch.float32, torch.bfloat16):
        editor = _editor(checkpoint, latent, dtype=dtype)
        editor.add([(24.0, 28.0)], [(34.0, 28.0)])
        ways.append((_run(editor)[4].latent - latent).flatten())
    assert float(torch.cosine_similarity(*ways, dim=0)) > 0.95


def test_the_loss_is_its_terms(checkpoint: Checkpoint, latent: Tensor) -> None:
    mask = np.zeros((SIZE, SIZE), np.float32)
    mask[:, : SIZE // 2] = 1
    editor = _editor(checkpoint, latent, DragSettings(max_steps=5, patience=100, mask_weight=3.0), mask=mask)
    editor.add([(16.0, 32.0)], [(16.0, 42.0)])
    steps = _run(editor)
    assert steps[0].held == 0 and steps[-1].held > 0
    assert all(step.loss == pytest.approx(step.motion + 3 * step.held, rel=1e-4) for step in steps)


def test_points_can_be_added_and_removed_between_steps(checkpoint: Checkpoint, latent: Tensor) -> None:
    editor = _editor(checkpoint, latent, DragSettings(max_steps=3, patience=100))
    editor.add(*FAR)
    _run(editor)
    editor.add([(50.0, 12.0)], [(46.0, 14.0)])
    assert editor.handles.shape == (2, 2) and np.allclose(editor.handles[1], (50, 12))
    assert _run(editor)[-1].handles.shape == (2, 2)
    second = editor.handles[1].copy()
    editor.remove([0])
    assert editor.handles.shape == (1, 2) and np.allclose(editor.handles[0], second)
    assert _run(editor)[-1].distances.shape == (1,)
    editor.remove([0])
    assert _run(editor)[-1].ending == "nothing"


@pytest.mark.parametrize("point", [(-1.0, 5.0), (5.0, SIZE + 1.0)])
def test_points_outside_of_the_crop_are_refused(
    point: tuple[float, float], checkpoint: Checkpoint, latent: Tensor
) -> None:
    editor = _editor(checkpoint, latent)
    for handles, targets in (([point], [(5.0, 5.0)]), ([(5.0, 5.0)], [point])):
        with pytest.raises(UsageError, match="outside of the crop"):
            editor.add(handles, targets)
    assert len(editor.handles) == 0


def _change(checkpoint: Checkpoint, one: Tensor, other: Tensor) -> NDArray[np.float32]:
    with torch.no_grad():
        cells = SIZE // 2
        features = [checkpoint.generator.features(ws, upto=cells)[cells] for ws in (one, other)]
    return np.asarray((features[0] - features[1]).abs().mean(1)[0].numpy(), np.float32)


def test_what_the_mask_holds_moves_less(checkpoint: Checkpoint, latent: Tensor) -> None:
    mask = np.zeros((SIZE, SIZE), np.float32)
    mask[:, : SIZE // 2] = 1  # the left may move
    shares = []
    for settings in (
        DragSettings(max_steps=25, mask_weight=0.0),
        DragSettings(max_steps=25),
    ):
        editor = _editor(checkpoint, latent, settings, mask=mask)
        editor.add([(16.0, 32.0)], [(16.0, 42.0)])
        change = _change(checkpoint, _run(editor)[-1].latent, latent)
        shares.append(change[:, 20:].mean() / max(change[:, :12].mean(), 1e-9))
    assert shares[1] < 0.7 * shares[0]
