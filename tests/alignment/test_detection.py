from typing import Any

import cv2
import numpy as np
import pytest

from alignment.detection import (
    Box,
    CnnDetector,
    FaceDetector,
    HogDetector,
    boxes_around,
    distinct,
    overlap,
    scaled_copy,
)
from alignment.faces import Face
from alignment.models import face_models

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


class _Counted:
    """dlib's models, but a CNN that sees nothing and counts the pixels it looks at."""

    def __init__(self) -> None:
        self.seen = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(face_models(), name)

    def cnn(self, pixels: np.ndarray, upsample: int) -> list[Any]:
        self.seen += pixels.shape[0] * pixels.shape[1]
        return []


@pytest.mark.parametrize("shape", [(1500, 2000), (2000, 2000), (300, 4000)])
def test_the_cnn_looks_at_few_pixels_however_large_the_photo_is(shape: tuple[int, int]) -> None:
    """A photo without a face is told within seconds: the CNN takes a second for 200,000 pixels."""
    models = _Counted()
    assert FaceDetector(models)(np.zeros((*shape, 3), np.uint8)) == []  # type: ignore[arg-type]
    assert 0 < models.seen < 700_000
    models.seen = 0
    assert list(boxes_around(np.zeros((*shape, 3), np.uint8), (5, 5), models)) == []  # type: ignore[arg-type]
    assert 0 < models.seen < 450_000


def test_small_faces_are_the_cnns_only_where_no_other_was_found(astronaut: np.ndarray) -> None:
    models = _Counted()
    assert len(FaceDetector(models)(astronaut)) == 1  # type: ignore[arg-type]
    assert models.seen < 300_000


def _cut(
    photo: np.ndarray, face: Face, *, left: float, top: float, right: float, bottom: float
) -> np.ndarray:
    """The part of a photo between these places of the face's square."""
    x0, y0, x1, y1 = np.concatenate(face.alignment.to_photo([(left, top), (right, bottom)], 1)).astype(int)
    return np.ascontiguousarray(photo[max(0, y0) : y1, max(0, x0) : x1])


@pytest.mark.parametrize(
    "part",
    [
        {"left": -0.5, "top": -0.4, "right": 1.5, "bottom": 0.78},
        {"left": -0.5, "top": 0.46, "right": 1.5, "bottom": 1.5},
        {"left": -0.8, "top": -0.4, "right": 0.62, "bottom": 1.4},
        {"left": 0.42, "top": -0.4, "right": 1.8, "bottom": 1.4},
    ],
    ids=["chin", "brows", "right", "left"],
)
def test_a_face_that_the_frame_cuts_is_found(
    part: dict[str, float], astronaut: np.ndarray, face: Face
) -> None:
    boxes = FaceDetector()(_cut(astronaut, face, **part))
    assert len(boxes) == 1, boxes


def test_a_large_face_cut_by_the_frame_is_found_beside_a_whole_one(astronaut: np.ndarray, face: Face) -> None:
    near = cv2.resize(_cut(astronaut, face, left=0.3, top=-0.3, right=1.2, bottom=1.3), None, fx=2.5, fy=2.5)
    far = np.full((near.shape[0], 700, 3), 90, np.uint8)
    far[: astronaut.shape[0], :512] = astronaut[: near.shape[0]]
    boxes = FaceDetector()(np.hstack([near, far]))
    assert len(boxes) == 2
    assert max(box.side for box in boxes) > 1.8 * min(box.side for box in boxes)


def test_a_face_behind_sunglasses_is_found_beside_another(astronaut: np.ndarray, face: Face) -> None:
    dark = astronaut.copy()
    for x in (0.37, 0.63):
        centre = face.alignment.to_photo([(x, 0.48)], 1)[0].astype(int).tolist()
        cv2.ellipse(
            dark, (centre, (face.alignment.side * 0.22, face.alignment.side * 0.17), 0), (15, 15, 20), -1
        )
    assert len(FaceDetector()(np.hstack([astronaut, dark]))) == 2


def test_mirror_images_beyond_the_frame_are_no_faces(astronaut: np.ndarray, face: Face) -> None:
    x, y = (int(at) for at in face.alignment.to_photo([(0.02, 0.05)], 1)[0])
    boxes = FaceDetector()(np.ascontiguousarray(astronaut[max(0, y) :, x:]))
    assert len(boxes) == 1


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
