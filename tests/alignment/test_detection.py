import numpy as np
import pytest

from alignment import detection
from alignment.detection import Box, CnnDetector, FaceDetector, HogDetector, distinct, overlap, scaled_copy
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


def test_the_cnn_finds_the_face_too(astronaut: np.ndarray, face: Face) -> None:
    (box,) = CnnDetector(size=440)(np.ascontiguousarray(np.rot90(astronaut)))
    assert box.turn is None
    x, y = face.box.centre[1], 512 - face.box.centre[0]
    assert np.hypot(box.centre[0] - x, box.centre[1] - y) < 15


def test_the_cnn_is_asked_only_when_hog_finds_nothing(
    astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def cnn(size: int, models: object = None) -> object:
        looks.append(size)
        return lambda pixels: []

    monkeypatch.setattr(detection, "CnnDetector", cnn)
    assert len(FaceDetector()(astronaut)) == 1
    assert looks == []
    assert FaceDetector()(np.zeros((900, 1000, 3), np.uint8)) == []
    assert looks == [800, 1200]
    looks.clear()
    assert FaceDetector()(np.zeros((300, 200, 3), np.uint8)) == []
    assert looks == [800]  # a small photo is enlarged by 2 at the most, which the first look has done


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
