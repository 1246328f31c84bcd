import numpy as np
import pytest

from alignment import identity
from alignment.detection import HogDetector
from alignment.faces import Face, find_faces

HOG = HogDetector(size=800)


def test_a_face_is_near_itself_after_small_changes(astronaut: np.ndarray, face: Face) -> None:
    original = identity.descriptor(astronaut, face.landmarks)
    assert original.shape == (128,)
    noisy = (astronaut + np.random.default_rng(0).normal(0, 6, astronaut.shape)).clip(0, 255).astype(np.uint8)
    assert identity.distance(original, identity.descriptor(noisy, face.landmarks)) < 0.15
    smaller = np.ascontiguousarray(astronaut[::2, ::2])
    assert identity.distance(original, identity.descriptor(smaller, face.landmarks / 2)) < 0.35


def test_different_people_are_far_apart(portraits: list[np.ndarray]) -> None:
    descriptors = [identity.face_descriptor(photo, detector=HOG) for photo in portraits]
    apart = [
        identity.distance(a, b)
        for i, a in enumerate(descriptors)
        for b in descriptors[:i]
        if a is not None and b is not None
    ]
    assert len(apart) == 15
    assert min(apart) > 0.5


def test_the_tilt_of_the_head_does_not_matter(astronaut: np.ndarray, face: Face) -> None:
    turned = np.ascontiguousarray(np.rot90(astronaut))
    (found,) = find_faces(turned, detector=HogDetector(size=800, turns=(3,)))
    original = identity.descriptor(astronaut, face.landmarks)
    assert identity.distance(original, identity.descriptor(turned, found.landmarks)) < 0.15


def test_a_picture_without_a_face_has_no_descriptor() -> None:
    assert identity.face_descriptor(np.zeros((50, 50, 3), np.uint8), detector=HOG) is None


def test_distance_is_euclidean() -> None:
    assert identity.distance([0, 0], [3, 4]) == pytest.approx(5)
