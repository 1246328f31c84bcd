"""Drags that ask too much, or hardly anything: each works, ends early and says so, or is refused in words."""

import numpy as np
import pytest
import torch

from checkpoints import Checkpoint
from checkpoints.testing import random_checkpoint
from inversion import CodeSpace
from realedit.drag import DragSettings, DragStep, Editor
from realedit.errors import UsageError

SIZE = 64
SHORT = DragSettings(max_steps=6, patience=100)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return random_checkpoint(SIZE, channel_base=512, seed=1)


def _editor(checkpoint: Checkpoint, settings: DragSettings = SHORT, mask: object = None) -> Editor:
    generator = checkpoint.generator
    latent = generator.mapping(torch.randn(1, 32, generator=torch.Generator().manual_seed(2)))
    return Editor(generator, latent, settings, CodeSpace.of(checkpoint, samples=64), mask=mask)  # type: ignore[arg-type]


def _ended(editor: Editor) -> DragStep:
    *_, last = editor.steps()
    assert last.ending != "running"
    assert bool(last.latent.isfinite().all()) and np.isfinite(last.handles).all()
    assert (last.handles >= -1).all() and (last.handles <= editor.resolution + 1).all()
    return last


@pytest.mark.parametrize("resolution", [8, 16, 32, 64, 128, 256, 512, 1024])
def test_generators_of_every_size_are_dragged(resolution: int) -> None:
    checkpoint = random_checkpoint(resolution, channel_base=512, channel_max=8, seed=1, encoder=False)
    editor = _editor(checkpoint, DragSettings(max_steps=3, patience=100))
    middle = np.array([[0.4, 0.5]]) * resolution
    editor.add(middle, middle + 0.1 * resolution)
    last = _ended(editor)
    assert last.index <= 3 and last.handles.shape == (1, 2)


def test_handles_that_cross_are_kept_apart(checkpoint: Checkpoint) -> None:
    editor = _editor(checkpoint, DragSettings(max_steps=40))
    editor.add([(26.0, 32.0), (38.0, 32.0)], [(38.0, 32.0), (26.0, 32.0)])
    last = _ended(editor)
    assert last.distances.mean() <= 12


def test_a_drag_across_the_whole_picture_ends(checkpoint: Checkpoint) -> None:
    editor = _editor(checkpoint, DragSettings(max_steps=60, patience=10))
    editor.add([(2.0, 2.0)], [(62.0, 62.0)])
    assert _ended(editor).distances[0] <= 60 * 2**0.5 + 1e-3


def test_68_points_at_once(checkpoint: Checkpoint) -> None:
    rng = np.random.default_rng(0)
    handles = rng.uniform(16, 48, (68, 2))
    editor = _editor(checkpoint)
    editor.add(handles, handles + rng.normal(0, 2, (68, 2)))
    assert _ended(editor).handles.shape == (68, 2)


def test_a_flat_picture_stalls() -> None:
    flat = random_checkpoint(SIZE, channel_base=512, seed=1)
    with torch.no_grad():
        for name, tensor in flat.generator.named_parameters():
            if name.endswith("noise_strength") or (".conv" in name and name.endswith(".weight")):
                tensor.zero_()
    editor = _editor(flat, DragSettings(max_steps=100, patience=5))
    start = editor.latent.clone()
    editor.add([(20.0, 24.0)], [(40.0, 30.0)])
    last = _ended(editor)
    assert last.ending == "stalled" and last.index <= 6
    assert np.allclose(last.handles, [(20, 24)]) and torch.equal(last.latent, start)
    assert editor.vague.tolist() == [True]


def test_handles_where_all_looks_alike_are_known_while_points_come_and_go(checkpoint: Checkpoint) -> None:
    editor = _editor(checkpoint)
    editor.add([(20.0, 24.0)], [(24.0, 24.0)])
    with torch.no_grad():
        editor.source.synthesis.const.zero_()  # from here on the picture is flat
    editor.add([(40.0, 30.0), (30.0, 40.0)], [(44.0, 30.0), (30.0, 42.0)])
    assert editor.vague.tolist() == [False, True, True]
    editor.remove([1])
    assert editor.vague.tolist() == [False, True]


def test_points_at_the_border_are_dragged(checkpoint: Checkpoint) -> None:
    editor = _editor(checkpoint)
    editor.add([(0.0, 0.0), (64.0, 64.0)], [(3.0, 3.0), (64.0, 60.0)])
    _ended(editor)


@pytest.mark.parametrize("late", [False, True])
def test_a_mask_that_holds_its_own_handle_is_refused(late: bool, checkpoint: Checkpoint) -> None:
    mask = np.zeros((SIZE, SIZE), np.float32)
    mask[:, 40:] = 1
    editor = _editor(checkpoint, mask=None if late else mask)
    if late:
        editor.add([(20.0, 24.0)], [(24.0, 24.0)])
    with pytest.raises(UsageError, match="the mask holds the handle at 20,24"):
        editor.set_mask(mask) if late else editor.add([(20.0, 24.0)], [(24.0, 24.0)])
    editor.add([(50.0, 24.0)], [(53.0, 24.0)])
    _ended(editor)


@pytest.mark.parametrize("point", [(float("nan"), 5.0), (float("inf"), 5.0), (70.0, 5.0)])
def test_places_that_are_none_are_refused(point: tuple[float, float], checkpoint: Checkpoint) -> None:
    with pytest.raises(UsageError, match="outside of the crop"):
        _editor(checkpoint).add([(20.0, 24.0)], [point])
