"""Heads in whole edits: turned by the paste, left alone by the generator, the same by stages."""

import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import checkpoints
import realedit.perception
from alignment import Alignment, Box, Face
from alignment.geometry import ffhq_square
from checkpoints.testing import random_checkpoint
from inversion import InversionSettings
from realedit.compositing import Turn
from realedit.compositing.features import LANDMARKS
from realedit.drag import DragSettings
from realedit.editing import sliding, stages
from realedit.editing.applying import current_landmarks, drag
from realedit.editing.request import EditRequest
from realedit.editing.stages import aligning
from realedit.photos import read_photo
from realedit.pipeline import edit
from realedit.recipes import Use, load
from realedit.sessions.regions import crop_region
from realedit.sessions.session import Session
from tests.realedit.compositing import test_heads as heads
from tests.realedit.recipes.faces import landmarks
from tests.realedit.samples import QUICK, png, save_model

POINTS = heads.points()
NOSE = tuple(POINTS[1])
STEPS = DragSettings(max_steps=2)


def _face() -> Face:
    places = landmarks()
    places = (places - places[30]) * heads.UNIT / np.linalg.norm(
        places[42:48].mean(0) - places[36:42].mean(0)
    ) + POINTS[1]
    places[list(LANDMARKS)] = POINTS[list(LANDMARKS.values())]
    return Face(0, Box(110, 110, 310, 320, 1.0), places, ffhq_square(places))


def _seen(_: Any, square: Alignment) -> Any:
    head = heads.head()
    drawn = heads.matte(head)

    def matte(wanted: Alignment, size: int) -> NDArray[np.float32]:
        from realedit.perception.matte import in_square

        return in_square(drawn, head.square, wanted, size)

    return SimpleNamespace(matte=matte, glasses=0.0)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where the drawn face and the person are is known, and that saves seconds."""
    monkeypatch.setattr(aligning, "find_faces", lambda *_, **__: [_face()])
    monkeypatch.setattr(sliding, "dense_points", lambda *_: POINTS)
    monkeypatch.setattr(realedit.perception, "perceive", _seen)
    yield


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    return str(save_model(random_checkpoint(32, seed=1), folder / "face.safetensors"))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return png(tmp_path / "photo.png", heads.wall().view())


def _request(photo: Path, model: str, *recipes: tuple[str, float], **changes: Any) -> EditRequest:
    uses = tuple(Use(recipe=load(name), strength=strength) for name, strength in recipes)
    made = EditRequest(
        photo=photo, output=photo.with_name("out.png"), recipes=uses, model=model, quality="draft", drag=STEPS
    )
    return dataclasses.replace(made, **changes)


def _session(photo: Path, model: str) -> tuple[Session, checkpoints.Checkpoint]:
    checkpoint = checkpoints.load(model)
    session = stages.align(read_photo(photo), checkpoint, photo_path=photo, settings=QUICK, quality="draft")
    return session, checkpoint


def test_a_turn_is_in_degrees_and_leaves_the_generator_alone(photo: Path, model: str) -> None:
    report = edit(_request(photo, model, ("turn-left", 0.8), ("look-down", 0.5)))
    session = report.faces[0].session
    assert session.pivot is None and session.turn == Turn(yaw=-12, pitch=5)
    assert (read_photo(photo.with_name("out.png")).view() != read_photo(photo).view()).any()
    handle = report.faces[0].handles()[0]
    assert handle["target"] == handle["reached"] and handle["target"][0] < handle["start"][0] - 10


def test_a_free_drag_of_the_nose_tip_turns_the_head_where_its_reach_is_the_head(
    photo: Path, model: str
) -> None:
    target = (NOSE[0] + 20.0, NOSE[1])
    way = ((NOSE, target),)
    report = edit(_request(photo, model, drags=way, reach="head"))
    assert report.faces[0].session.pivot is None
    assert 8 < report.faces[0].session.turn.yaw < 20
    assert report.faces[0].session.history[0].reached[0] == pytest.approx(target, abs=2)
    report = edit(_request(photo, model, drags=way, reach="face"))
    assert report.faces[0].session.pivot is not None and report.faces[0].session.turn == Turn()


def test_there_and_back_gives_the_files_bytes(photo: Path, model: str) -> None:
    edit(_request(photo, model, ("turn-left", 1.0), ("turn-right", 1.0)))
    assert photo.with_name("out.png").read_bytes() == photo.read_bytes()


def test_stages_through_a_kept_session_give_the_same_pixels(photo: Path, model: str, tmp_path: Path) -> None:
    session, checkpoint = _session(photo, model)
    session = drag(session, checkpoint, (), [Use(recipe=load("turn-left"))])
    session.save(tmp_path / "kept")
    kept = Session.load(tmp_path / "kept")
    assert kept.turn == Turn(yaw=-15)
    whole = edit(_request(photo, model, ("turn-left", 1.0)))
    assert whole.changed is not None
    result = stages.render(read_photo(photo), kept, checkpoint)
    assert np.array_equal(result.view(), read_photo(photo.with_name("out.png")).view())


def test_a_mask_holds_half_of_the_face(photo: Path, model: str) -> None:
    before = read_photo(photo).view()
    mask = np.zeros(before.shape[:2], np.uint8)
    mask[:, : int(NOSE[0]) + 20] = 255
    edit(_request(photo, model, ("turn-left", 1.0), mask=png(photo.with_name("mask.png"), mask)))
    changed = (read_photo(photo.with_name("out.png")).view() != before).any(-1)
    assert changed.any() and not changed[mask == 0].any()


def test_no_head_turns_farther_than_a_photo_shows(
    photo: Path, model: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        report = edit(_request(photo, model, ("turn-left", 3.0)))
    assert report.faces[0].session.turn == Turn(yaw=-20)
    assert "45 degrees; it turns by 20" in caplog.text


def test_what_comes_after_a_turn_acts_on_the_face_as_it_was(photo: Path, model: str) -> None:
    session, checkpoint = _session(photo, model)
    assert session.landmarks is not None
    turned = drag(session, checkpoint, (), [Use(recipe=load("turn-left"))])
    seen = current_landmarks(turned, checkpoint)
    assert seen is not None and (session.landmarks - seen)[30, 0] > 10
    turned = stages.invert(turned.from_start(), checkpoint, InversionSettings.preset("draft"))
    turned = drag(turned, checkpoint, (), [Use(recipe=load("turn-left"))])
    both = stages.drag(turned, checkpoint, [seen[30]], [seen[30] + [0, 4]], settings=STEPS)
    alone = stages.drag(
        dataclasses.replace(turned, history=()), checkpoint, [session.landmarks[30]],
        [session.landmarks[30] + [0, 4]], settings=STEPS,
    )  # fmt: skip
    assert both.turn == Turn(yaw=-15)
    apart = crop_region(both, both.history[-1], 32) - crop_region(alone, alone.history[-1], 32)
    assert np.abs(apart).max() < 0.2


def test_closing_eyes_of_a_turned_head_shuts_them(photo: Path, model: str) -> None:
    report = edit(_request(photo, model, ("turn-right", 1.0), ("close-eyes", 1.0)))
    moves = report.faces[0].session.moves
    assert moves.left_eye.upper > 0.8 and moves.right_eye.upper > 0.8
    assert report.faces[0].session.pivot is None


def test_debug_shows_where_the_head_goes(photo: Path, model: str, tmp_path: Path) -> None:
    edit(_request(photo, model, ("look-up", 1.0), debug=tmp_path / "debug"))
    assert (tmp_path / "debug" / "head.png").is_file()
