"""The commands as a user runs them: what they print, what they write, and that stages and edit agree."""

import json
import logging
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import realedit
from realedit.cli.main import COMMANDS
from realedit.photos import read_photo
from tests.realedit.cli.conftest import Shell
from tests.realedit.cli.running import run, snapshot
from tests.realedit.samples import box_checkpoint, picture, png, save_model

EDIT = ["edit", "photo.png", "-o", "out.png", "--drag=40,40:46,40", "--model=box.safetensors"]
QUICK = ["--quality=draft", "--max-steps=4"]


@pytest.mark.usefixtures("no_network")
def test_edit_prints_the_output_and_leaves_the_photo(shell: Shell) -> None:
    before = snapshot(shell.folder)
    result = shell(*EDIT, *QUICK)
    assert result.out.startswith("out.png ") and len(result.out.splitlines()) == 1
    after = snapshot(shell.folder)
    assert set(after) - set(before) == {"out.png"}
    assert {name: after[name] for name in before} == before


def test_a_drag_listens_to_its_settings(shell: Shell) -> None:
    ends = [shell(*EDIT, *QUICK, *more).out for more in ([], ["--until=200px"], ["--layers=1"])]
    assert "ended after 4" in ends[0] and "arrived after 1 " in ends[1]
    pictures = []
    for more in (["--layers=1"], ["--layers=1", "--step-size=0.1"], ["--layers=2"]):
        shell(*EDIT, *QUICK, *more)
        pictures.append((shell.folder / "out.png").read_bytes())
    assert len(set(pictures)) == 3


def test_json_is_one_object_of_the_contract(shell: Shell) -> None:
    result = shell(*EDIT, *QUICK, "--json", "--drag=50,50:50,47")
    report = json.loads(result.out)
    types: dict[str, Any] = {
        **{"version": str, "input": str, "output": str, "face": type(None), "model": str, "quality": str},
        **{"seconds": float, "handles": list, "identity": type(None), "changed_box": list, "warnings": list},
        "faces": list,
    }
    assert {name: type(value) for name, value in report.items()} == types
    assert report["version"] == realedit.__version__
    assert (report["input"], report["output"]) == ("photo.png", "out.png")
    assert [handle["start"] for handle in report["handles"]] == [[40, 40], [50, 50]]
    assert all(set(handle) == {"start", "target", "reached"} for handle in report["handles"])


def test_quiet_is_silent_and_verbose_talks_on_stderr_alone(shell: Shell) -> None:
    quiet = shell(*EDIT, *QUICK, "-q")
    assert quiet.out == quiet.err == ""
    loud = shell(*EDIT, *QUICK, "-v", "--no-cache")
    assert "perceptual loss" in loud.err and "perceptual loss" not in loud.out
    plain = shell(*EDIT, *QUICK)
    assert "perceptual loss" not in plain.err


def test_an_inversion_is_reported_in_words_and_in_files(shell: Shell) -> None:
    invert = ["invert", "photo.png", "--keep=session", "--model=box.safetensors", "--set=projection.steps=3"]
    result = shell(*invert, "--quality=draft", "--report")
    for what in ("PSNR", "SSIM", "LPIPS", "identity distance  no face", "whitened", "3 project", "seconds"):
        assert what in result.out, result.out
    found = json.loads((shell.folder / "session" / "report.json").read_text())
    assert found["steps"] == {"project": 3} and found["seconds"] > 0 and 5 < found["psnr"] < 60
    assert 0 < found["ssim"] < 1 and found["lpips"] == {} and found["loss"] == "pyramid"
    for name in ("report.json", "report.png"):
        assert stat.S_IMODE((shell.folder / "session" / name).stat().st_mode) == 0o600
    assert read_photo(shell.folder / "session" / "report.png").width == 3 * 32
    again = shell(*invert, "--quality=draft", "--report")
    assert "kept from earlier" in again.out and "3 project" in again.out


def test_the_cache_is_shown_and_cleared(shell: Shell) -> None:
    assert "0 kept" in shell("cache", "show").err
    shell(*EDIT, *QUICK, "--no-cache")
    assert "0 kept" in shell("cache", "show").err
    shell(*EDIT, *QUICK)
    shown = shell("cache", "show")
    assert "photo.png (" in shown.out and "draft" in shown.out and "1 kept" in shown.err
    found = json.loads(shell("cache", "show", "--json").out)
    assert len(found["entries"]) == 1 and 0 < found["bytes"] < found["limit"]
    assert shell("cache", "clear").out.startswith("1 deleted")
    assert "0 kept" in shell("cache", "show").err


