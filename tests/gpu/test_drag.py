"""Drags on a GPU: recorded, and where the CPU's end."""

from typing import Any

import numpy as np
import pytest
import torch

from checkpoints import Checkpoint
from checkpoints.testing import random_checkpoint
from inversion import CodeSpace
from realedit.drag import DragSettings, DragStep, Editor
from realedit.drag.device import DeviceCourse

SIZE = 128
POINTS = {
    1: ([(50.0, 60.0)], [(58.0, 64.0)]),
    2: ([(40.0, 44.0), (80.0, 70.0)], [(46.0, 46.0), (80.0, 76.0)]),
}


def _checkpoint(device: str) -> Checkpoint:
    found = random_checkpoint(SIZE, channel_base=2048, channel_max=64, seed=1)
    found.generator.to(device)
    return found


def _dragged(device: str, count: int, mask: bool, dtype: torch.dtype) -> tuple[Editor, list[DragStep]]:
    checkpoint = _checkpoint(device)
    generator = checkpoint.generator
    z = torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(2)).to(device)
    movable = np.zeros((SIZE, SIZE), np.float32)
    movable[20:-20, 20:-20] = 1
    more: dict[str, Any] = {"mask": movable if mask else None, "dtype": dtype}
    with torch.no_grad():
        latent = generator.mapping(z)
    editor = Editor(generator, latent, DragSettings(max_steps=40), CodeSpace.of(checkpoint), **more)
    editor.add(*POINTS[count])
    return editor, list(editor.steps())


@pytest.mark.parametrize("count", POINTS)
@pytest.mark.parametrize("mask", [False, True])
def test_a_drag_ends_where_the_cpus_does(count: int, mask: bool) -> None:
    ours, ways = [], []
    for device in ("cpu", "cuda"):
        with torch.backends.cudnn.flags(allow_tf32=False):  # whose ten bits are another question
            editor, steps = _dragged(device, count, mask, torch.float32)
        ours.append(editor)
        ways.append(steps)
    assert np.abs(ours[0].handles - ours[1].handles).max() < 0.1
    assert len(ways[0]) == pytest.approx(len(ways[1]), abs=2)
    pictures = []
    for editor in ours:
        with torch.no_grad():
            pictures.append(editor.generator.synthesis(editor.latent).cpu())
    error = float((pictures[0] - pictures[1]).square().mean())
    assert 10 * np.log10(4 / max(error, 1e-12)) > 40  # dB between the two


def test_steps_are_recorded_and_serve_again() -> None:
    editor, steps = _dragged("cuda", 1, False, torch.bfloat16)
    (course,) = editor.source.kept.values()
    assert isinstance(course, DeviceCourse) and course.replay.graph is not None
    assert editor.undo()
    again = list(editor.steps())
    assert list(editor.source.kept.values()) == [course]
    assert np.abs(again[-1].handles - steps[-1].handles).max() < 0.2
