"""What is shipped: a file that loads, with samples that follow the codes."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from train.faces import dataset
from train.generating import evaluation
from train.generating.export import add_metrics, commit_of, export, fit_again
from train.generating.prior import energy_distance, fit_mapping, statistics

import checkpoints
from checkpoints.testing import random_checkpoint
from realedit.cli.models import models_group
from tests.scripts.train.samples import faces, stored, trainer


def test_an_exported_state_is_a_model(tmp_path: Path) -> None:
    runner = trainer()
    runner.advance()
    runner.save(tmp_path / "state.pt")
    data = stored(tmp_path / "faces.npz", faces(size=dataset.SIZE))
    target = tmp_path / "tiny.safetensors"
    export(
        tmp_path / "state.pt",
        data,
        target,
        name="tiny",
        sources="by nobody, CC0",
        mapping_steps=2,
        apart_steps=1,
    )
    model = checkpoints.load(target)
    assert (model.domain, model.alignment, model.licence) == ("face", "ffhq", "CC-BY-4.0")
    assert model.drag_layers == runner.settings.drag_layers
    crop = torch.rand(1, 3, 32, 32)
    assert model.encoder is not None
    assert model.codes is not None and model.codes.motions is not None
    directions = runner.averaged.directions[:, : runner.settings.drag_layers]
    torch.testing.assert_close(model.codes.motions.ways, directions.detach(), atol=1e-3, rtol=1e-3)
    assert bool(
        (model.codes.motions.ranges[:, 0] <= 0).all() and (model.codes.motions.ranges[:, 1] > 0).all()
    )
    expected = runner.averaged.encoder(crop)
    torch.testing.assert_close(model.encoder(crop), expected, atol=1e-2, rtol=1e-2)  # float16
    torch.testing.assert_close(model.generator.w_avg, model.codes.mean, atol=1e-4, rtol=1e-3)
    metadata = checkpoints.storage.read_safetensors(target).metadata
    assert json.loads(metadata["held_out"]) == ["P000"]
    assert (metadata["steps"], metadata["images_seen"], metadata["seed"]) == ("1", "4", "0")
    assert json.loads(metadata["training"])["batch"] == 4

    rows = {"rows": [{"what": "PSNR, encoder", "value": 19.5}, {"what": "one face", "value": 1.0}]}
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    weights = model.generator.state_dict()
    add_metrics(target, [tmp_path / "rows.json"])
    again = checkpoints.load(target).generator.state_dict()
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    said = CliRunner().invoke(models_group, ["info", str(target)]).output
    (tmp_path / "rows.json").write_text(json.dumps({"rows": [{"what": "one face", "value": 0.5}]}))
    add_metrics(target, [tmp_path / "rows.json"])
    metrics = json.loads(checkpoints.storage.read_safetensors(target).metadata["metrics"])
    assert metrics == {"PSNR, encoder": 19.5, "one face": 0.5}
    assert "PSNR, encoder: 19.5" in said and "one face: 1.0" in said
    assert "lips apart" in said and "brows up" in said
    assert "1: P000" in said and "by nobody, CC0" in said


def test_samples_are_fitted_again_and_nothing_else_of_a_model_changes(tmp_path: Path) -> None:
    runner = trainer()
    runner.save(tmp_path / "state.pt")
    data = stored(tmp_path / "faces.npz", faces(size=dataset.SIZE))
    target = tmp_path / "tiny.safetensors"
    export(
        tmp_path / "state.pt",
        data,
        target,
        name="tiny",
        sources="by nobody, CC0",
        mapping_steps=2,
        apart_steps=1,
    )
    before, _ = checkpoints.storage.read_tensors(target)
    before = {name: tensor.clone() for name, tensor in before.items()}
    fit_again(target, data, mapping_steps=4, apart_steps=1)
    after, metadata = checkpoints.storage.read_tensors(target)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert set(before) == set(after)
    assert changed and all(name.startswith("generator.mapping.fc") for name in changed)
    assert json.loads(metadata["mapping"])["steps"] == 4


def test_what_is_no_table_of_figures_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('{"rows": [1]}')
    with pytest.raises(SystemExit, match=r"rows\.json is no table"):
        add_metrics(tmp_path / "model.safetensors", [tmp_path / "rows.json"])


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_commit_is_named_and_whether_files_differ_from_it(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        told = ["git", "-C", str(tmp_path), *who, *words]
        return subprocess.run(told, check=True, capture_output=True, text=True).stdout.strip()

    assert commit_of(tmp_path) is None
    git("init", "-q")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-q", "-m", "first")
    assert commit_of(tmp_path) == git("rev-parse", "HEAD")
    (tmp_path / "a").write_text("2")
    assert commit_of(tmp_path) == git("rev-parse", "HEAD") + "-dirty"


def test_samples_come_to_follow_the_codes() -> None:
    torch.manual_seed(0)
    mapping = random_checkpoint(16).generator.mapping_network
    codes = torch.randn(400, 4) @ torch.randn(4, 32) + torch.randn(32)
    before, after = fit_mapping(mapping, codes, steps=400, seed=0)
    assert after < 0.1 * before
    torch.testing.assert_close(mapping.w_avg, codes.mean(0))


def test_statistics_are_the_principal_axes() -> None:
    torch.manual_seed(0)
    codes = torch.randn(4000, 3) * torch.tensor([3.0, 1.0, 0.1]) + 5
    found = statistics(codes, 2)
    torch.testing.assert_close(found["std"], torch.tensor([3.0, 1.0]), atol=0.1, rtol=0)
    torch.testing.assert_close(found["components"].abs(), torch.eye(3)[:2], atol=0.05, rtol=0)


def test_the_energy_distance_is_nought_for_the_same_cloud_and_grows_with_the_shift() -> None:
    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 500, 4, generator=rng)
    assert abs(float(energy_distance(a, b))) < 0.05
    assert float(energy_distance(a, b + 2)) > float(energy_distance(a, b + 1)) > 0.2


def test_the_frechet_distance_of_gaussians() -> None:
    a = torch.randn(20000, 3, generator=torch.Generator().manual_seed(0)).double().numpy()
    assert evaluation.frechet(a, a) < 1e-6
    # shifted by 1 and twice as wide in one direction: 1 + (2 - 1) ** 2
    assert abs(evaluation.frechet(a, a * [2, 1, 1] + [0, 1, 0]) - 2) < 0.05
