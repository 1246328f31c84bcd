"""Training goes on as if it had never stopped, and learns."""

from pathlib import Path

import numpy as np
import pytest
import torch
from train.faces.source import Source
from train.generating import watching
from train.generating.networks import Shape, make
from train.generating.settings import Settings
from train.generating.trainer import Trainer

from tests.scripts.train.samples import CPU, SHAPE, faces, trainer


@pytest.mark.parametrize("adversarial", [False, True])
def test_a_resumed_run_is_the_run_that_never_stopped(tmp_path: Path, adversarial: bool) -> None:
    whole = trainer(adversarial=adversarial)
    whole.advance()
    whole.save(tmp_path / "state.pt")
    resumed = trainer(adversarial=adversarial)
    resumed.resume(tmp_path / "state.pt")
    for _ in range(2):
        assert whole.advance() == resumed.advance()
    assert resumed.step == whole.step == 3
    for name, tensor in whole.averaged.state_dict().items():
        assert torch.equal(tensor, resumed.averaged.state_dict()[name]), name


def test_losses_fall() -> None:
    runner = trainer(rate=0.3, people=2, share=0, shift=0)
    rows = [runner.advance() for _ in range(25)]
    assert np.mean([r["pixels"] for r in rows[-3:]]) < 0.9 * np.mean([r["pixels"] for r in rows[:3]])


def test_directions_are_learned_from_faces_that_move_and_from_no_others() -> None:
    still, moving = trainer(share=0), trainer(share=1)
    for runner in (still, moving):
        terms = runner.advance()
        assert (terms["moved"] > 0) == (runner is moving)
    assert not still.nets.directions.any()
    assert bool(moving.nets.directions.any())


def test_a_state_of_another_shape_is_refused(tmp_path: Path) -> None:
    trainer().save(tmp_path / "state.pt")
    shape = Shape(resolution=16, channel_base=512, channel_max=32, w_dim=32, mapping_layers=2)
    source = Source.of(faces(size=18), held_out=False, device=CPU)
    other = Trainer(make(shape, None, 0), Settings(shape=shape), source, 1.0)
    with pytest.raises(SystemExit, match="was written for the shape"):
        other.resume(tmp_path / "state.pt")


def test_metrics_are_kept_and_rows_after_the_step_resumed_from_go(tmp_path: Path) -> None:
    metrics = watching.Metrics(tmp_path / "metrics.csv")
    for step in (10, 20, 30):
        metrics.add(step, {"loss": 1 / step})
    again = watching.Metrics(tmp_path / "metrics.csv")
    again.add(20, {"loss": 0.5, "psnr": 20.0})
    assert (tmp_path / "metrics.csv").read_text().split() == ["step,loss,psnr", "10,0.1,", "20,0.5,20"]
    again.plot(tmp_path / "metrics.png")
    assert (tmp_path / "metrics.png").stat().st_size > 0


def test_a_sheet_has_photos_encodings_motions_mixtures_and_samples() -> None:
    source = Source.of(faces(), held_out=False, device=CPU)
    nets = make(SHAPE, None, 0).requires_grad_(False)
    picture = watching.sheet(nets, source, columns=4)
    assert picture.shape == (8 * 32, 4 * 32, 3)
    figures = watching.check(nets, source, trainer().recogniser, 4)
    assert 0 < figures["held_out_psnr"] < 30
    assert figures["held_out_identity"] >= 0
