"""The stages and their sum: the same bytes, nothing computed twice, errors that name the value."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import skimage.data
import torch
from numpy.typing import NDArray

import checkpoints
from alignment import Alignment, extract_crop
from alignment.errors import OutsideError
from checkpoints import Checkpoint
from checkpoints.testing import random_checkpoint
from inversion import InversionSettings, ProjectionSettings, Step, TuningSettings
from realedit.compositing.change import Mode
from realedit.drag import DragSettings, DragStep, editor
from realedit.editing import measuring, stages
from realedit.editing.request import EditRequest
from realedit.editing.stages import rendering
from realedit.editing.telling import drag_warnings
from realedit.errors import OutputError, SessionError, UsageError
from realedit.geometry.cropping import crop_of
from realedit.photos import read_photo
from realedit.pipeline import edit
from realedit.sessions.pictures import generator_of, pictures
from realedit.sessions.regions import check_points
from realedit.sessions.session import Session
from tests.realedit.cli.running import call
from tests.realedit.samples import QUICK, box_checkpoint, inverted, picture, png, save_model

pytestmark = pytest.mark.usefixtures("small_paste")

DRAG = ((((40.0, 40.0), (46.0, 40.0))),)
STEPS = DragSettings(max_steps=5)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return box_checkpoint(seed=3)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return png(tmp_path / "photo.png", picture())


@pytest.fixture
def model(checkpoint: Checkpoint, tmp_path: Path) -> str:
    return str(save_model(checkpoint, tmp_path / "model.safetensors"))


def _request(photo: Path, model: str, **changes: Any) -> EditRequest:
    made = EditRequest(
        photo=photo,
        output=photo.with_name("out.png"),
        drags=DRAG,
        model=model,
        quality="draft",
        reach="all",
        drag=STEPS,
    )
    return dataclasses.replace(made, **changes)


def _stored(session: Session, folder: Path) -> Session:
    """What is stored is what goes on."""
    session.save(folder)
    return Session.load(folder)


class Spy:
    """Counts the steps of each stage."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def __call__(self, step: Step | DragStep) -> bool:
        self.stages.append("drag" if isinstance(step, DragStep) else step.stage)
        return True


def test_an_edit_changes_the_photo_and_reports_it(photo: Path, model: str) -> None:
    before = photo.read_bytes()
    report = edit(_request(photo, model))
    shown = report.as_json()
    assert photo.read_bytes() == before
    assert set(shown) == {
        *("version", "input", "output", "face", "model", "quality", "seconds"),
        *("handles", "identity", "faces", "changed_box", "warnings"),
    }
    assert shown["face"] is None and shown["identity"] is None, "no face in a square"
    (handle,) = shown["handles"]
    assert handle["start"] == [40, 40] and handle["target"] == [46, 40]
    assert np.linalg.norm(np.subtract(handle["reached"], handle["target"])) < 10
    left, top, right, bottom = shown["changed_box"]
    one, other = read_photo(photo).view(), read_photo(photo.with_name("out.png")).view()
    rows, columns = np.nonzero((one != other).any(-1))
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (left, top, right, bottom)


def test_the_same_seed_gives_the_same_bytes(photo: Path, model: str, tmp_path: Path) -> None:
    edit(_request(photo, model, output=tmp_path / "one.png"))
    edit(_request(photo, model, output=tmp_path / "two.png"))
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_drag_of_length_zero_returns_the_files_bytes(photo: Path, model: str) -> None:
    report = edit(_request(photo, model, drags=(((40.0, 40.0), (40.0, 40.0)),)))
    assert (photo.parent / "out.png").read_bytes() == photo.read_bytes()
    assert report.changed is None and report.faces[0].session.history[-1].ending == "nothing"


