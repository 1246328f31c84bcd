"""Previews: beside the drag, not more often than asked for, and the last step always."""

import threading
import time

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from checkpoints.testing import random_checkpoint
from inversion import CodeSpace
from realedit.drag import DragSettings, DragStep, Editor, Previews

GENERATOR = random_checkpoint(32, seed=1).generator
LATENT = GENERATOR.mapping(torch.randn(1, 32, generator=torch.Generator().manual_seed(2)))


def _step(index: int) -> DragStep:
    none = np.zeros((0, 2))
    return DragStep(index, 9, 0.0, 0.0, 0.0, none, none[:, 0], "running", LATENT + 0.1 * index)


class Drawn:
    """Keeps what was drawn, and when."""

    def __init__(self) -> None:
        self.found: list[tuple[int, NDArray[np.uint8]]] = []
        self.threads: set[int] = set()

    def __call__(self, step: DragStep, picture: NDArray[np.uint8]) -> None:
        self.found.append((step.index, picture))
        self.threads.add(threading.get_ident())


def test_few_of_many_steps_are_drawn_and_the_last_one_is() -> None:
    drawn = Drawn()
    with Previews(GENERATOR, drawn, per_second=10) as previews:
        begun = time.monotonic()
        for index in range(1, 31):
            previews.offer(_step(index))
            time.sleep(0.01)
        offered = time.monotonic() - begun
    indices = [index for index, _ in drawn.found]
    assert indices == sorted(set(indices)) and indices[-1] == 30
    assert 2 <= len(indices) <= 3 + offered * 10
    assert threading.get_ident() not in drawn.threads


@pytest.mark.parametrize(("asked", "size"), [(None, 32), (16, 16), (20, 16), (500, 32), (1, 4)])
def test_pictures_are_the_generators_at_the_resolution_asked_for(asked: int | None, size: int) -> None:
    drawn = Drawn()
    with Previews(GENERATOR, drawn, resolution=asked) as previews:
        previews.offer(_step(3))
    ((index, picture),) = drawn.found
    assert index == 3 and picture.shape == (size, size, 3) and picture.dtype == np.uint8
    with torch.no_grad():
        image = GENERATOR.image_at(LATENT + 0.3, size)[0].permute(1, 2, 0).clamp(-1, 1).numpy()
    assert np.abs(picture - (image + 1) * 127.5).max() <= 1


def test_a_drag_does_not_wait_for_its_previews() -> None:
    checkpoint = random_checkpoint(32, seed=1)
    editor = Editor(checkpoint.generator, LATENT, DragSettings(max_steps=5), CodeSpace.of(checkpoint))
    editor.add([(8.0, 8.0)], [(24.0, 20.0)])
    looked, seen = threading.Event(), []

    def slow(step: DragStep, picture: NDArray[np.uint8]) -> None:
        seen.append(step.index)
        assert looked.wait(60)

    with Previews(checkpoint.generator, slow) as previews:
        for step in editor.steps():
            previews.offer(step)
        assert len(seen) <= 1  # the first picture is still being looked at, and all steps are done
        looked.set()
    assert seen[-1] == step.index == 5


def test_without_steps_nothing_is_drawn() -> None:
    drawn = Drawn()
    with Previews(GENERATOR, drawn):
        pass
    assert drawn.found == []


def test_what_goes_wrong_while_drawing_is_told() -> None:
    def broken(step: DragStep, picture: NDArray[np.uint8]) -> None:
        raise RuntimeError("no screen")

    with pytest.raises(RuntimeError, match="no screen"), Previews(GENERATOR, broken) as previews:
        previews.offer(_step(1))
        previews.offer(_step(2))
