"""Recipes on sessions: one drag each, in order, the same by `edit` and by stages."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import skimage.data

from checkpoints import Checkpoint
from checkpoints.storage import sha256_of
from checkpoints.testing import random_checkpoint
from realedit.compositing.features import LANDMARKS
from realedit.drag import DragSettings
from realedit.editing.applying import current_landmarks, drag, known_limits
from realedit.errors import OutsideError
from realedit.geometry.reach import Parts
from realedit.recipes import Use, Verified, load, parse
from realedit.sessions.session import Session
from tests.realedit.cli.running import call
from tests.realedit.samples import box_checkpoint, inverted, picture, png, save_model

STEPS = DragSettings(max_steps=2)
BOX = """\
name = "box"
description = "To the right."
units = "box"
reach = "all"
points = [{ at = [0.4, 0.5], move = [0.05, 0.0] }]
"""


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return random_checkpoint(32)


@pytest.fixture(scope="module")
def face(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Session:
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    png(path, np.ascontiguousarray(skimage.data.astronaut()[:256, 96:352]))
    return inverted(checkpoint, path)


def _use(name: str, strength: float = 1.0) -> Use:
    return Use(recipe=load(name), strength=strength)


def test_each_recipe_is_a_drag_in_order_after_the_points(face: Session, checkpoint: Checkpoint) -> None:
    assert face.landmarks is not None
    nose = tuple(face.landmarks[30])
    point = (nose, (nose[0] + 2, nose[1]))
    done = drag(face, checkpoint, [point], [_use("smile"), _use("raise-brows")], settings=STEPS)
    assert [len(entry.handles) for entry in done.history] == [1, 4, 2]
    assert done.history[0].handles == [pytest.approx(nose)]
    only = drag(face, checkpoint, [], [_use("smile")], settings=STEPS)
    landmarks = current_landmarks(face, checkpoint)
    assert landmarks is not None
    assert np.allclose(only.history[0].handles, landmarks[[48, 54, 51, 57]]), "nothing was dragged before"


def test_strength_zero_moves_nothing(face: Session, checkpoint: Checkpoint) -> None:
    done = drag(face, checkpoint, [], [_use("smile", 0.0)], settings=STEPS)
    assert done.history[0].ending == "nothing" and done.current is not None
    assert done.current.equal(face.pivot)  # type: ignore[arg-type]


def test_a_recipe_chooses_settings_and_reach(face: Session, checkpoint: Checkpoint, tmp_path: Path) -> None:
    recipe = parse(
        b'name="a"\ndescription=""\npoints=[{at="jaw.chin", move=[0,-0.2]}]\n'
        b'mask={regions=["jaw", "mouth"], margin=0.1}\ndrag={max_steps=1}',
        "a.toml",
    )
    done = drag(face, checkpoint, [], [Use(recipe=recipe)], settings=STEPS)
    assert done.history[0].steps == 1
    assert done.history[0].reach == Parts(regions=("jaw", "mouth"), margin=0.1)
    done.save(tmp_path / "kept")
    assert Session.load(tmp_path / "kept").history == done.history


def test_a_point_past_the_edge_is_left_out_with_a_warning(
    face: Session, checkpoint: Checkpoint, caplog: pytest.LogCaptureFixture
) -> None:
    recipe = parse(
        b'name="deep"\ndescription=""\npoints=[{at="nose.tip", move=[0,-0.1]}, '
        b'{at="jaw.chin", offset=[0,-1.5], move=[0,-0.1]}]',
        "deep.toml",
    )
    done = drag(face, checkpoint, [], [Use(recipe=recipe)], settings=STEPS)
    assert [len(entry.handles) for entry in done.history] == [1]
    assert "deep has a point at or past the edge" in caplog.text


def test_what_a_recipe_does_not_do_with_this_model_is_said(checkpoint: Checkpoint) -> None:
    def limits(good: float, model_sha256: str) -> list[str]:
        measured = Verified(
            model="it",
            model_sha256=model_sha256,
            portraits=20,
            good=good,
            weak=1 - good,
            bad=0.0,
            identity=0.2,
        )
        recipe = msgspec.structs.replace(load("smile"), verified_on=(measured,))
        return known_limits([Use(recipe=recipe), Use(recipe=recipe, strength=0.5)], checkpoint)

    (said,) = limits(0.5, checkpoint.sha256[:16])
    assert "smile" in said and "in only 10 of 20 portraits" in said
    assert limits(0.8, checkpoint.sha256[:16]) == []
    assert limits(0.5, "f" * 16) == [], "another model"


def test_the_command_says_it_and_so_does_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    png(tmp_path / "photo.png", picture())
    sha256 = sha256_of(save_model(box_checkpoint(seed=3), tmp_path / "box.safetensors"))
    measured = f'[[verified_on]]\nmodel="x"\nmodel_sha256="{sha256[:16]}"\nportraits=20\nidentity=0.2\n'
    (tmp_path / "mine.toml").write_text(BOX + measured + "good=0.35\nweak=0.5\nbad=0.15\n")
    words = ["--recipe=mine.toml", "--max-steps=1", "--model=box.safetensors", "--quality=draft"]
    done = call(["edit", "photo.png", "-o", "out.png", *words, "--json"], monkeypatch, capfd)
    assert "only 7 of 20 portraits" in " ".join(json.loads(done.out)["warnings"])
    done = call(["edit", "photo.png", "-o", "out2.png", *words], monkeypatch, capfd)
    assert "only 7 of 20 portraits" in done.err


def test_a_stopped_drag_is_the_last(face: Session, checkpoint: Checkpoint) -> None:
    done = drag(
        face, checkpoint, [], [_use("smile"), _use("smile")], settings=STEPS, on_step=lambda step: False
    )
    assert [entry.ending for entry in done.history] == ["stopped"]


def test_landmarks_after_a_drag_are_moved_as_the_picture_moved(
    face: Session, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dlib sees nothing in a random generator's pictures, so its answers are given here."""
    done = drag(face, checkpoint, [], [_use("smile")], settings=STEPS)
    answers = iter([np.zeros((68, 2)), np.full((68, 2), 3.0)])  # before, after; crop pixels of 32
    monkeypatch.setattr("realedit.sessions.pictures.landmarks_in", lambda *_: next(answers))
    moved = current_landmarks(done, checkpoint)
    axes = face.alignment.to_photo([(3, 3)], 32) - face.alignment.to_photo([(0, 0)], 32)
    seen = np.array(face.landmarks)
    assert face.points is not None
    seen[list(LANDMARKS)] = face.points[list(LANDMARKS.values())]  # of lids and lips
    assert moved == pytest.approx(seen + axes)