def test_stages_one_by_one_give_the_same_pixels_as_an_edit(
    photo: Path, model: str, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    edit(_request(photo, model))
    loaded = checkpoints.load(model)
    settings = InversionSettings.preset("draft")
    picture_ = read_photo(photo)
    session = stages.align(picture_, loaded, photo_path=photo, settings=settings, quality="draft")
    session = _stored(stages.invert(session, loaded, settings), tmp_path / "inverted")
    handles, targets = zip(*DRAG, strict=True)
    session = stages.drag(session, loaded, handles, targets, reach="all", settings=STEPS)
    session = _stored(session, tmp_path / "dragged")
    result = stages.render(picture_, session, loaded)
    assert np.array_equal(result.view(), read_photo(tmp_path / "out.png").view())


def test_a_tuned_session_goes_on_as_stored(checkpoint: Checkpoint, photo: Path, tmp_path: Path) -> None:
    settings = dataclasses.replace(QUICK, tuning=TuningSettings(steps=3))
    session = inverted(checkpoint, photo, settings)
    assert session.tuning
    session.save(tmp_path / "session")
    loaded = Session.load(tmp_path / "session")
    one, other = (pictures(s, checkpoint)[0] for s in (session, loaded))
    assert np.array_equal(one, other)
    untuned, _ = pictures(dataclasses.replace(session, tuning={}), checkpoint)
    assert not np.array_equal(one, untuned)


def test_photos_inverted_together_come_out_as_each_by_itself(checkpoint: Checkpoint, tmp_path: Path) -> None:
    settings = InversionSettings(
        projection=ProjectionSettings(steps=60, patience=6, plateau=0.12),
        tuning=TuningSettings(steps=3),
        precision="float32",
    )
    sessions = []
    for seed in (0, 1, 2):
        path = png(tmp_path / f"{seed}.png", picture(seed=seed))
        sessions.append(
            stages.align(read_photo(path), checkpoint, photo_path=path, settings=settings, quality="draft")
        )
    alone = [stages.invert(session, checkpoint, settings) for session in sessions]
    assert len({each.steps["project"] for each in alone}) > 1, "the case needs searches of different lengths"
    for first, second, third in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):
        found, again = (
            stages.invert_together([sessions[first], sessions[other]], checkpoint, settings)[0]
            for other in (second, third)
        )
        assert found.photo_path == sessions[first].photo_path
        assert found.pivot is not None and again.pivot is not None
        assert torch.equal(found.pivot, again.pivot), "rows do not know of each other"
        assert set(found.tuning) == set(alone[first].tuning)
        # a batch of another size is summed in another order, which a search makes more of at every step
        ours, theirs = (pictures(each, checkpoint)[0].astype(int) for each in (found, alone[first]))
        assert np.abs(ours - theirs).max() <= 3


