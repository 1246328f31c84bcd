import cv2
import numpy as np
import pytest

from alignment.detection import Box, HogDetector
from alignment.faces import Face, find_faces
from alignment.geometry import Alignment, index_affine
from alignment.landmarks import find_landmarks

TURNED = HogDetector(size=800, turns=(0, 1, 3))


def moved(photo: np.ndarray, alignment: Alignment, size: int) -> np.ndarray:
    """The photo seen through a similarity, grey around it."""
    matrix = index_affine(alignment.matrix(size))
    flags = cv2.INTER_AREA if alignment.scale(size) < 1 else cv2.INTER_CUBIC
    return cv2.warpAffine(photo, matrix, (size, size), flags=flags, borderValue=(128, 128, 128))


@pytest.mark.parametrize("degrees", [-90, -60, -30, 10, 30, 60, 90])
def test_landmarks_stay_on_the_face_when_the_head_tilts(
    astronaut: np.ndarray, face: Face, degrees: float
) -> None:
    alignment = Alignment(centre=(256, 256), side=740, angle=np.radians(degrees))
    (tilted,) = find_faces(moved(astronaut, alignment, 740), detector=TURNED)
    expected = alignment.to_crop(face.landmarks, 740)
    apart = np.linalg.norm(tilted.landmarks - expected, axis=1).mean()
    assert apart < 0.012 * face.alignment.side


@pytest.mark.parametrize("size", [1200, 3000])
def test_landmarks_scale_with_the_photo(astronaut: np.ndarray, face: Face, size: int) -> None:
    alignment = Alignment(centre=(256, 256), side=512, angle=0)
    (large,) = find_faces(moved(astronaut, alignment, size), detector=TURNED)
    back = alignment.to_photo(large.landmarks, size)
    assert np.linalg.norm(back - face.landmarks, axis=1).mean() < 0.006 * face.alignment.side


def test_landmarks_are_named_from_the_viewers_left(face: Face) -> None:
    where = face.landmarks
    assert where.shape == (68, 2)
    assert where.dtype == np.float64
    left_eye, right_eye = where[36:42].mean(axis=0), where[42:48].mean(axis=0)
    assert left_eye[0] < right_eye[0]
    assert where[48, 0] < where[54, 0]
    assert where[0, 0] < where[8, 0] < where[16, 0]
    assert where[8, 1] > where[57, 1] > where[51, 1] > where[30, 1] > left_eye[1] > where[19, 1]


def test_grey_photos_work(astronaut: np.ndarray, face: Face) -> None:
    grey = np.repeat(cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    (found,) = find_faces(grey, detector=TURNED)
    assert np.linalg.norm(found.landmarks - face.landmarks, axis=1).mean() < 0.006 * face.alignment.side


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_which_way_up_a_face_is_need_not_be_known(astronaut: np.ndarray, face: Face, turns: int) -> None:
    alignment = Alignment(centre=(256, 256), side=512, angle=turns * np.pi / 2)
    photo = np.ascontiguousarray(np.rot90(astronaut, turns))
    corners = alignment.to_crop([(face.box.left, face.box.top), (face.box.right, face.box.bottom)], 512)
    box = Box(*corners.min(axis=0), *corners.max(axis=0), score=1.0)
    found = find_landmarks(photo, box)
    apart = np.linalg.norm(found - alignment.to_crop(face.landmarks, 512), axis=1).mean()
    assert apart < 0.006 * face.alignment.side