def test_edit_and_stages_agree_on_a_recipe_of_the_box(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    png(tmp_path / "photo.png", picture())
    save_model(box_checkpoint(seed=3), tmp_path / "box.safetensors")
    (tmp_path / "mine.toml").write_text(BOX)

    def shell(*arguments: str, code: int = 0) -> Any:
        result = call(list(arguments), monkeypatch, capfd)
        assert result.code == code, result
        return result

    quick = ["--recipe=mine.toml:0.5", "--recipe=./mine.toml", "--max-steps=3"]
    model = ["--model=box.safetensors", "--quality=draft"]
    report = json.loads(shell("edit", "photo.png", "-o", "out.png", *quick, *model, "--json").out)
    starts, targets = (np.array([each[key] for each in report["handles"]]) for key in ("start", "target"))
    assert targets - starts == pytest.approx(np.array([[2, 0], [4, 0]])), "shares of a side of 80 px"
    shell("invert", "photo.png", "--keep=kept", *model)
    told = shell("drag", "kept", *quick)
    assert told.out.count("after") == 2
    shell("paste", "kept", "-o", "pasted.png")
    assert (tmp_path / "pasted.png").read_bytes() == (tmp_path / "out.png").read_bytes()
    strengths = ["--recipe=mine.toml", "--strength=0.5", "--max-steps=3"]
    report = json.loads(shell("edit", "photo.png", "-o", "other.png", *strengths, *model, "--json").out)
    assert report["handles"][0]["target"][0] == pytest.approx(targets[0, 0])
    (tmp_path / "mine.toml").write_text(BOX.replace("0.05", "x"))
    refused = shell("edit", "photo.png", "-o", "other.png", "--recipe=mine.toml", *model, code=2)
    assert "mine.toml, line 5" in refused.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--recipe=smlie"], "no recipe 'smlie'"),
        (["--recipe=smile:much"], "no recipe 'smile:much'"),
        (["--recipe=smile:nan"], "strength nan"),
        (["--recipe=smile"], "landmarks"),
        ([], "--drag or --recipe"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    png(tmp_path / "photo.png", picture())
    save_model(box_checkpoint(), tmp_path / "box.safetensors")
    command = ["edit", "photo.png", "-o", "out.png", "--model=box.safetensors", "--quality=draft"]
    result = call([*command, *arguments], monkeypatch, capfd)
    assert result.code == 2 and said in result.err and not (tmp_path / "out.png").exists(), result


def test_a_face_that_the_frame_cuts_is_edited_without_what_lies_outside(
    face: Session, checkpoint: Checkpoint, caplog: pytest.LogCaptureFixture
) -> None:
    assert face.landmarks is not None
    below = int(face.landmarks[57, 1]) + 4  # the photo ends between mouth and chin
    cut = dataclasses.replace(face, photo_size=(face.photo_size[0], below))
    done = drag(cut, checkpoint, [], [_use("open-mouth")], settings=STEPS)
    assert [len(entry.handles) for entry in done.history] == [1]
    assert "open-mouth has a point at or past the edge" in caplog.text
    gone = dataclasses.replace(face, photo_size=(face.photo_size[0], int(face.landmarks[30, 1])))
    with pytest.raises(OutsideError, match="all that the recipe open-mouth moves lies outside"):
        drag(gone, checkpoint, [], [_use("open-mouth")], settings=STEPS)
