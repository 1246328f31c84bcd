"""What points ask of lids and lips: in recipes and drags, of parts that moved already, and what not."""

import numpy as np
import pytest

from alignment import Alignment
from realedit.compositing.features import LANDMARKS, Features, Moves
from realedit.compositing.lids import Lids
from realedit.compositing.parting import Lips
from realedit.perception import points as parts
from realedit.recipes import load
from realedit.recipes.placing import Frame, place
from tests.realedit.compositing.faces import Points, points

NOTHING = Moves()
DOWN = np.array([0.0, 90.0])


def _landmarks(face: Points) -> Points:
    """Those of the 68 that recipes for eyes and mouth name."""
    found = np.zeros((68, 2))
    found[list(LANDMARKS)] = face[list(LANDMARKS.values())]
    found[[36, 39, 42, 45]] = face[[33, 133, 362, 263]]
    found[8] = face[parts.CHIN]
    return found


def _asked(face: Points, name: str, strength: float, moves: Moves = NOTHING) -> tuple[Moves, list[bool]]:
    features = Features.of(face)
    landmarks = features.moved(moves, _landmarks(face))
    handles, targets = np.moveaxis(place(load(name), Frame.of_face(landmarks), strength), 1, 0)
    found, carried = features.asked(moves, handles, targets)
    return found, carried.tolist()


def _drag(face: Points, handle: Points, target: Points, moves: Moves = NOTHING) -> tuple[Moves, bool]:
    found, carried = Features.of(face).asked(moves, handle[None], target[None])
    return found, bool(carried[0])


@pytest.mark.parametrize("roll", [0.0, 35.0, 180.0])
@pytest.mark.parametrize("unit", [20.0, 100.0, 900.0])
def test_close_eyes_shuts_them_and_half_of_it_half(unit: float, roll: float) -> None:
    face = points(unit, roll=roll)
    assert _asked(face, "close-eyes", 1.0) == (Moves(Lids(1.0), Lids(1.0)), [True, True])
    half, _ = _asked(face, "close-eyes", 0.5)
    for lids in (half.left_eye, half.right_eye):
        assert lids.upper == pytest.approx(0.5, abs=0.06) and lids.lower == 0


@pytest.mark.parametrize(("name", "moves"), [
    ("wink-left", Moves(left_eye=Lids(1.0))), ("wink-right", Moves(right_eye=Lids(1.0))),
])  # fmt: skip
def test_a_wink_shuts_one_eye(name: str, moves: Moves) -> None:
    assert _asked(points(), name, 1.0) == (moves, [True])


def test_open_eyes_opens_them_wider() -> None:
    moves, carried = _asked(points(), "open-eyes", 1.0)
    assert moves.left_eye.upper < -0.15 and moves.right_eye.upper < -0.15 and moves.left_eye.lower < 0
    assert all(carried)


def test_eyes_that_are_shut_are_not_opened_by_their_lids() -> None:
    face = points(height=0.015)
    moves, carried = _asked(face, "open-eyes", 1.0)
    assert moves == NOTHING and not any(carried)
    upper = face[[parts.LEFT_EYE.upper[4]]]
    for shown, known in ((face, True), (points(), False)):
        assert Features.of(shown).shut(upper, upper - [0, 8]) == known
    assert not Features.of(face).shut(upper, upper - [0, -8]), "what shuts it"
    assert not Features.of(face).shut(upper - [0, 60], upper - [0, 70]), "a brow"


@pytest.mark.parametrize("gap", [0.0, 0.15])
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_open_mouth_takes_the_lower_lip_down_and_the_chin_along(gap: float, strength: float) -> None:
    moves, carried = _asked(points(gap=gap), "open-mouth", strength)
    assert moves.lips.lower == pytest.approx(0.25 * strength, rel=0.05) and carried == [True, True]


def test_close_mouth_lets_lips_meet() -> None:
    moves, carried = _asked(points(gap=0.15), "close-mouth", 1.0)
    assert moves.lips.upper - moves.lips.lower == pytest.approx(0.15, rel=0.05) and carried == [True, True]
    assert _asked(points(gap=0.0), "close-mouth", 1.0)[0].lips == Lips()


@pytest.mark.parametrize("gap", [0.0, 0.15])
def test_frown_takes_the_corners_down_and_lips_that_show_teeth_together(gap: float) -> None:
    face = points(gap=gap)
    features, landmarks = Features.of(face), _landmarks(face)
    landmarks[[48, 54]] = face[[61, 291]]
    handles, targets = np.moveaxis(place(load("frown"), Frame.of_face(landmarks)), 1, 0)
    moves, carried = features.asked(NOTHING, handles, targets)
    down = 0.07 + 0.4 * gap / 2  # the farther, the more the corners are above the lower lip's edge
    assert (moves.lips.left, moves.lips.right) == pytest.approx((down, down), rel=0.05)
    assert moves.lips.upper - moves.lips.lower == pytest.approx(gap, abs=0.01)
    held = ~carried
    assert carried[:2].all() and np.array_equal(handles[held], targets[held]), "nothing is the generator's"


def test_lips_that_nearly_meet_have_nothing_to_close_and_held_lips_are_the_generators() -> None:
    moves, carried = _asked(points(gap=0.006), "close-mouth", 1.0)
    assert moves.lips == Lips() and all(carried)
    lip = points()[parts.OUTER_LIP_LOWER[5]]
    assert _drag(points(), lip, lip) == (NOTHING, False)


