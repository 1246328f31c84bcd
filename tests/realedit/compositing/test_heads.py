"""Heads that turn: as a solid does, within their outline, and nothing behind them moves."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from alignment import Alignment
from realedit.compositing.flow import jacobian
from realedit.compositing.heads import MOST, SIZE, Head, Turn, spline
from realedit.compositing.paste import paste
from realedit.perception.points import FACE_OVAL, NOSE_TIP
from realedit.perception.weights import bundled
from realedit.photos import Photo
from tests.realedit.samples import photo_of

UNIT = 60.0  # photo pixels
MIDDLE = np.array([210.0, 200.0])
FACE = Alignment(centre=(210.0, 215.0), side=4 * UNIT, angle=0.0)
LEFT, RIGHT, UP, DOWN = Turn(yaw=-15), Turn(yaw=15), Turn(pitch=-10), Turn(pitch=10)
TURNS = [LEFT, DOWN, Turn(12, -7), Turn(-MOST, MOST)]


def points(turn: Turn = Turn()) -> NDArray[np.float64]:  # noqa: B008
    """The mean face, turned, in the photo `[478, 2]`."""
    shape = bundled().shape * (1, 1, -1)
    return np.asarray((shape @ turn.matrix.T)[:, :2] * UNIT + MIDDLE)


def head(turn: Turn = Turn(), *, glasses: float = 0.0) -> Head:  # noqa: B008
    return Head.of(points(turn), FACE, bundled().shape, glasses=glasses)


def matte(of: Head, *, wide: float = 1.5) -> NDArray[np.float32]:
    """An oval head, and shoulders."""
    drawn = np.zeros((SIZE, SIZE), np.uint8)
    x, y = of.points[list(FACE_OVAL), :2].mean(axis=0)
    axes = (round(wide * of.unit), round(2.1 * of.unit))
    cv2.ellipse(drawn, (round(x), round(y - 0.2 * of.unit)), axes, 0, 0, 360, 1, -1)
    cv2.rectangle(drawn, (round(x - of.unit), round(y)), (round(x + of.unit), SIZE), 1, -1)
    return drawn.astype(np.float32)


def wall(size: tuple[int, int] = (420, 430)) -> Photo:
    """Straight lines on a wall, a face of noise in front of them."""
    pixels = np.full((size[1], size[0], 3), 200, np.uint8)
    pixels[::7], pixels[:, ::11] = 90, 40
    hull = cv2.convexHull(np.rint(points()[list(FACE_OVAL)]).astype(np.int32))
    face = cv2.fillConvexPoly(np.zeros(pixels.shape[:2], np.uint8), hull, 1) > 0
    noise = np.random.default_rng(0).integers(60, 200, (size[1], size[0], 3), np.uint8)
    pixels[face] = cv2.GaussianBlur(noise, (0, 0), 2)[face]
    return photo_of(pixels)


@pytest.mark.parametrize("turn", TURNS)
def test_a_turn_turns_the_face_as_a_solid(turn: Turn) -> None:
    straight = head()
    about = straight.square.to_photo([straight.axis], SIZE)[0]
    expected = points(turn) + about - _axis_of(turn)
    moved = straight.turned(turn, points())
    rigid = [NOSE_TIP, 61, 291, 152, 10]  # the eyes lie in one plane
    assert np.abs(moved - expected)[rigid].max() < 0.05 * UNIT


def _axis_of(turn: Turn) -> NDArray[np.float64]:
    from realedit.compositing.heads import AXIS

    return np.asarray((np.array(AXIS) * (1, 1, -1) @ turn.matrix.T)[:2] * UNIT + MIDDLE)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("wide", [1.25, 2.2])
def test_what_is_behind_keeps_its_bits_and_lines_stay_straight(turn: Turn, wide: float) -> None:
    photo, of = wall(), head()
    person = matte(of, wide=wide)
    result = paste(photo, of.change(turn, person), of.square)
    small = cv2.warpAffine(
        person,
        of.square.matrix(SIZE),
        (photo.width, photo.height),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
    )
    behind = cv2.dilate(small, np.ones((5, 5), np.uint8)) == 0
    assert behind.any() and (result.view() != photo.view()).any()
    assert np.array_equal(result.view()[behind], photo.view()[behind])


def test_shoulders_keep_their_bits() -> None:
    photo, of = wall(), head()
    result = paste(photo, of.change(RIGHT, matte(of)), of.square)
    chin = int(points()[:, 1].max())
    assert np.array_equal(
        result.view()[chin + round(0.75 * UNIT) :], photo.view()[chin + round(0.75 * UNIT) :]
    )


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("before", [Turn(), Turn(yaw=18), Turn(-14, 8, 10)])
def test_nothing_folds_whichever_way_the_head_looked(before: Turn, turn: Turn) -> None:
    of = head(before)
    assert jacobian(of.flow(turn, matte(of))).min() > 0.05


def test_a_mirrored_head_turns_the_other_way() -> None:
    of = head()
    person = matte(of)
    flow, other = of.flow(LEFT, person), of.flow(RIGHT, person[:, ::-1])
    axis = 2 * of.axis[0] - SIZE  # the head is not in the very middle
    assert abs(axis) < 1
    apart = np.abs(flow[:, ::-1] * (-1, 1) - other)[person[:, ::-1] > 0]
    assert np.quantile(apart, 0.99) < 0.03 * of.unit


@pytest.mark.parametrize("turn", [LEFT, RIGHT, UP, DOWN])
def test_frames_of_glasses_stay_straight(turn: Turn) -> None:
    of = head(glasses=1.0)
    flow = of.flow(turn, matte(of))
    eyes = of.points[[33, 133, 362, 263], :2].mean(axis=0)
    for height in (-0.2, 0.0, 0.2):
        across = eyes + np.stack([np.linspace(-0.7, 0.7, 40), np.full(40, height)], 1) * of.unit
        start = _sources(flow, across)  # a straight line of the turned head comes from ...
        line = np.polyfit(start[:, 0], start[:, 1], 1)
        assert np.abs(start[:, 1] - np.polyval(line, start[:, 0])).max() < 0.02 * of.unit
        steps = np.diff(
            start[:, 0]
        )  # the lens on the side that comes to the front becomes wider, within limits
        assert steps.min() > 0.6 * np.median(steps) and steps.max() < 1.25 * np.median(steps)


def _sources(flow: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y = (places[:, i].astype(np.float32) - np.float32(0.5) for i in (0, 1))
    found = cv2.remap(flow, x[None], y[None], cv2.INTER_LINEAR)[0]
    return np.asarray(places + found, np.float64)


@pytest.mark.parametrize("before", [Turn(), LEFT, Turn(8, -6)])
def test_points_go_with_the_head_and_back(before: Turn) -> None:
    of = head()
    there = of.turned(before, points())
    assert np.median(np.abs(of.unturned(before, there) - points())) < 0.01 * UNIT


@pytest.mark.parametrize("turn", [LEFT, DOWN, Turn(10, 6), Turn(-12, -5)])
def test_points_that_go_as_a_head_does_say_how_far(turn: Turn) -> None:
    of, own = head(), points()[[NOSE_TIP, 61, 291, 152]]
    found = of.asked(Turn(), own, of.turned(turn, own))
    assert found is not None
    assert (found.yaw, found.pitch) == pytest.approx((turn.yaw, turn.pitch), abs=0.3)
    again = of.asked(turn, of.turned(turn, own), own)
    assert again is not None and abs(again.yaw) < 0.6 and abs(again.pitch) < 0.6


def test_one_point_alone_turns_the_head() -> None:
    nose = points()[[NOSE_TIP]]
    found = head().asked(Turn(), nose, nose + np.array([0.35 * UNIT, 0]))
    assert found is not None and 8 < found.yaw < 16 and abs(found.pitch) < 2


def test_points_that_go_apart_or_lie_beside_the_face_are_no_turn() -> None:
    of, own = head(), points()
    corners = own[[61, 291]]
    assert of.asked(Turn(), corners, corners + np.array([[-0.2 * UNIT, 0], [0.2 * UNIT, 0]])) is None
    beside = own[[10]] - [0, UNIT]
    assert of.asked(Turn(), beside, beside + np.array([0.2 * UNIT, 0])) is None


def test_turns_add_up_to_what_a_photo_can_show() -> None:
    assert Turn(10, -5).plus(3, 1, 0.5) == Turn(13, -4, 0.5)
    assert Turn(10).plus(50, -50, 0) == Turn(MOST, -MOST)


def test_a_head_that_looks_away_turns_no_farther_from_the_camera() -> None:
    away = head(Turn(yaw=22))
    assert away.facing == pytest.approx(22, abs=1)
    assert away.farther(Turn(), 15, 3, 0).yaw == pytest.approx(30 - away.facing)
    assert away.farther(Turn(), -15, 3, 0) == Turn(-15, 3)
    assert head(Turn(yaw=-40)).farther(Turn(), -15, 0, 0) == Turn()


def test_the_spline_goes_through_its_points_and_is_exact_on_planes() -> None:
    rng = np.random.default_rng(0)
    known, wanted = rng.normal(size=(30, 2)), rng.normal(size=(10, 2))
    plane = spline(known, known @ [2.0, -1.0] + 3, wanted)
    assert plane == pytest.approx(wanted @ [2.0, -1.0] + 3)
    values = rng.normal(size=30)
    assert spline(known, values, known, stiff=0.0) == pytest.approx(values, abs=1e-6)