def test_a_kept_session_is_not_inverted_again(photo: Path, model: str, tmp_path: Path) -> None:
    first, second = Spy(), Spy()
    request = _request(photo, model, keep=tmp_path / "session")
    edit(request, on_step=first)
    assert first.stages.count("project") > 0
    edit(dataclasses.replace(request, output=tmp_path / "again.png"), on_step=second)
    assert set(second.stages) == {"drag"}
    assert (tmp_path / "out.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    third = Spy()
    edit(dataclasses.replace(request, seed=9), on_step=third)
    assert "project" in third.stages, "another seed is another inversion"


def test_a_kept_session_of_another_photo_is_refused(photo: Path, model: str, tmp_path: Path) -> None:
    request = _request(photo, model, keep=tmp_path / "session")
    edit(request)
    other = png(tmp_path / "other.png", picture(seed=7))
    before = {path.name: path.read_bytes() for path in (tmp_path / "session").iterdir()}
    with pytest.raises(SessionError, match="is of another photo"):
        edit(dataclasses.replace(request, photo=other, output=tmp_path / "b.png"))
    assert not (tmp_path / "b.png").exists()
    assert {path.name: path.read_bytes() for path in (tmp_path / "session").iterdir()} == before


def test_drags_add_up_and_from_start_forgets_them(checkpoint: Checkpoint, photo: Path) -> None:
    session = inverted(checkpoint, photo)
    handles, targets = zip(*DRAG, strict=True)
    once = stages.drag(session, checkpoint, handles, targets, settings=STEPS)
    twice = stages.drag(once, checkpoint, once.history[-1].reached, [(40.0, 44.0)], settings=STEPS)
    assert len(twice.history) == 2
    assert once.current is not None and twice.current is not None
    assert not torch.equal(once.current, twice.current)
    again = stages.drag(twice.from_start(), checkpoint, handles, targets, settings=STEPS)
    assert again.current is not None and torch.equal(again.current, once.current)


def test_a_watcher_that_says_stop_keeps_what_was_reached(checkpoint: Checkpoint, photo: Path) -> None:
    session = inverted(checkpoint, photo)
    handles, targets = zip(*DRAG, strict=True)
    stopped = stages.drag(
        session, checkpoint, handles, targets, settings=STEPS, on_step=lambda step: step.index < 2
    )
    assert stopped.history[-1].ending == "stopped" and stopped.history[-1].steps == 2
    assert stopped.current is not None and session.pivot is not None
    assert not torch.equal(stopped.current, session.pivot)


@pytest.mark.parametrize(
    ("point", "end", "said"),
    [
        ((300.0, 10.0), "handle", r"300,10 lies outside of the photo, which is 96 x 80"),
        ((300.0, 10.0), "target", r"300,10 lies outside of the photo, which is 96 x 80"),
        ((10.0, -3.0), "handle", r"10,-3 lies outside of the photo"),
        ((10.0, -3.0), "target", r"10,-3 lies outside of the photo"),
        ((2.0, 40.0), "handle", r"2,40 lies 6 px outside of the aligned square"),
    ],
)
def test_points_outside_are_named(
    point: tuple[float, float], end: str, said: str, photo: Path, model: str
) -> None:
    inside = (40.0, 40.0)
    drags = ((point, inside),) if end == "handle" else ((inside, point),)
    spy = Spy()
    with pytest.raises(OutsideError, match=said):
        edit(_request(photo, model, drags=drags), on_step=spy)
    assert spy.stages == [], "told before the work"
    assert not (photo.parent / "out.png").exists()


def test_points_in_the_corners_of_the_photo_are_inside(checkpoint: Checkpoint, tmp_path: Path) -> None:
    session = inverted(checkpoint, png(tmp_path / "square.png", picture(64, 64)))
    check_points(session, [(0.0, 0.0), (64.0, 64.0)], [(64.0, 0.0), (0.0, 64.0)])


def test_outside_of_the_mask_nothing_changes(photo: Path, model: str) -> None:
    mask = np.zeros((80, 96), np.uint8)
    mask[30:60, 30:60] = 255
    edit(_request(photo, model, mask=png(photo.with_name("mask.png"), mask)))
    one, other = read_photo(photo).view(), read_photo(photo.with_name("out.png")).view()
    assert np.array_equal(one[mask == 0], other[mask == 0])
    assert not np.array_equal(one, other)


def test_a_mask_that_is_black_at_the_handle_is_refused(photo: Path, model: str) -> None:
    mask = np.zeros((80, 96), np.uint8)
    mask[:20] = 255
    with pytest.raises(UsageError, match="black at the handle 40,40"):
        edit(_request(photo, model, mask=png(photo.with_name("mask.png"), mask)))


def test_a_comparison_is_written_and_the_marked_photo_where_it_is_asked_for(photo: Path, model: str) -> None:
    edit(_request(photo, model, compare=photo.with_name("both.png")))
    both = read_photo(photo.with_name("both.png"))
    assert {path.name for path in photo.parent.glob("*.png")} == {"photo.png", "out.png", "both.png"}
    edit(_request(photo, model, marked=photo.with_name("marked.png")))
    marked = read_photo(photo.with_name("marked.png"))
    assert both.height == 80 and 192 <= both.width < 220
    assert (marked.width, marked.height) == (96, 80)
    assert not np.array_equal(marked.view(), read_photo(photo).view())


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"compare": "both.txt"}, UsageError, "is written as .png"),
        ({"compare": "out.png"}, OutputError, "is named by -o already"),
        ({"compare": "photo.png"}, OutputError, "is the photo itself"),
        ({"compare": "none/both.png"}, OutputError, "no folder"),
        ({"keep": "photo.png"}, OutputError, "is the photo itself"),
        ({"output": "photo.png"}, OutputError, "is the photo itself"),
    ],
)
def test_mistakes_are_told_before_the_photo_is_read(
    changes: dict[str, str], error: type[Exception], said: str, photo: Path, model: str
) -> None:
    paths = {name: photo.parent / value for name, value in changes.items()}
    files = sorted(photo.parent.iterdir())
    with pytest.raises(error, match=said):
        edit(_request(photo, model, **paths))
    assert sorted(photo.parent.iterdir()) == files


