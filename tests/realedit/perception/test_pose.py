"""How a head is turned, told from its points."""

import numpy as np
import pytest

from realedit.perception.pose import head_pose
from realedit.perception.weights import bundled


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """x to the right, y down, z away from the camera; the face looks along -z."""
    a, b, c = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


@pytest.mark.parametrize(
    "pose", [(0, 0, 0), (30, 0, 0), (-45, 5, 0), (0, -20, 0), (12, 8, 170), (20, -15, -40)]
)
def test_a_turned_mean_face_says_how_it_was_turned(pose: tuple[float, float, float]) -> None:
    shape = bundled().shape
    turned = shape @ rotation(*pose).T * 37 + (100, 200, 5)
    assert head_pose(turned, shape) == pytest.approx(pose, abs=1e-6)


def test_a_face_that_looks_to_the_viewers_right_has_its_nose_there() -> None:
    shape = bundled().shape
    turned = shape @ rotation(25, 0, 0).T
    assert turned[1, 0] > shape[1, 0] + 0.1


def test_a_face_that_looks_down_has_its_nose_lower() -> None:
    shape = bundled().shape
    turned = shape @ rotation(0, 25, 0).T
    assert turned[1, 1] > shape[1, 1] + 0.1


def test_a_mouth_that_opens_turns_no_head() -> None:
    shape = bundled().shape
    moved = shape.copy()
    moved[[14, 17, 152, 199, 200]] += (0, 0.3, 0)
    assert head_pose(moved, shape) == pytest.approx((0, 0, 0), abs=1e-6)
