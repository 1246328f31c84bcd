"""A recipe's points on a face: the same edit on a tilted, larger or mirrored one."""

import numpy as np
import pytest

from alignment import Alignment
from alignment.names import position
from realedit.errors import UsageError
from realedit.recipes import Frame, Point, Recipe, frame_for, load, place, shipped, within
from realedit.recipes.placing import draggable
from tests.realedit.recipes.faces import landmarks, mirrored

FACE = landmarks()
SQUARE = Alignment(centre=(100, 100), side=200, angle=0)


def _recipe(*points: Point, **changes: object) -> Recipe:
    return Recipe(name="mine", description="", points=points, **changes)  # type: ignore[arg-type]


def test_a_movement_is_in_interocular_distances_right_and_up() -> None:
    recipe = _recipe(Point(at="nose.tip", move=(0.5, 0.1)))
    ((handle, target),) = place(recipe, Frame.of_face(FACE))
    assert handle == pytest.approx(position(FACE, "nose.tip"))
    assert target - handle == pytest.approx([25, -5]), "50 px between the eyes; y points down"


def test_strength_scales_and_turns_the_movement() -> None:
    frame, recipe = Frame.of_face(FACE), load("smile")
    full, half, back = (np.diff(place(recipe, frame, s), axis=1) for s in (1, 0.5, -1))
    assert half == pytest.approx(full / 2) and back == pytest.approx(-full)
    assert not np.diff(place(recipe, frame, 0), axis=1).any()


@pytest.mark.parametrize("name", shipped())
def test_a_recipe_follows_a_turned_and_enlarged_face(name: str) -> None:
    turn = Alignment(centre=(310.0, 40.0), side=75.0, angle=2.2)
    recipe = load(name)
    straight = place(recipe, Frame.of_face(FACE))
    turned = place(recipe, Frame.of_face(turn.to_photo(FACE, 200)))
    expected = turn.to_photo(straight.reshape(-1, 2), 200).reshape(-1, 2, 2)
    assert turned == pytest.approx(expected)


@pytest.mark.parametrize(
    "name",
    sorted(
        set(shipped()) - {"tilt-left", "tilt-right", "turn-left", "turn-right", "wink-left", "wink-right"}
    ),
)
def test_a_symmetric_recipe_does_the_same_to_a_mirrored_face(name: str) -> None:
    face = FACE + np.random.default_rng(1).normal(0, 1, FACE.shape)
    here = place(load(name), Frame.of_face(face))
    there = place(load(name), Frame.of_face(mirrored(face, 200)))
    there[..., 0] = 200 - there[..., 0]
    order = [np.lexsort(each[:, 0].round(6).T) for each in (here, there)]
    assert here[order[0]] == pytest.approx(there[order[1]])


def test_a_wink_is_the_other_one_of_a_mirrored_face() -> None:
    here = place(load("wink-left"), Frame.of_face(FACE))
    there = place(load("wink-right"), Frame.of_face(mirrored(FACE, 200)))
    there[..., 0] = 200 - there[..., 0]
    assert here == pytest.approx(there)


def test_points_between_two_landmarks_and_beside_them() -> None:
    frame = Frame.of_face(FACE)
    eyes = ("left_eye.centre", "right_eye.centre")
    left, right = (position(FACE, name) for name in eyes)
    assert frame.handle(Point(at=eyes, move=(0, 0))) == pytest.approx((left + right) / 2)
    assert frame.handle(Point(at=eyes, share=-0.5, move=(0, 0))) == pytest.approx(left - (right - left) / 2)
    beside = Point(at="68:8", offset=(0.2, -0.4), move=(0, 0))
    assert frame.handle(beside) == pytest.approx(FACE[8] + (10, 20))


def test_a_point_goes_a_share_of_the_way_to_a_landmark() -> None:
    recipe = _recipe(Point(at="left_eye.upper_lid", toward="left_eye.lower_lid", way=0.5, move=(0.1, 0)))
    ((handle, target),) = place(recipe, Frame.of_face(FACE))
    assert target - handle == pytest.approx([5, 3.5]), "the lids are 7 px apart"
    ((handle, target),) = place(recipe, Frame.of_face(FACE), -1)
    assert target - handle == pytest.approx([-5, -3.5])


def test_a_level_point_goes_only_up_or_down_on_its_way_to_a_landmark() -> None:
    point = Point(at="mouth.left_corner", toward="mouth.lower_lip_inner", way=0.5, level=True)
    frame = Frame.of_face(FACE)
    whole = frame.units(frame.movement(Point(at=point.at, toward=point.toward, way=0.5)))
    assert whole[0] != pytest.approx(0)
    assert frame.units(frame.movement(point)) == pytest.approx((0, whole[1]))