def test_nothing_can_be_dragged_or_pasted_before_the_inversion(checkpoint: Checkpoint, photo: Path) -> None:
    read = read_photo(photo)
    session = stages.align(read, checkpoint, photo_path=photo, settings=QUICK, quality="draft")
    with pytest.raises(SessionError, match="holds no inversion yet; run: realedit invert"):
        stages.drag(session, checkpoint, [(40.0, 40.0)], [(41.0, 40.0)])
    with pytest.raises(SessionError, match="no inversion yet"):
        stages.render(read, session, checkpoint)


def test_a_tuning_that_does_not_fit_is_told(checkpoint: Checkpoint, photo: Path) -> None:
    session = dataclasses.replace(inverted(checkpoint, photo), tuning={"nonsense": torch.zeros(1)})
    with pytest.raises(SessionError, match="does not fit this generator: nonsense; delete the session"):
        generator_of(session, checkpoint)


def test_drags_that_do_not_arrive_are_told(checkpoint: Checkpoint, photo: Path) -> None:
    session = stages.drag(
        inverted(checkpoint, photo), checkpoint, [(30.0, 30.0)], [(60.0, 50.0)], settings=STEPS
    )
    (warning,) = drag_warnings(session.history)
    assert "ended after 5 steps" in warning and "px from its target" in warning


def test_handles_where_all_looks_alike_are_told(
    checkpoint: Checkpoint, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editor, "DISTINCT", 1e6)
    points = [(30.0, 30.0), (40.4, 30.0)], [(60.0, 50.0), (41.0, 30.0)]
    session = stages.drag(inverted(checkpoint, photo), checkpoint, *points, settings=STEPS)
    session.save(tmp_path / "kept")
    (drag,) = Session.load(tmp_path / "kept").history
    assert drag.vague == [0, 1]
    *_, warning = drag_warnings([drag])
    assert warning == (
        "all looks alike around 30,30 and 40,30, so how far that moved cannot be told; "
        "start at an edge or a corner of something"
    )
    assert drag_warnings([msgspec.structs.replace(drag, ending="nothing")]) == []


