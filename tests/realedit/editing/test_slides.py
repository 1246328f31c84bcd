"""Lids and lips in whole edits: carried out by the paste, left alone by the generator, the same by stages."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

import checkpoints
from alignment import Face
from alignment.geometry import ffhq_square
from checkpoints.testing import random_checkpoint
from inversion import InversionSettings
from realedit.compositing.features import LANDMARKS, Features
from realedit.compositing.lids import Lids
from realedit.drag import DragSettings
from realedit.editing import sliding, stages
from realedit.editing.applying import current_landmarks, drag
from realedit.editing.request import EditRequest
from realedit.editing.stages import aligning
from realedit.perception.points import LEFT_EYE, RIGHT_EYE
from realedit.photos import Photo, read_photo
from realedit.pipeline import edit
from realedit.recipes import Use, load
from realedit.sessions.session import Session
from tests.realedit.compositing import faces
from tests.realedit.recipes.faces import landmarks
from tests.realedit.samples import QUICK, png, save_model

POINTS = faces.points(50.0, centre=(100.0, 85.0))
STEPS = DragSettings(max_steps=2)
SIZE = (200, 260)


def _face() -> Face:
    points = landmarks()
    points[list(LANDMARKS)] = POINTS[list(LANDMARKS.values())]
    return Face(0, (40, 40, 160, 180), points, ffhq_square(points))


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where the drawn face and its parts are is known, and that saves seconds."""
    monkeypatch.setattr(aligning, "find_faces", lambda *_, **__: [_face()])
    monkeypatch.setattr(sliding, "dense_points", lambda *_: POINTS)
    yield


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    return str(save_model(random_checkpoint(32, seed=1), folder / "face.safetensors"))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return png(tmp_path / "photo.png", faces.drawn(POINTS, SIZE))


def _request(photo: Path, model: str, *recipes: tuple[str, float], **changes: Any) -> EditRequest:
    uses = tuple(Use(recipe=load(name), strength=strength) for name, strength in recipes)
    made = EditRequest(
        photo=photo, output=photo.with_name("out.png"), recipes=uses, model=model, quality="draft", drag=STEPS
    )
    return dataclasses.replace(made, **changes)


def _pixels(path: Path) -> NDArray[np.uint8]:
    return read_photo(path).view()


def _iris(pixels: NDArray[np.uint8], left: bool) -> int:
    half = slice(0, 100) if left else slice(100, 200)
    return int(faces.near(pixels[:, half], faces.IRIS).sum())


def test_close_eyes_shuts_both_eyes_and_leaves_the_generator_alone(photo: Path, model: str) -> None:
    report = edit(_request(photo, model, ("close-eyes", 1.0), keep=photo.parent / "kept"))
    before, after = _pixels(photo), _pixels(photo.with_name("out.png"))
    for left in (True, False):
        assert _iris(after, left) <= 0.05 * _iris(before, left)
    session = report.faces[0].session
    (entry,) = session.history
    assert session.current is not None and session.pivot is not None and session.current.equal(session.pivot)
    assert entry.carried == [0, 1] and entry.ending == "arrived" and entry.reached == entry.targets
    assert entry.moves.left_eye == entry.moves.right_eye == Lids(1.0)
    changed = (before != after).any(-1)
    assert not changed[110:].any() and not changed[:45].any(), "nothing but the eyes"


@pytest.mark.parametrize(("name", "left"), [("wink-left", True), ("wink-right", False)])
def test_a_wink_keeps_the_other_eyes_bits(photo: Path, model: str, name: str, left: bool) -> None:
    edit(_request(photo, model, (name, 1.0)))
    before, after = _pixels(photo), _pixels(photo.with_name("out.png"))
    assert _iris(after, left) <= 0.05 * _iris(before, left)
    other = slice(100, 200) if left else slice(0, 100)
    assert np.array_equal(before[:, other], after[:, other])


def test_open_mouth_parts_closed_lips(photo: Path, model: str) -> None:
    edit(_request(photo, model, ("open-mouth", 1.0)))
    dark = _pixels(photo.with_name("out.png")).max(-1) < 110
    assert dark[138:165, 85:115].mean() > 0.2


