"""Steps that the device decides are those that Python decides, ask it for nothing and stay where they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from checkpoints import Checkpoint
from checkpoints.testing import random_checkpoint
from inversion import CodeSpace
from realedit.drag import DragSettings, DragStep, Editor
from realedit.drag.device import AT_ONCE, DeviceCourse
from tests.asking import Unasked

SIZE = 64
MASK = np.zeros((SIZE, SIZE), np.float32)
MASK[10:54, 10:54] = 1
POINTS = {
    "one": ([(20.0, 24.0)], [(30.0, 28.0)]),
    "three": ([(20.0, 24.0), (40.0, 30.0), (31.0, 45.0)], [(24.0, 27.0), (42.0, 30.0), (28.0, 45.0)]),
    "wild": ([(20.0, 24.0)], [(44.0, 40.0)]),
}


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return random_checkpoint(SIZE, channel_base=512, seed=1)


@pytest.fixture(scope="module")
def latent(checkpoint: Checkpoint) -> Tensor:
    return checkpoint.generator.mapping(torch.randn(1, 32, generator=torch.Generator().manual_seed(2)))


def _editor(
    checkpoint: Checkpoint, latent: Tensor, *, resident: bool, rate: float = 0.02, **more: Any
) -> Editor:
    settings = DragSettings(max_steps=20, learning_rate=rate)
    editor = Editor(
        checkpoint.generator, latent, settings, CodeSpace.of(checkpoint), dtype=torch.float32, **more
    )
    if resident:  # as on a GPU
        editor.source.resident, editor.source.whole = True, editor.source.synthesis.plan()
    return editor


def _steps(editor: Editor) -> list[DragStep]:
    return list(editor.steps())


@pytest.mark.parametrize("name", POINTS)
@pytest.mark.parametrize("mask", [None, MASK])
def test_the_device_goes_the_way_that_python_goes(
    name: str, mask: np.ndarray[Any, Any] | None, checkpoint: Checkpoint, latent: Tensor
) -> None:
    rate = 2.0 if name == "wild" else 0.02  # at which steps are taken back
    ways = []
    for resident in (False, True):
        editor = _editor(checkpoint, latent, resident=resident, rate=rate, mask=mask)
        editor.add(*POINTS[name])
        ways.append(_steps(editor))
    few = 4 if name == "wild" else None  # rounding decides what comes after steps that long
    for one, other in zip(ways[0][:few], ways[1][:few], strict=True):
        assert one.index == other.index and (few or one.ending == other.ending)
        assert np.allclose(one.handles, other.handles, atol=0.05)
        assert one.loss == pytest.approx(other.loss, rel=0.02) and one.held == pytest.approx(
            other.held, rel=0.05
        )
        assert torch.allclose(one.latent, other.latent, atol=0.02 * float(latent.std()))


def test_a_step_asks_the_device_for_nothing_and_stays_where_it_is(
    checkpoint: Checkpoint, latent: Tensor
) -> None:
    editor = _editor(checkpoint, latent, resident=True, mask=MASK)
    editor.add(*POINTS["three"])
    first = editor.steps()
    next(first)
    course = _course(editor)
    with torch.no_grad():
        places = [(t.data_ptr(), t.shape) for t in course.shelf.tensors()]
        before = course.shelf.moving.clone()
        course.shelf.row.zero_()  # as before every few steps
        with Unasked():
            for _ in range(3):
                course.evaluate()
    assert places == [(t.data_ptr(), t.shape) for t in course.shelf.tensors()]
    assert not torch.equal(before, course.shelf.moving), "it went on"


def _course(editor: Editor) -> DeviceCourse:
    assert editor._run is not None and isinstance(editor._run.course, DeviceCourse)
    return editor._run.course


def test_the_mode_of_these_tests_sees_what_asks() -> None:
    for ask in (lambda t: float(t.sum()), lambda t: bool((t > 0).all()), lambda t: t[t > 0], torch.nonzero):
        with Unasked(), pytest.raises(AssertionError, match="asks"):
            ask(torch.ones(3))


@contextmanager
def _counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[None]]:
    made: list[None] = []
    plain = DeviceCourse.__init__

    def counting(self: DeviceCourse, *args: Any, **more: Any) -> None:
        made.append(None)
        plain(self, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(DeviceCourse, "__init__", counting)
        yield made


def test_one_recording_serves_every_drag_of_as_many_handles(
    checkpoint: Checkpoint, latent: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _counted(monkeypatch) as made:
        editor = _editor(checkpoint, latent, resident=True)
        editor.add(*POINTS["one"])
        first = _steps(editor)
        assert editor.undo()
        again = _steps(editor)
        assert len(made) == 1
        assert [s.handles.tolist() for s in first] == [s.handles.tolist() for s in again]
        editor.add([(40.0, 40.0)], [(42.0, 40.0)])
        _steps(editor)
        assert len(made) == 2, "shapes are others with two"


def test_what_a_recording_reads_stays_when_other_drags_come_between(
    checkpoint: Checkpoint, latent: Tensor
) -> None:
    source = _editor(checkpoint, latent, resident=True).source
    places = []
    for count in (1, 2, 1):
        layout = source.look(latent, torch.full((count, 2), 12.0), hold=False).maps.layout
        places.append([each.data_ptr() for each in (layout.first, layout.origin, layout.extent)])
    assert places[0] == places[2] != places[1]


def test_points_that_are_added_on_the_way_start_from_the_step_that_was_shown(
    checkpoint: Checkpoint, latent: Tensor
) -> None:
    """However far the device is ahead."""
    ways = []
    for resident in (False, True):
        editor = _editor(checkpoint, latent, resident=resident)
        editor.add(*POINTS["wild"])
        steps = editor.steps()
        for _ in range(AT_ONCE // 2):
            step = next(steps)
        editor.add([(40.0, 40.0)], [(42.0, 41.0)])
        after = next(steps)
        assert after.index == step.index + 1
        ways.append(after)
    assert np.allclose(ways[0].handles, ways[1].handles, atol=0.05)
    assert torch.allclose(ways[0].latent, ways[1].latent, atol=0.02 * float(latent.std()))
