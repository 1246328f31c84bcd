import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignment.errors import AlignmentError
from alignment.geometry import (
    Alignment,
    as_points,
    box_square,
    centred_square,
    crop_to_cells,
    ffhq_square,
    index_affine,
)

alignments = st.builds(
    Alignment,
    centre=st.tuples(st.floats(-2000, 12000), st.floats(-2000, 12000)),
    side=st.floats(8, 12000),
    angle=st.floats(-4, 4),
)
sizes = st.sampled_from([64, 128, 256, 1024, 100.5])
points = st.lists(st.tuples(st.floats(-12000, 12000), st.floats(-12000, 12000)), min_size=1, max_size=8)


@given(alignments, sizes, points)
def test_a_point_comes_back_from_the_crop(alignment: Alignment, size: float, where: list) -> None:
    back = alignment.to_photo(alignment.to_crop(where, size), size)
    assert np.abs(back - np.array(where)).max() < 0.01


@given(alignments, sizes, points)
def test_the_matrix_is_the_mapping(alignment: Alignment, size: float, where: list) -> None:
    matrix = alignment.matrix(size)
    mapped = np.array(where) @ matrix[:, :2].T + matrix[:, 2]
    expected = alignment.to_crop(where, size)
    assert np.allclose(mapped, expected, rtol=1e-9, atol=1e-5)


@given(alignments, sizes)
def test_it_is_a_similarity_without_mirror(alignment: Alignment, size: float) -> None:
    linear = alignment.matrix(size)[:, :2]
    assert np.allclose(linear @ linear.T, np.eye(2) * alignment.scale(size) ** 2, rtol=1e-9)
    assert np.linalg.det(linear) > 0


@given(alignments)
def test_json_gives_back_the_same_value(alignment: Alignment) -> None:
    assert Alignment.from_dict(json.loads(json.dumps(alignment.to_dict()))) == alignment


@pytest.mark.parametrize(
    "damage",
    [
        {"centre": [1.0]},
        {"centre": "ab"},
        {"side": 0},
        {"side": -3.0},
        {"side": float("nan")},
        {"angle": float("inf")},
        {"angle": None},
        {"side": "3"},
        {"extra": 1},
    ],
)
def test_a_damaged_form_is_refused(damage: dict) -> None:
    good = Alignment(centre=(1, 2), side=3, angle=0.5).to_dict()
    with pytest.raises(ValueError, match="Not an alignment"):
        Alignment.from_dict({**good, **damage})
    with pytest.raises(ValueError, match="Not an alignment"):
        Alignment.from_dict({"centre": [1, 2]})


def test_corners_go_round_from_the_top_left() -> None:
    upright = Alignment(centre=(10, 20), side=4, angle=0)
    assert np.allclose(upright.corners(), [(8, 18), (12, 18), (12, 22), (8, 22)])
    # A head whose x axis points down the photo lies on its right side.
    turned = Alignment(centre=(10, 20), side=4, angle=math.pi / 2)
    assert np.allclose(turned.corners(), [(12, 18), (12, 22), (8, 22), (8, 18)])


def test_contains_includes_the_border() -> None:
    square = Alignment(centre=(10, 20), side=4, angle=0)
    assert square.contains([(8, 18), (12, 22), (10, 20), (7.9, 20), (10, 22.1)]).tolist() == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert square.contains([]).tolist() == []


def test_index_affine_moves_the_origin_to_pixel_centres() -> None:
    matrix = Alignment(centre=(50, 40), side=30, angle=0.3).matrix(90)
    index = index_affine(matrix)
    where = np.array([12.0, 7.0])  # an index; its pixel's centre is at +0.5
    assert np.allclose(index[:, :2] @ where + index[:, 2], matrix[:, :2] @ (where + 0.5) + matrix[:, 2] - 0.5)


def face_landmarks(eye_distance: float, mouth_drop: float) -> np.ndarray:
    landmarks = np.zeros((68, 2))
    landmarks[36:42] = (-eye_distance / 2, 0)
    landmarks[42:48] = (eye_distance / 2, 0)
    landmarks[48], landmarks[54] = (-10, mouth_drop), (10, mouth_drop)
    return landmarks


@pytest.mark.parametrize(("eyes", "drop", "side"), [(60, 50, 240), (40, 80, 288)])
def test_the_ffhq_square_follows_the_paper(eyes: float, drop: float, side: float) -> None:
    square = ffhq_square(face_landmarks(eyes, drop) + np.array([300, 200]))
    assert square.side == pytest.approx(side)
    assert square.centre == pytest.approx((300, 200 + 0.1 * drop))
    assert square.angle == pytest.approx(0)


@given(alignments)
def test_the_ffhq_square_turns_with_the_face(alignment: Alignment) -> None:
    upright = ffhq_square(face_landmarks(60, 50))
    moved = ffhq_square(alignment.to_photo(face_landmarks(60, 50), 100))
    assert moved.side == pytest.approx(upright.side * alignment.side / 100)
    assert math.cos(moved.angle - alignment.angle) == pytest.approx(1)
    assert moved.centre == pytest.approx(tuple(alignment.to_photo(upright.centre, 100)[0]), abs=1e-6)


def test_landmarks_that_fall_together_are_no_face() -> None:
    with pytest.raises(AlignmentError, match="do not form a face"):
        ffhq_square(np.full((68, 2), 7.0))
    with pytest.raises(ValueError, match="68 landmarks"):
        ffhq_square(np.zeros((5, 2)))


def test_a_box_becomes_the_square_around_it() -> None:
    assert box_square((10, 20, 40, 30)) == Alignment(centre=(25, 25), side=30, angle=0)
    for empty in [(10, 20, 10, 30), (40, 20, 10, 30), (0, 0, math.inf, 10)]:
        with pytest.raises(AlignmentError, match="is empty"):
            box_square(empty)


def test_the_centred_square_touches_the_nearer_edges() -> None:
    assert np.allclose(centred_square(300, 200).corners(), [(50, 0), (250, 0), (250, 200), (50, 200)])
    with pytest.raises(ValueError, match="at least one pixel"):
        centred_square(0, 5)


def test_cells_count_their_centres_at_a_half() -> None:
    assert np.allclose(crop_to_cells([(4, 4), (12, 60)], 64, 8), [(0.5, 0.5), (1.5, 7.5)])


def test_points_have_two_columns() -> None:
    assert as_points((3, 4)).shape == (1, 2)
    with pytest.raises(ValueError, match=r"\[N, 2\]"):
        as_points([1, 2, 3])