@pytest.mark.parametrize(("way", "left"), [(-0.2, -0.06), (-0.14, 0.0), (-0.04, 0.0), (0.1, 0.1)])
def test_what_is_apart_already_goes_only_the_rest(way: float, left: float) -> None:
    frame = Frame.of_face(FACE)
    point = Point(at="left_eye.lower_lid", move=(0.0, way), apart_from="left_eye.upper_lid")
    apart = frame.units(frame.handle(point) - position(FACE, "left_eye.upper_lid"))
    assert apart == pytest.approx([0, -0.14]), "the lids are 7 of 50 px apart"
    found = frame.units(frame.movement(point))
    assert found == pytest.approx([0, left], abs=1e-9)


def test_a_movement_that_leaves_the_square_or_the_photo_ends_at_its_edge() -> None:
    points = np.array(
        [[[100, 180], [110, 240]], [[20, 20], [30, 30]], [[5, 5], [5, 5]], [[10, 50], [-10, 50]]]
    )
    inside = within(points.astype(float), SQUARE, (200, 200))
    assert inside[0, 1] == pytest.approx([100 + 10 * 17 / 60, 197]), "along its way"
    assert inside[3, 1] == pytest.approx([3, 50])
    cut = within(points.astype(float), SQUARE, (200, 190))
    assert cut[0, 1] == pytest.approx([100 + 10 / 6, 190]), "the photo ends there"
    assert np.array_equal(inside[1:3], points[1:3]) and np.array_equal(inside[:, 0], points[:, 0])


@pytest.mark.parametrize(
    ("chin", "useful"),
    [((100, 170), [True, True]), ((100, 195), [True, False]), ((100, 201), [True, False])],
)
def test_a_chin_at_or_past_the_edge_does_not_hold_the_mouth_back(
    chin: tuple[float, float], useful: list[bool]
) -> None:
    asked = np.array([[(100, 140), (100, 150)], [chin, (chin[0], chin[1] + 10)]], float)
    points = within(asked, SQUARE, (200, 300))
    assert draggable(asked, points, SQUARE, (200, 300)).tolist() == useful
    assert draggable(asked[1:], points[1:], SQUARE, (200, 300)).tolist() == [chin[1] <= 200], (
        "there is no other"
    )


@pytest.mark.parametrize(
    ("edge", "useful"),
    [(300, [True, True]), (168, [True, False]), (165, [True, False]), (138, [False, False])],
)
def test_a_handle_that_the_frame_cuts_off_is_left_out(edge: int, useful: list[bool]) -> None:
    """A mouth that opens, and the chin that the photo ends above."""
    asked = np.array([[(100, 140), (100, 150)], [(100, 170), (100, 180)]], float)
    points = within(asked, SQUARE, (200, edge))
    assert draggable(asked, points, SQUARE, (200, edge)).tolist() == useful


def test_units_turn_pixels_back_into_what_a_recipe_says() -> None:
    frame = Frame.of_face(Alignment(centre=(9, 4), side=30, angle=1).to_photo(FACE, 200))
    assert frame.units(frame.vector((0.3, -0.7))) == pytest.approx([0.3, -0.7])


def test_without_landmarks_points_are_shares_of_the_box() -> None:
    recipe = _recipe(Point(at=(0.25, 0.75), move=(0.1, 0.2)), units="box")
    ((handle, target),) = place(recipe, frame_for(recipe, None, SQUARE, "cat"))
    assert handle == pytest.approx([50, 150]) and target == pytest.approx([70, 110])


def test_a_recipe_that_does_not_suit_the_model_is_refused() -> None:
    with pytest.raises(UsageError, match=r"smile.*landmarks.*cat"):
        frame_for(load("smile"), None, SQUARE, "cat")
    with pytest.raises(UsageError, match="models that draw dog, not cat"):
        frame_for(_recipe(Point(at=(0.5, 0.5), move=(0, 0)), units="box", domain="dog"), None, SQUARE, "cat")
    with pytest.raises(UsageError, match="fall together"):
        Frame.of_face(np.full((68, 2), 3.0))


def test_turning_left_is_turning_right_in_the_mirror() -> None:
    here = place(load("turn-left"), Frame.of_face(FACE))
    there = place(load("turn-right"), Frame.of_face(mirrored(FACE, 200)))
    there[..., 0] = 200 - there[..., 0]
    assert here == pytest.approx(there)