@pytest.mark.parametrize("text", ["projection.steps", "=3", "steps=3", "tuning.steps=-1", "precision=float8"])
def test_settings_that_make_no_sense_are_refused(shell: Shell, text: str) -> None:
    result = shell(*EDIT, *QUICK, "--set", text, code=2)
    assert text.split("=")[0] in result.err and "Traceback" not in result.err


def test_a_log_file_keeps_all_messages(shell: Shell) -> None:
    shell(*EDIT, *QUICK, "-q", "--log-file=log.txt")
    assert "perceptual loss" in (shell.folder / "log.txt").read_text()
    assert logging.getLogger().level == logging.WARNING


def test_every_file_that_is_written_is_named_and_no_other_is_there(shell: Shell) -> None:
    before = {path.name for path in shell.folder.iterdir()}
    extra = ["--compare=both.png", "--marked=marked.png", "--timelapse=drag.gif", "--keep=kept"]
    extra += ["--debug=parts"]
    result = shell(*EDIT, *QUICK, *extra)
    named = {line.split()[0] for line in result.out.splitlines()}
    assert named == {"out.png", "both.png", "marked.png", "drag.gif", "kept", "parts"}
    assert {path.name for path in shell.folder.iterdir()} - before == named
    assert read_photo(shell.folder / "both.png").height == 80
    marked = read_photo(shell.folder / "marked.png")
    assert (marked.width, marked.height) == (96, 80)


@pytest.mark.parametrize("extension", ["png", "jpg", "tif", "webp"])
def test_stages_and_edit_give_the_same_bytes(extension: str, shell: Shell) -> None:
    model = ["--model=box.safetensors", "--quality=draft"]
    shell(*EDIT, *QUICK, "-o", f"edited.{extension}")
    shell("align", "photo.png", "-o", "crop.png", "--model=box.safetensors")
    shell("invert", "photo.png", "--keep=session", *model)
    shell("drag", "session", "--drag=40,40:46,40", "--max-steps=4")
    shell("paste", "session", "-o", f"pasted.{extension}")
    edited, pasted = (shell.folder / f"{name}.{extension}" for name in ("edited", "pasted"))
    assert edited.read_bytes() == pasted.read_bytes()
    crop = read_photo(shell.folder / "crop.png")
    assert np.array_equal(crop.view(), read_photo(shell.folder / "session" / "crop.png").view())


def test_a_kept_edit_is_the_session_that_stages_go_on_from(shell: Shell) -> None:
    shell(*EDIT, *QUICK, "--keep=session")
    shell("paste", "session", "-o", "again.png")
    assert (shell.folder / "again.png").read_bytes() == (shell.folder / "out.png").read_bytes()
    shell("drag", "session", "--drag=40,40:46,40", "--max-steps=4", "--from-start")
    shell("paste", "session", "-o", "third.png")
    assert (shell.folder / "third.png").read_bytes() == (shell.folder / "out.png").read_bytes()
    shell("drag", "session", "--drag=46,40:46,44", "--max-steps=4")
    history = (shell.folder / "session" / "history.jsonl").read_text().splitlines()
    assert len(history) == 2
    if os.name == "posix":
        assert stat.S_IMODE((shell.folder / "session").stat().st_mode) == 0o700


def test_a_second_edit_does_not_invert_again(shell: Shell) -> None:
    shell(*EDIT, *QUICK, "--keep=session")
    again = shell(*EDIT, *QUICK, "--keep=session", "-v")
    assert "going on from the session" in again.err and "perceptual loss" not in again.err


def test_a_session_of_another_photo_or_model_is_refused(shell: Shell) -> None:
    shell(*EDIT, *QUICK, "--keep=session")
    png(shell.folder / "other.png", picture(seed=5))
    before = snapshot(shell.folder)
    other = shell("edit", "other.png", *EDIT[2:], "--keep=session", code=2)
    assert "another photo" in other.err
    paste = shell("paste", "session", "--photo=other.png", "-o", "x.png", code=2)
    assert "another photo" in paste.err
    assert snapshot(shell.folder) == before
    save_model(box_checkpoint(seed=4), shell.folder / "box.safetensors")
    assert "with the model" in shell(*EDIT, *QUICK, "--keep=session", code=2).err


