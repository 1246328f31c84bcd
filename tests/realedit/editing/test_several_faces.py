"""Several faces of one photo in one edit: each on its own crop, in order, into one output."""

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data

import checkpoints
from alignment import Face, find_faces
from checkpoints.testing import random_checkpoint
from inversion import Step
from realedit.compositing import ChangeSettings
from realedit.drag import DragSettings, DragStep
from realedit.editing import stages
from realedit.editing.kept import same_square
from realedit.editing.outcome import EditReport
from realedit.editing.request import EditRequest
from realedit.editing.stages import PasteSettings, aligning
from realedit.errors import NoFaceError, OutsideError, SessionError, UsageError
from realedit.photos import read_photo
from realedit.pipeline import edit
from realedit.recipes import Use, load
from realedit.sessions.session import Session
from tests.realedit.cli.running import call
from tests.realedit.samples import png, random_session, save_model

WIDTH = 224


def _row() -> np.ndarray:
    """Three astronauts side by side, `[224, 672, 3]`."""
    one = np.ascontiguousarray(skimage.data.astronaut()[:224, 112 : 112 + WIDTH])
    return np.hstack([one, one, one])


@pytest.fixture(scope="module")
def three() -> list[Face]:
    found = find_faces(_row())
    assert len(found) == 3
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("faces")
    png(made / "row.png", _row())
    save_model(random_checkpoint(32, seed=1), made / "face.safetensors")
    return made