def test_a_frown_takes_the_corners_down_and_asks_no_generator(
    photo: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "invert_together", lambda *_, **__: pytest.fail("inverted"))
    report = edit(_request(photo, model, ("frown", 1.0), cache=False))
    (entry,) = report.faces[0].session.history
    assert entry.moves.lips.left > 0.05 and entry.moves.lips.right > 0.05 and entry.moves.lips.lower == 0
    changed = (_pixels(photo) != _pixels(photo.with_name("out.png"))).any(-1)
    assert changed[120:160].any() and not changed[:100].any()


def test_closed_lips_have_nothing_to_close_and_that_is_said(
    photo: Path, model: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    met = faces.points(50.0, centre=(100.0, 85.0), gap=0.006)
    monkeypatch.setattr(sliding, "dense_points", lambda *_: met)
    face = _face()
    face.landmarks[list(LANDMARKS)] = met[list(LANDMARKS.values())]
    monkeypatch.setattr(aligning, "find_faces", lambda *_, **__: [face])
    monkeypatch.setattr(stages, "invert_together", lambda *_, **__: pytest.fail("inverted"))
    edit(_request(photo, model, ("close-mouth", 1.0), cache=False))
    assert "close-mouth has nothing to move on this face" in caplog.text
    assert photo.with_name("out.png").read_bytes() == photo.read_bytes()


def test_strength_zero_gives_the_files_bytes(photo: Path, model: str) -> None:
    edit(_request(photo, model, ("close-eyes", 0.0)))
    assert photo.with_name("out.png").read_bytes() == photo.read_bytes()


def test_stages_through_a_kept_session_give_the_same_pixels(photo: Path, model: str) -> None:
    recipes = (("close-eyes", 0.5), ("smile", 1.0), ("open-mouth", 1.0))
    edit(_request(photo, model, *recipes))
    loaded, settings = checkpoints.load(model), InversionSettings.preset("draft")
    session = stages.align(read_photo(photo), loaded, photo_path=photo, settings=settings, quality="draft")
    session = _stored(stages.invert(session, loaded, settings), photo.parent / "kept")
    for name, strength in recipes:
        session = drag(
            session, loaded, [], [Use(recipe=load(name), strength=strength)], reach="local", settings=STEPS
        )
        session = _stored(session, photo.parent / "kept")
    result = stages.render(read_photo(photo), session, loaded)
    assert np.array_equal(result.view(), _pixels(photo.with_name("out.png")))
    assert [entry.carried for entry in session.history] == [[0, 1], [], [0, 1]]


def _stored(session: Session, folder: Path) -> Session:
    session.save(folder)
    return Session.load(folder)


def test_a_mask_holds_one_eye(photo: Path, model: str) -> None:
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    mask[60:] = 255
    mask[:, 100:] = 0
    path = png(photo.with_name("mask.png"), mask)
    upper, lower = (POINTS[line[4]] for line in (LEFT_EYE.upper, LEFT_EYE.lower))
    edit(_request(photo, model, drags=((tuple(upper), tuple(lower)),), mask=path))
    before, after = _pixels(photo), _pixels(photo.with_name("out.png"))
    assert np.array_equal(before[mask == 0], after[mask == 0])
    assert not np.array_equal(before, after)


def test_a_free_drag_of_a_lid_shuts_its_eye_while_the_generator_takes_the_rest(
    photo: Path, model: str
) -> None:
    upper, lower = (POINTS[line[4]] for line in (RIGHT_EYE.upper, RIGHT_EYE.lower))
    nose = (100.0, 115.0)
    drags = ((tuple(upper), tuple(lower)), (nose, (104.0, 115.0)))
    report = edit(_request(photo, model, drags=drags))
    (entry,) = report.faces[0].session.history
    assert entry.carried == [0] and entry.moves.right_eye == Lids(1.0) and entry.moves.left_eye == Lids()
    assert entry.steps > 0 and entry.reached[0] == entry.targets[0]
    assert _iris(_pixels(photo.with_name("out.png")), left=False) <= 3


def test_an_eye_that_is_shut_in_the_photo_is_the_generators_with_a_warning(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut = faces.points(50.0, centre=(100.0, 85.0), height=0.012)
    monkeypatch.setattr(sliding, "dense_points", lambda *_: shut)
    photo = png(tmp_path / "shut.png", faces.drawn(shut, SIZE))
    report = edit(_request(photo, model, ("open-eyes", 1.0)))
    assert report.faces[0].session.history[0].carried == []
    assert any("shut in the photo" in said for said in report.warnings)


def test_landmarks_follow_what_slid(photo: Path, model: str) -> None:
    loaded = checkpoints.load(model)
    session = stages.align(read_photo(photo), loaded, photo_path=photo, settings=QUICK, quality="draft")
    session = stages.invert(session, loaded, QUICK)
    shut = drag(session, loaded, [], [Use(recipe=load("close-eyes"))], settings=STEPS)
    found = current_landmarks(shut, loaded)
    assert found is not None
    assert found[[37, 38]] == pytest.approx(POINTS[[144, 153]], abs=0.6)
    assert np.array_equal(found[48], session.landmarks[48])  # type: ignore[index]


def test_sixteen_bits_and_grey_photos_slide_too(tmp_path: Path, model: str) -> None:
    pixels = faces.drawn(POINTS, SIZE)
    deep = png(tmp_path / "deep.png", pixels.astype(np.uint16) * 257)
    edit(_request(deep, model, ("close-eyes", 1.0)))
    assert _pixels(tmp_path / "out.png").dtype == np.uint16
    assert not np.array_equal(_pixels(tmp_path / "out.png"), _pixels(deep))
    grey = png(tmp_path / "grey.png", pixels[..., 0])
    edit(_request(grey, model, ("open-mouth", 1.0)))
    after = read_photo(tmp_path / "out.png")
    assert isinstance(after, Photo) and after.is_grey and after.view()[145:160, 90:110].min() < 110


def test_debug_shows_the_parts(photo: Path, model: str, tmp_path: Path) -> None:
    edit(_request(photo, model, ("close-eyes", 1.0), debug=tmp_path / "debug"))
    assert (tmp_path / "debug" / "parts.png").is_file()


def test_an_edit_that_is_of_lids_and_lips_alone_inverts_nothing(
    photo: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(_request(photo, model, ("close-eyes", 1.0), ("open-mouth", 0.5), keep=photo.parent / "kept"))
    inverted = _pixels(photo.with_name("out.png"))
    monkeypatch.setattr(stages, "invert_together", lambda *_, **__: pytest.fail("inverted"))
    request = _request(photo, model, ("close-eyes", 1.0), ("open-mouth", 0.5), cache=False)
    report = edit(dataclasses.replace(request, output=photo.with_name("alone.png")))
    assert np.array_equal(_pixels(photo.with_name("alone.png")), inverted)
    assert [each.ending for each in report.faces[0].session.history] == ["arrived", "arrived"]
    with pytest.raises(pytest.fail.Exception, match="inverted"):
        edit(_request(photo, model, ("close-eyes", 1.0), ("smile", 1.0), cache=False))


def test_an_inversion_that_was_kept_without_points_gets_them(photo: Path, model: str) -> None:
    folder = photo.parent / "kept"
    edit(_request(photo, model, ("smile", 1.0), keep=folder))
    dataclasses.replace(Session.load(folder), points=None).save(folder)
    edit(_request(photo, model, ("close-eyes", 1.0), keep=folder))
    assert _iris(_pixels(photo.with_name("out.png")), left=True) <= 3
    assert Session.load(folder).points is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["close-eyes", "open-mouth"])
def test_the_astronaut_shuts_her_eyes_and_opens_her_mouth(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    photo = png(tmp_path / "astronaut.png", skimage.data.astronaut())
    report = edit(_request(photo, "face128", (name, 1.0), cache=False))
    session = report.faces[0].session
    assert session.pivot is None, "no generator was asked"
    before, after = (
        Features.of(sliding.dense_points(read_photo(path), session.alignment))
        for path in (photo, tmp_path / "out.png")
    )
    if name == "close-eyes":
        for old, new in zip(before.eyes, after.eyes, strict=True):
            assert new.height < 0.5 * old.height
    else:
        assert after.mouth.gap > before.mouth.gap + 0.12
    assert report.identity is not None and report.identity < 0.4
