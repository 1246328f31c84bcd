"""What is said of a result: whether it shows what was asked, and the same person."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from alignment import Alignment
from realedit.editing import measuring
from realedit.editing.measuring import seen_share
from realedit.editing.outcome import FaceReport
from realedit.editing.telling import drag_warnings, endings, result_warnings
from realedit.looks import Reason, Verdict
from realedit.sessions.session import Drag, Session
from tests.realedit.recipes.faces import landmarks
from tests.realedit.samples import photo_of

FACE = landmarks()  # eyes 50 px apart, in a square of 200 px
SQUARE = Alignment(centre=(130.0, 140.0), side=200.0, angle=0.0)
SHIFT = np.array([30.0, 40.0])


def _drag(moves: dict[int, tuple[float, float]], *, ending: str = "arrived", done: float = 1.0) -> Drag:
    """Landmarks dragged by so much, of which a share is done."""
    starts = [FACE[i] + SHIFT for i in moves]
    ways = [np.array(way) for way in moves.values()]

    def points(share: float) -> list[tuple[float, float]]:
        return [(float(x), float(y)) for x, y in (s + share * w for s, w in zip(starts, ways, strict=True))]

    return Drag(points(0), points(1), points(done), 12, ending, "local")


def _session(*drags: Drag) -> Session:
    return Session(
        photo_path=Path("photo.png"), photo_sha256="", photo_size=(260, 280), model="m", model_sha256="",
        quality="draft", seed=0, settings={}, face=0, landmarks=FACE + SHIFT, alignment=SQUARE,
        crop=np.zeros((8, 8, 3), np.uint8), valid=np.ones((8, 8), np.bool_), history=drags,
    )  # fmt: skip


@pytest.fixture
def dlib_sees(monkeypatch: pytest.MonkeyPatch) -> dict[int, tuple[float, float]]:
    """By how much each landmark has moved in the result."""
    moved: dict[int, tuple[float, float]] = {}

    def answer(pixels: NDArray[np.uint8], square: Alignment) -> NDArray[np.float64]:
        corner = np.array(SQUARE.centre) - square.centre  # of the part of the photo that is looked at
        found = FACE + SHIFT - corner
        for index, way in moved.items():
            found[index] += way
        return np.asarray(found)

    monkeypatch.setattr(measuring, "landmarks_in", answer)
    return moved


PHOTO = photo_of(np.zeros((280, 260, 3), np.uint8))


@pytest.mark.parametrize("share", [1.2, 0.5, 0.0, -0.4])
def test_the_share_of_the_movement_that_shows_is_measured_in_the_result(
    share: float, dlib_sees: dict[int, tuple[float, float]]
) -> None:
    session = _session(_drag({48: (-5.0, -4.0), 54: (5.0, -4.0), 51: (0.0, 0.0)}))
    dlib_sees.update({48: (-5 * share, -4 * share), 54: (5 * share, -4 * share), 8: (9.0, 9.0)})
    assert seen_share(PHOTO, session) == pytest.approx(share)


def test_drags_one_after_the_other_add_up(dlib_sees: dict[int, tuple[float, float]]) -> None:
    first, second = _drag({48: (-5.0, 0.0)}), _drag({48: (-4.0, 0.0)})
    there = [(x - 5.0, y) for x, y in second.handles]
    second = Drag(there, [(x - 4.0, y) for x, y in there], there, 3, "stalled", "local")
    dlib_sees[48] = (-4.5, 0.0)
    assert seen_share(PHOTO, _session(first, second)) == pytest.approx(0.5)


def test_nothing_is_said_of_what_cannot_be_seen(dlib_sees: dict[int, tuple[float, float]]) -> None:
    assert seen_share(PHOTO, _session(_drag({48: (0.5, 0.0)}))) is None, "too small a movement"
    beside = Drag([(60.0, 60.0)], [(70.0, 60.0)], [(70.0, 60.0)], 3, "arrived", "local")
    assert seen_share(PHOTO, _session(beside)) is None, "no landmark is there"
    without = Session(**{**vars(_session(_drag({48: (9.0, 0.0)}))), "landmarks": None, "face": None})
    assert seen_share(PHOTO, without) is None


def test_a_drag_that_hardly_shows_is_not_said_to_have_arrived() -> None:
    drag = _drag({48: (9.0, 0.0)})
    assert endings([drag]) == "arrived after 12 steps"
    assert endings([drag], 0.87) == "arrived after 12 steps, 87% of the movement seen in the result"
    assert endings([drag], -0.1) == "hardly moved after 12 steps, 0% of the movement seen in the result"


def test_a_lost_likeness_and_a_missing_movement_are_warned_of() -> None:
    session = _session()
    assert result_warnings(FaceReport(session=session, identity=0.35, seen=0.6)) == []
    assert result_warnings(FaceReport(session=session, identity=None, seen=None)) == []
    (lost,) = result_warnings(FaceReport(session=session, identity=0.41, seen=0.6))
    assert "identity distance 0.41" in lost
    (still,) = result_warnings(FaceReport(session=session, identity=0.1, seen=0.1))
    assert "hardly any of the movement" in still and "10%" in still


@pytest.mark.parametrize(("done", "said"), [(0.5, True), (0.85, False)])
@pytest.mark.parametrize("ending", ["stalled", "steps"])
def test_a_drag_that_all_but_arrived_is_no_warning(ending: str, done: float, said: bool) -> None:
    drag = _drag({48: (9.0, 0.0), 57: (0.0, 0.0)}, ending=ending, done=done)
    assert bool(drag_warnings([drag])) == said


def test_a_result_that_does_not_look_good_is_warned_of_with_the_reason() -> None:
    def said(*reasons: Reason) -> list[str]:
        looks = Verdict(reasons[0].grade if reasons else "good", reasons, {})
        return result_warnings(FaceReport(session=_session(), identity=0.1, seen=0.9, looks=looks))

    assert said() == []
    (warning,) = said(Reason("bent", 0.2, "bad", "the glasses are bent"))
    assert "looks bad: the glasses are bent" in warning
