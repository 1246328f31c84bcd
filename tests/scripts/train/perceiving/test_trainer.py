"""Copies, steps of training, and what is exported of them."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from train.perceiving import trainer
from train.perceiving.copies import Copier, Jitter
from train.perceiving.export import export, folded

from realedit.perception import perceive
from realedit.perception.network import DetailNet, ViewNet
from realedit.perception.weights import load
from tests.scripts.train.perceiving.samples import stored

SETTINGS = trainer.Settings(batch=2)


@pytest.mark.parametrize("seed", range(6))
def test_points_stay_in_the_pictures_they_are_of(tmp_path: Path, seed: int) -> None:
    copier = Copier(stored(tmp_path / "chips.npz"))
    for copy in copier.pair(1, np.random.default_rng(seed), replace(Jitter(), negative=0.0)):
        assert copy.view.shape == (192, 192, 3) and copy.mouth.shape == (96, 96, 3)
        assert (np.abs(copy.points[:, :2] - 0.5) < 0.5).all()
        for eye in copy.eye_points:
            assert (np.abs(eye[[33, 133, 468]] - 0.5) < 0.5).all()
            assert eye[33, 0] < eye[133, 0]  # both look like left eyes
        assert (np.abs(copy.mouth_points[[61, 291, 0, 17]] - 0.5) < 0.5).all()
        assert copy.face and copy.blur > 0


def test_the_same_seed_gives_the_same_copies_and_one_of_a_pair_is_mirrored(tmp_path: Path) -> None:
    copier = Copier(stored(tmp_path / "chips.npz"))
    still = Jitter(**dict.fromkeys((each.name for each in fields(Jitter)), 0.0))
    one, other = copier.pair(1, np.random.default_rng(5), still)
    again, _ = copier.pair(1, np.random.default_rng(5), still)
    assert (one.view == again.view).all() and (one.points == again.points).all()
    mirror = copier.chips.mirror
    assert other.points[mirror] * (-1, 1, 1) + (1, 0, 0) == pytest.approx(one.points, abs=1e-9)


def test_negatives_say_so(tmp_path: Path) -> None:
    copier = Copier(stored(tmp_path / "chips.npz"))
    for seed in range(8):
        pair = copier.pair(1, np.random.default_rng(seed), replace(Jitter(), negative=1.0))
        assert not any(copy.face for copy in pair)
        assert all(not copy.known.any() for copy in pair)


def test_a_run_that_is_resumed_is_the_run_that_never_stopped(tmp_path: Path) -> None:
    chips = stored(tmp_path / "chips.npz")
    whole = trainer.Trainer(chips, SETTINGS, 4)
    batches = whole.batches()
    whole.advance(next(batches))
    whole.save(tmp_path / "state.pt")
    last = whole.advance(next(batches))
    again = trainer.Trainer(chips, SETTINGS, 4)
    again.resume(tmp_path / "state.pt")
    assert again.advance(next(again.batches())) == pytest.approx(last, rel=1e-5)
    assert all(np.isfinite(value) for value in last.values())


@pytest.mark.parametrize("kind", ["view", "eye"])
def test_folding_the_normalisation_changes_nothing(kind: str) -> None:
    torch.manual_seed(0)
    trained = ViewNet(norm=True) if kind == "view" else DetailNet(64, 5, norm=True)
    plain = ViewNet() if kind == "view" else DetailNet(64, 5)
    for module in trained.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-1, 1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
            module.weight.data.uniform_(0.5, 2)
            module.bias.data.uniform_(-1, 1)
    plain.load_state_dict(folded(trained))
    size = 192 if kind == "view" else 64
    given = torch.randn(2, 3, size, size)
    with torch.inference_mode():
        one, other = trained.eval()(given), plain.eval()(given)
    if kind == "view":
        assert torch.allclose(one.matte, other.matte, atol=1e-3, rtol=1e-3)
        one, other = (one.points,), (other.points,)
    assert torch.allclose(one[0], other[0], atol=1e-3, rtol=1e-3)


def test_what_is_exported_can_look_at_a_photo(tmp_path: Path) -> None:
    chips = stored(tmp_path / "chips.npz")
    training = trainer.Trainer(chips, SETTINGS, 4)
    training.save(tmp_path / "state.pt")
    export(tmp_path / "state.pt", chips, tmp_path / "eyes.safetensors")
    sight = load(tmp_path / "eyes.safetensors")
    seen = perceive(chips.pixels(0), replace(chips.squares[0], side=512 / 1.8), eyesight=sight)
    assert seen.points.shape == (478, 2)
    assert sight.metadata["held_out"] == '["P0"]'
    middle = seen.points.mean(axis=0)
    assert np.hypot(*(middle - (256, 256))) < 60  # untrained networks say the mean face