def test_a_corner_goes_down_alone_comes_back_and_is_the_generators_upwards() -> None:
    face = points()
    corner = face[61]
    down, carried = _drag(face, corner, corner + np.array([0, 10]))
    assert carried and down.lips == Lips(left=pytest.approx(0.1, rel=0.02))
    back, carried = _drag(face, corner + np.array([0, 10]), corner, down)
    assert carried and back.lips.left == pytest.approx(0, abs=1e-6)
    assert _drag(face, corner, corner - [0, 10]) == (NOTHING, False)
    assert _drag(face, corner, corner + DOWN)[0].lips.left == pytest.approx(0.2)


@pytest.mark.parametrize("name", ["smile", "raise-brows", "slim-jaw", "longer-chin", "turn-left", "look-up"])
def test_other_recipes_are_the_generators(name: str) -> None:
    face = points()
    features, landmarks = Features.of(face), np.zeros((68, 2))
    landmarks[:] = _landmarks(face)
    landmarks[[48, 54, 30, 27]] = face[[61, 291, 1, 2]] + [[0, 0], [0, 0], [0, 60], [0, 20]]
    landmarks[17:27] = face[LEFT_BROW] - [0, 10]
    landmarks[0:8] = landmarks[8] - [70, 30]
    landmarks[9:17] = landmarks[8] + [70, -30]
    handles, targets = np.moveaxis(place(load(name), Frame.of_face(landmarks)), 1, 0)
    moves, carried = features.asked(NOTHING, handles, targets)
    assert moves == NOTHING and not carried.any()


LEFT_BROW = parts.LEFT_EYE.brow_lower[2]


def test_a_lid_dragged_onto_the_other_shuts_the_eye() -> None:
    face = points()
    upper, lower = (face[curve[4]] for curve in (parts.LEFT_EYE.upper, parts.LEFT_EYE.lower))
    shut = Moves(left_eye=Lids(1.0))
    assert _drag(face, upper, lower) == (shut, True)
    assert _drag(face, upper + np.array([2, -3]), lower + np.array([2, 1])) == (shut, True), (
        "a hand is not exact"
    )
    raised, carried = _drag(face, lower, upper)
    assert carried and raised.left_eye == Lids(0.0, 1.0)


def test_a_lid_goes_on_from_where_it_is() -> None:
    face = points()
    upper, lower = (face[curve[4]] for curve in (parts.LEFT_EYE.upper, parts.LEFT_EYE.lower))
    half = Moves(left_eye=Lids(0.5))
    middle = (upper + lower) / 2
    assert _drag(face, middle, lower, half) == (Moves(left_eye=Lids(1.0)), True)
    back, carried = _drag(face, middle, upper, half)
    assert carried and back.left_eye.upper == pytest.approx(0.0, abs=1e-3)
    assert _asked(face, "close-eyes", 1.0, half)[0] == Moves(Lids(1.0), Lids(1.0))


@pytest.mark.parametrize("way", [(6.0, 0.5), (0.1, 0.1)])
def test_a_lid_dragged_sideways_or_held_is_the_generators(way: tuple[float, float]) -> None:
    face = points()
    upper = face[parts.LEFT_EYE.upper[4]]
    assert _drag(face, upper, upper + way) == (NOTHING, False)


@pytest.mark.parametrize("index", [parts.CHIN, parts.LEFT_EYE.inner_corner, 2, 50])
def test_points_elsewhere_are_the_generators(index: int) -> None:
    face = points()
    assert _drag(face, face[index], face[index] + [0.0, 12.0]) == (NOTHING, False)


def test_lids_and_lips_go_no_farther_than_they_can() -> None:
    face = points(gap=0.1)
    upper, lip = face[parts.LEFT_EYE.upper[4]], face[parts.INNER_LIP_LOWER[5]]
    assert _drag(face, upper, upper - DOWN)[0].left_eye.upper == pytest.approx(-0.6)
    assert _drag(face, upper, upper + DOWN)[0].left_eye == Lids(1.0)
    assert _drag(face, lip, lip + DOWN)[0].lips.lower == pytest.approx(0.4)
    assert _drag(face, lip, lip - DOWN)[0].lips.lower == pytest.approx(-0.1, abs=1e-6)


def test_points_on_the_parts_go_where_these_go() -> None:
    face = points(roll=20.0)
    features = Features.of(face)
    moves = Moves(left_eye=Lids(1.0), lips=Lips(0.2))
    landmarks = _landmarks(face)
    moved = features.moved(moves, landmarks)
    down = (moved - landmarks) @ features.eyes[0].turn[1] / features.eyes[0].width
    assert moved[[37, 38]] == pytest.approx(face[[144, 153]], abs=1.0), "onto the lower lid"
    assert np.array_equal(moved[[43, 44, 46, 47]], landmarks[[43, 44, 46, 47]])
    assert down[57] == pytest.approx(20.0, rel=0.05) and 10 < down[8] < 16


def test_what_slid_is_covered_and_nothing_else() -> None:
    face = points(unit=50.0, centre=(100.0, 80.0))
    features, square = Features.of(face), Alignment(centre=(100, 100), side=200, angle=0)
    covered = features.covered(Moves(left_eye=Lids(1.0)), square, 200)
    x, y = face[parts.LEFT_EYE.pupil].astype(int)
    assert covered[y, x] > 0.99 and covered[:, 120:].max() == 0 and covered[150:].max() == 0
    assert features.covered(NOTHING, square, 200).max() == 0