@pytest.fixture
def _no_descriptor(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def fail(*_: Any) -> None:
        raise AssertionError("the descriptor was computed")

    monkeypatch.setattr(measuring, "descriptor", fail)
    yield


@pytest.mark.usefixtures("_no_descriptor")
def test_an_unchanged_face_is_at_distance_zero_and_not_looked_at(tmp_path: Path) -> None:
    face = random_checkpoint(32)
    path = png(tmp_path / "face.png", np.ascontiguousarray(skimage.data.astronaut()[:256, 96:352]))
    settings = InversionSettings(projection=ProjectionSettings(steps=1), tuning=TuningSettings(steps=0))
    photo = read_photo(path)
    session = stages.align(photo, face, photo_path=path, settings=settings, quality="draft")
    assert session.face == 0 and session.landmarks is not None and session.landmarks.shape == (68, 2)
    assert measuring.identity_distance(photo, photo, session) == 0


def _two_faces(photo: Path, checkpoint: Checkpoint) -> tuple[Session, Session]:
    """Sessions of two overlapping squares of one photo, both dragged."""
    made = []
    for x, step in ((36.0, 6.0), (58.0, -6.0)):
        session = inverted(checkpoint, photo)
        square = Alignment(centre=(x, 40.0), side=50.0, angle=0.0)
        crop = extract_crop(read_photo(photo).view(), square, len(session.crop))
        session = dataclasses.replace(session, alignment=square, crop=crop.pixels, valid=crop.valid)
        handles = [(x, 40.0)]
        made.append(
            stages.drag(session, checkpoint, handles, [(x + step, 40.0)], reach="all", settings=STEPS)
        )
    return made[0], made[1]


@pytest.mark.parametrize(("mode", "looks"), [("detail", 1), ("plain", 0), ("seamless", 0)])
def test_a_faces_landmarks_are_looked_for_again_only_where_the_paste_takes_them(
    photo: Path, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, mode: Mode, looks: int
) -> None:
    face = dataclasses.replace(inverted(checkpoint, photo), landmarks=np.full((68, 2), 32.0))
    face = stages.drag(face, checkpoint, *zip(*DRAG, strict=True), settings=STEPS)
    seen = []

    def look(session: Session, *_: object) -> NDArray[np.float64] | None:
        seen.append(session)
        return session.landmarks

    monkeypatch.setattr(rendering, "moved_landmarks", look)
    stages.render(read_photo(photo), face, checkpoint, stages.PasteSettings(mode=mode))
    assert len(seen) == looks


def test_several_faces_of_one_photo_compose_in_order(photo: Path, checkpoint: Checkpoint) -> None:
    one, other = _two_faces(photo, checkpoint)
    original = read_photo(photo)
    first = stages.render(original, one, checkpoint)
    second = stages.render(original, other, checkpoint)
    both = stages.render(first, other, checkpoint)
    assert first.changed is not None and second.changed is not None
    left, right = first.changed[0], second.changed[0]
    assert left < right < first.changed[2], "the faces overlap"
    columns = slice(left, right)  # of the first face alone
    assert np.array_equal(both.view()[:, columns], first.view()[:, columns])
    assert (both.view()[:, columns] != original.view()[:, columns]).any()
    beyond = slice(first.changed[2], second.changed[2])  # of the second alone
    assert (both.view()[:, beyond] != original.view()[:, beyond]).any()
    overlap = slice(right, first.changed[2])
    assert (both.view()[:, overlap] != second.view()[:, overlap]).any(), "what the first did is still there"


def test_the_second_face_sees_the_first_ones_edit(photo: Path, checkpoint: Checkpoint) -> None:
    one, other = _two_faces(photo, checkpoint)
    size = len(other.crop)
    unedited = crop_of(read_photo(photo), other.alignment, size).pixels
    assert np.abs(unedited.astype(int) - other.crop).max() <= 1
    edited = crop_of(stages.render(read_photo(photo), one, checkpoint), other.alignment, size).pixels
    assert (edited != unedited).any()


def test_paste_takes_the_sessions_of_several_faces(
    photo: Path,
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    checkpoint = checkpoints.load(model)
    sessions = _two_faces(photo, checkpoint)
    expected = read_photo(photo)
    for number, session in enumerate(sessions):
        dataclasses.replace(session, model=model, photo_path=photo).save(tmp_path / str(number))
        expected = stages.render(expected, session, checkpoint)
    arguments = ["paste", "0", "1", "-o", "both.png", "--debug", "pictures"]
    monkeypatch.chdir(tmp_path)
    result = call(arguments, monkeypatch, capfd)
    assert result.code == 0, result
    assert np.array_equal(read_photo(tmp_path / "both.png").view(), expected.view())
    assert (tmp_path / "pictures" / "1" / "flow.png").exists()
