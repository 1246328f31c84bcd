import numpy as np
import pytest

from alignment.detection import Box, FaceDetector, HogDetector, distinct, overlap, scaled_copy
from alignment.faces import Face

HOG = HogDetector(size=800, turns=(0, 1, 2, 3))


def test_a_face_is_found_where_it_is(astronaut: np.ndarray, face: Face) -> None:
    (box,) = HogDetector()(astronaut)
    assert box.turn == 0
    assert face.alignment.contains([box.centre]).all()
    assert 80 < box.side < 110


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_face_is_found_in_a_photo_that_lies_on_its_side(
    astronaut: np.ndarray, face: Face, turns: int
) -> None:
    (box,) = HOG(np.ascontiguousarray(np.rot90(astronaut, turns)))
    assert box.turn == (4 - turns) % 4
    x, y = face.box.centre
    for _ in range(turns):
        x, y = y, 512 - x
    assert np.hypot(box.centre[0] - x, box.centre[1] - y) < 10


def test_cloth_that_looks_a_little_like_a_face_is_not_one(astronaut: np.ndarray) -> None:
    # The folds of the spacesuit give HOG a weak detection at twice the size.
    assert len(FaceDetector()(astronaut)) == 1


def test_a_photo_without_faces_has_none() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    assert HOG(noise) == []
    assert HOG(np.zeros((1, 1, 3), np.uint8)) == []


def test_the_copy_that_is_searched_is_bounded() -> None:
    copy, (x, y) = scaled_copy(np.zeros((3000, 4001, 3), np.uint8), 1600)
    assert copy.shape == (1200, 1600, 3)
    assert (x, y) == (4001 / 1600, 2.5)
    assert scaled_copy(np.zeros((100, 50, 3), np.uint8), 1600)[0].shape == (200, 100, 3)


def test_of_boxes_on_one_face_the_surest_is_kept() -> None:
    a, b = Box(0, 0, 10, 10, 0.5), Box(1, 1, 11, 11, 2.0, turn=2)
    c = Box(30, 0, 40, 10, 0.1)
    assert distinct([a, b, c]) == [b, c]
    assert overlap(a, a) == 1
    assert overlap(a, c) == 0
    assert overlap(a, b) == pytest.approx(81 / 119)