def test_a_photo_that_moved_is_asked_for(shell: Shell) -> None:
    shell(*EDIT, *QUICK, "--keep=session")
    (shell.folder / "photo.png").rename(shell.folder / "moved.png")
    refused = shell("paste", "session", "-o", "x.png", code=2)
    assert "is gone; say where it is with --photo" in refused.err
    shell("paste", "session", "--photo=moved.png", "-o", "x.png")
    assert (shell.folder / "x.png").read_bytes() == (shell.folder / "out.png").read_bytes()
    refused = shell("paste", "session", "--photo=moved.png", "-o", "moved.png", code=2)
    assert "never changed" in refused.err


def test_a_drag_of_length_zero_copies_the_file(shell: Shell) -> None:
    shell(*EDIT[:4], "--drag=40,40:40,40", *EDIT[5:], *QUICK)
    assert (shell.folder / "out.png").read_bytes() == (shell.folder / "photo.png").read_bytes()


def test_names_may_be_of_any_language(shell: Shell) -> None:
    (shell.folder / "photo.png").rename(shell.folder / "Größe 写真.png")
    shell("edit", "Größe 写真.png", *EDIT[2:], *QUICK, "-o", "Ωμέγα 🙂.png", "--keep", "séance")
    assert (shell.folder / "Ωμέγα 🙂.png").exists()


def test_drags_that_end_early_are_told_on_stderr(shell: Shell) -> None:
    result = shell(*EDIT[:4], "--drag=30,30:60,50", *EDIT[5:], *QUICK)
    assert result.err.startswith("realedit: the drag ended after 4 steps")


def test_help_names_every_command_and_needs_no_torch(tmp_path: Path) -> None:
    probe = "import sys; from realedit.cli.main import cli; "
    probe += "cli.main(['--help'], standalone_mode=False); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in done.stdout and line in done.stdout


def test_an_edit_imports_only_what_it_needs(shell: Shell) -> None:
    """Most of the seconds before the first step of a drag are imports."""
    probe = "import sys; from realedit.cli.main import main\n"
    probe += "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end\n"
    probe += "print(*sys.modules)"
    command = [sys.executable, "-c", probe, *EDIT, *QUICK]
    done = subprocess.run(command, cwd=shell.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    imported = set(done.stdout.split())
    assert {"torch", "realedit.drag.editor", "realedit.compositing.paste"} <= imported
    heavy = {
        "av", "c2pa", "imageio", "lpips", "matplotlib", "ray", "rawpy", "rich.progress", "scipy", "skimage",
        "sqlite3", "sympy", "torch._dynamo", "torch._inductor", "torchvision", "watchfiles",
    }  # fmt: skip
    assert not heavy & imported


def test_importing_a_command_leaves_garbage_collection_as_it_was() -> None:
    probe = "import gc; from realedit.cli.main import cli; "
    probe += "cli.get_command(None, 'cache'); assert gc.isenabled() and not gc.get_freeze_count(); "
    probe += "gc.disable(); cli.get_command(None, 'jobs'); assert not gc.isenabled()"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_every_command_explains_itself(command: list[str], shell: Shell) -> None:
    result = shell(*command, "--help")
    assert result.out.startswith("Usage:")


def test_the_version_is_the_packages(shell: Shell) -> None:
    assert shell("--version").out.split()[-1] == realedit.__version__


def test_python_dash_m_is_the_command(tmp_path: Path) -> None:
    done = run(["--version"], tmp_path)
    assert (done.code, done.err) == (0, "") and done.out.startswith("realedit")
    missing = run(["edit", "none.png", "-o", "out.png", "--drag=1,1:2,2"], tmp_path)
    assert missing.code == 2 and missing.err == "realedit: there is no photo none.png; check the name\n"
    assert list(tmp_path.iterdir()) == []


def test_doctor_finds_everything_here(shell: Shell) -> None:
    result = shell("doctor")
    assert "BAD" not in result.out
    for what in ("Python", "torch", "device", "bundled model", "package inversion"):
        assert what in result.out


def test_doctor_says_when_a_folder_shadows_a_package(tmp_path: Path) -> None:
    (tmp_path / "inversion").mkdir()
    (tmp_path / "inversion" / "__init__.py").write_text("")
    result = run(["doctor"], tmp_path)
    assert result.code == 2, result
    (bad,) = [line for line in result.out.splitlines() if line.startswith("BAD")]
    assert str(tmp_path / "inversion") in bad and "pipx" in bad


def test_demo_without_its_photograph_says_what_to_install(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    from realedit.cli import demo

    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    assert "pip install 'realedit[demo]'" in shell("demo", code=2).err
    assert not (shell.folder / "realedit-demo").exists()
