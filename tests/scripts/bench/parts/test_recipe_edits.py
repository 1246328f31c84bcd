import cv2
import numpy as np
import pytest
from bench.parts.recipe_edits import Result, found, gap, shows_inside, warp

from realedit.recipes import Frame, load, place
from tests.realedit.recipes.faces import landmarks

LANDMARKS = 4 * landmarks()
LIPS, SKIN = (170, 90, 90), (220, 180, 160)


def mouth(inside: tuple[int, int, int], opened: float) -> tuple[np.ndarray, np.ndarray]:
    """A picture of a mouth whose lower lip went down by `opened` interocular distances, and its landmarks."""
    points = LANDMARKS.copy()
    points[[55, 56, 57, 58, 59, 65, 66, 67], 1] += opened * float(np.linalg.norm(Frame.of_face(points).right))
    size = int(points.max()) + 20
    picture = np.full((size, size, 3), SKIN, np.uint8)
    for numbers, colour in ((range(48, 60), LIPS), (range(60, 68), inside)):
        cv2.fillPoly(picture, [np.rint(points[numbers]).astype(np.int32)], colour)
    return picture, points


@pytest.mark.parametrize(
    ("inside", "opened", "shown"),
    [
        ((40, 10, 10), 0.2, True),
        ((235, 225, 215), 0.2, True),
        (LIPS, 0.2, False),
        ((40, 10, 10), 0.05, False),
    ],
)
def test_the_inside_of_a_mouth_is_dark_or_teeth_between_lips_that_came_apart(
    inside: tuple[int, int, int], opened: float, shown: bool
) -> None:
    picture, points = mouth(inside, opened)
    assert shows_inside(picture, LANDMARKS, points) is shown
    assert gap(points, LANDMARKS) - gap(LANDMARKS, LANDMARKS) == pytest.approx(opened, abs=1e-6)


def test_half_of_the_asked_movement_is_found_as_a_half() -> None:
    recipe = load("smile")
    frame = Frame.of_face(LANDMARKS)
    moved = LANDMARKS.copy()
    for number, point in zip((48, 54), recipe.points[:2], strict=True):
        moved[number] += 0.5 * frame.movement(point)
    assert found(recipe, LANDMARKS, moved) == pytest.approx(0.5)


def test_a_recipe_that_no_landmark_sees_has_no_found() -> None:
    assert np.isnan(found(load("hair-volume"), LANDMARKS, LANDMARKS))


def test_the_warp_brings_a_handle_to_its_target_and_leaves_what_is_far() -> None:
    points = place(load("smile"), Frame.of_face(LANDMARKS))
    size = int(LANDMARKS.max()) + 200
    picture = np.full((size, size, 3), 30, np.uint8)
    column, row = np.floor(points[0, 0]).astype(int)
    picture[row - 3 : row + 4, column - 3 : column + 4] = 250
    warped = warp(picture, points, LANDMARKS)
    column, row = np.floor(points[0, 1]).astype(int)
    assert warped[row, column, 0] > 200
    assert np.array_equal(warped[:20], picture[:20])


@pytest.mark.parametrize(
    ("share", "identity", "good"),
    [(0.5, 0.35, True), (0.49, 0.1, False), (0.9, 0.36, False), (float("nan"), 0.2, True)],
)
def test_a_good_edit_moves_half_and_keeps_the_person(share: float, identity: float, good: bool) -> None:
    result = Result(
        photo="a", recipe="smile", digest="d", model_sha256="m", quality="draft", found=share,
        identity=identity, warp_found=0.5, warp_identity=0.3, gaps=(0.0, 0.1), inside=True, warp_inside=False,
        ending="arrived", seconds=1.0,
    )  # fmt: skip
    assert result.good is good and not result.parted
