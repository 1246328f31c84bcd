"""How sure a face is: clear ones, and those that are covered, blurred, turned away or cut."""

import cv2
import numpy as np
import pytest

from alignment import Face, find_faces
from alignment.certainty import Certainty, certainty
from alignment.detection import HogDetector
from tests.alignment.test_faces import shifted


def _sure(pixels: np.ndarray, face: Face) -> Certainty:
    return certainty(np.ascontiguousarray(pixels), face.landmarks, face.alignment)


def test_a_clear_face_is_sure(astronaut: np.ndarray, face: Face) -> None:
    sure = _sure(astronaut, face)
    assert sure.score is not None and sure.score > 0.5
    assert sure.spread < 0.012 and sure.sharpness > 0.17 and abs(sure.turn) < 1 and sure.whole


def test_a_covered_mouth_makes_the_landmarks_disagree(astronaut: np.ndarray, face: Face) -> None:
    masked = astronaut.copy()
    outline = np.concatenate([face.landmarks[2:15], face.landmarks[[28]]]).astype(np.int32)
    cv2.fillPoly(masked, [outline], (170, 200, 215), cv2.LINE_AA)
    sure, clear = _sure(masked, face), _sure(astronaut, face)
    assert sure.spread > 1.5 * clear.spread
    assert sure.score is None or sure.score < (clear.score or 0) - 0.3


@pytest.mark.parametrize(("share", "most"), [(0.012, 0.135), (0.025, 0.08)])
def test_blur_shows_at_the_face(share: float, most: float, astronaut: np.ndarray, face: Face) -> None:
    blurred = cv2.GaussianBlur(astronaut, (0, 0), share * face.alignment.side)
    assert _sure(blurred, face).sharpness < most
    behind = astronaut.copy()
    behind[int(face.landmarks[8, 1]) + 20 :] = blurred[int(face.landmarks[8, 1]) + 20 :]
    assert _sure(behind, face).sharpness > 0.17, "a blurred background is no blurred face"


def test_a_head_turned_in_the_picture_is_not_turned_away(astronaut: np.ndarray, face: Face) -> None:
    turned = np.ascontiguousarray(np.rot90(astronaut))
    (other,) = find_faces(turned, detector=HogDetector(size=800, turns=(3,)))
    assert _sure(turned, other).turn == pytest.approx(_sure(astronaut, face).turn, abs=0.15)


def test_a_mirrored_head_is_turned_the_other_way(astronaut: np.ndarray, face: Face) -> None:
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    (other,) = find_faces(mirrored, detector=HogDetector())
    assert _sure(mirrored, other).turn == pytest.approx(-_sure(astronaut, face).turn, abs=0.15)


def test_a_face_that_is_cut_is_not_whole(astronaut: np.ndarray, face: Face) -> None:
    assert not _sure(astronaut[: int(face.landmarks[62, 1])], face).whole
    assert _sure(astronaut, shifted(face, 0, 2)).whole