@pytest.fixture
def request_of(
    folder: Path, three: list[Face], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> EditRequest:
    """A smile for every face; the faces of this photo are known already, which saves seconds."""
    monkeypatch.setattr(aligning, "find_faces", lambda *_, **__: three)
    return EditRequest(
        photo=folder / "row.png",
        output=tmp_path / "out.png",
        recipes=(Use(recipe=load("smile")),),
        faces=("all",),
        model=str(folder / "face.safetensors"),
        quality="draft",
        changes=(("projection.steps", "2"),),
        drag=DragSettings(max_steps=3),
        paste=PasteSettings(change=ChangeSettings(size=64)),
    )


def _with(request: EditRequest, **changes: Any) -> EditRequest:
    return dataclasses.replace(request, **changes)


def _changed(request: EditRequest) -> list[bool]:
    """Whether each third of the photo changed."""
    one, other = read_photo(request.photo).view(), read_photo(request.output).view()
    differs = (one != other).any(axis=(0, 2))
    return [bool(differs[left : left + WIDTH].any()) for left in range(0, 3 * WIDTH, WIDTH)]


def _faces(report: EditReport) -> list[int]:
    return [each["face"] for each in report.as_json()["faces"]]


def _points(face: Face, landmark: int = 54) -> tuple[tuple[float, float], tuple[float, float]]:
    x, y = face.landmarks[landmark]
    return (float(x), float(y)), (float(x) + 6, float(y) - 3)


def test_the_report_says_how_sure_a_face_is_and_what_shows(
    request_of: EditRequest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = edit(_with(request_of, faces=("0",)))
    ((only,), said) = report.as_json()["faces"], " ".join(report.warnings)
    assert only["certainty"]["spread"] < 0.012 and only["certainty"]["whole"]
    assert "not sure" not in said and "blurred" not in said
    assert -1 < only["seen"] < 2
    blurred = cv2.GaussianBlur(_row(), (0, 0), 4)
    png(folder / "blurred.png", blurred)
    report = edit(_with(request_of, faces=("0", "2"), photo=folder / "blurred.png"))
    assert [said.split(",")[0] for said in report.warnings if "blurred" in said] == [
        f"face {number}: the face is blurred: small movements" for number in (0, 2)
    ]


def test_a_kept_inversion_is_known_by_its_square_and_not_by_its_number(three: list[Face]) -> None:
    """More faces than in an earlier version give the same one another number."""

    def of(face: Face, number: int) -> Session:
        return dataclasses.replace(random_session(1), face=number, alignment=face.alignment)

    assert same_square(of(three[1], 0), of(three[1], 1))
    assert not same_square(of(three[1], 1), of(three[2], 1))


def test_all_faces_are_edited_into_one_output(request_of: EditRequest, tmp_path: Path) -> None:
    request = _with(request_of, keep=tmp_path / "kept", debug=tmp_path / "pictures")
    report = edit(
        _with(
            request,
            compare=tmp_path / "both.png",
            marked=tmp_path / "marked.png",
            timelapse=tmp_path / "drag.gif",
        )
    )
    assert _faces(report) == [0, 1, 2] and _changed(request) == [True, True, True]
    shown = report.as_json()
    assert shown["face"] is None and len(shown["handles"]) == sum(len(f["handles"]) for f in shown["faces"])
    assert shown["identity"] == max(each["identity"] for each in shown["faces"])
    assert all((tmp_path / "pictures" / str(n) / "flow.png").exists() for n in range(3))
    assert (tmp_path / "drag.gif").exists() and (tmp_path / "marked.png").exists()
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["0", "1", "2"]
    stages: list[str] = []

    def on_step(step: Step | DragStep) -> bool:
        stages.append(type(step).__name__)
        return True

    again = _with(request, output=tmp_path / "again.png", cache=False)
    edit(again, on_step=on_step)
    assert set(stages) == {"DragStep"}, "what was kept is not inverted again"
    assert again.output.read_bytes() == request.output.read_bytes()
    one = edit(_with(again, faces=("1",), output=tmp_path / "one.png"), on_step=on_step)
    assert set(stages) == {"DragStep"} and _faces(one) == [1]


def test_an_edit_of_all_is_edits_of_each_pasted_in_order(request_of: EditRequest, tmp_path: Path) -> None:
    edit(request_of)
    for face in "021":
        edit(_with(request_of, faces=(face,), output=tmp_path / f"{face}.png", keep=tmp_path / face))
    checkpoint = checkpoints.load(request_of.model)
    kept = [(Session.load(tmp_path / face), checkpoint) for face in "012"]
    pasted = stages.render_faces(read_photo(request_of.photo), kept, request_of.paste)
    assert np.array_equal(pasted.view(), read_photo(request_of.output).view())


def test_the_command_takes_several_faces(
    request_of: EditRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out.png"
    edit_row = ["edit", str(request_of.photo), "-o", str(out), f"--model={request_of.model}", "--max-steps=2"]
    quick = ["--quality=draft", "--set=projection.steps=2", "--recipe=smile", "--face=2", "--face=0"]
    result = call([*edit_row, *quick], monkeypatch, capfd)
    assert result.code == 0 and "face 0 " in result.out and "; face 2 " in result.out, result
    assert _changed(request_of) == [True, False, True]


def test_drags_move_the_faces_they_lie_on(request_of: EditRequest, three: list[Face]) -> None:
    drags = (_points(three[2]), _points(three[0]))
    for faces in (("auto",), ("all",), ("2", "0")):
        report = edit(_with(request_of, faces=faces, recipes=(), drags=drags))
        assert _faces(report) == [0, 2] and _changed(request_of) == [True, False, True]
        starts = [each["handles"][0]["start"] for each in report.as_json()["faces"]]
        assert starts == [list(drags[1][0]), list(drags[0][0])]
    alone = edit(_with(request_of, faces=("auto",), recipes=(), drags=drags[:1]))
    assert _faces(alone) == [2] and alone.as_json()["face"] == 2


def test_a_recipe_goes_to_the_numbers_that_are_named(request_of: EditRequest) -> None:
    edit(_with(request_of, faces=("1", "0")))
    assert _changed(request_of) == [True, True, False]


def test_a_face_that_cannot_be_edited_is_named_and_nothing_is_written(
    request_of: EditRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = stages.invert_together

    def invert(sessions: Any, *args: Any, **kwargs: Any) -> Any:
        if any(session.face == 1 for session in sessions):
            raise UsageError("this face is too odd")
        return whole(sessions, *args, **kwargs)

    monkeypatch.setattr(stages, "invert_together", invert)
    with pytest.raises(UsageError, match=r"^face 1: this face is too odd$"):
        edit(request_of)
    assert not request_of.output.exists()
    edit(_with(request_of, faces=("0", "2")))
    assert _changed(request_of) == [True, False, True]


@pytest.mark.parametrize(
    ("faces", "error", "said"),
    [
        (("3",), NoFaceError, "row.png: There is no face 3; the photo has faces 0 to 2"),
        (("0", "9"), NoFaceError, "no face 9"),
        (("0", "left"), UsageError, "'left'"),
    ],
)
def test_faces_that_are_not_there_are_told(
    faces: tuple[str, ...], error: type[Exception], said: str, request_of: EditRequest
) -> None:
    with pytest.raises(error, match=said):
        edit(_with(request_of, faces=faces))
    assert not request_of.output.exists()


def test_no_face_at_all_is_told(request_of: EditRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aligning, "find_faces", lambda *_, **__: [])
    with pytest.raises(NoFaceError, match="No face was found"):
        edit(request_of)


def test_drags_beside_the_faces_are_told_before_the_work(request_of: EditRequest, three: list[Face]) -> None:
    drags = (_points(three[0]), ((670.0, 223.0), (671.0, 223.0)))

    def fail(step: Step | DragStep) -> bool:
        raise AssertionError("the work began")

    with pytest.raises(OutsideError, match="670, 223"):
        edit(_with(request_of, drags=drags), on_step=fail)


def test_who_stops_at_a_face_keeps_it_and_leaves_the_others(request_of: EditRequest) -> None:
    report = edit(request_of, on_step=lambda step: not isinstance(step, DragStep))
    assert _faces(report) == [0] and _changed(request_of) == [True, False, False]
    assert any("stopped at face 0; the faces after it stay" in said for said in report.warnings)


def test_a_folder_with_one_faces_session_is_not_mixed_with_several(
    request_of: EditRequest, tmp_path: Path
) -> None:
    keep = tmp_path / "kept"
    edit(_with(request_of, faces=("0",), keep=keep))
    with pytest.raises(SessionError, match="holds the session of one face"):
        edit(_with(request_of, keep=keep))
