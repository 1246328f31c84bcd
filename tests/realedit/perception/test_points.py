"""The parts of the 478 points, on the mean face."""

import numpy as np
import pytest

from realedit.perception import points as parts

from .conftest import mean_face

SIDES = {"left": parts.LEFT_EYE, "right": parts.RIGHT_EYE}
CURVES = {
    **{f"{side} {name}": getattr(eye, name) for side, eye in SIDES.items()
       for name in ("upper", "lower", "brow_upper", "brow_lower")},
    "outer lip, upper": parts.OUTER_LIP_UPPER, "outer lip, lower": parts.OUTER_LIP_LOWER,
    "inner lip, upper": parts.INNER_LIP_UPPER, "inner lip, lower": parts.INNER_LIP_LOWER,
}  # fmt: skip


@pytest.mark.parametrize("name", CURVES)
def test_curves_run_from_the_viewers_left_to_the_right(name: str) -> None:
    x = mean_face().points[list(CURVES[name]), 0]
    assert (np.diff(x) > 0).all()


def test_the_left_eye_is_on_the_left_and_the_inner_corners_are_between_the_outer_ones() -> None:
    x = mean_face().points[:, 0]
    left, right = parts.EYES
    assert x[left.outer_corner] < x[left.inner_corner] < x[right.inner_corner] < x[right.outer_corner]
    assert x[left.pupil] < x[right.pupil]


@pytest.mark.parametrize("eye", parts.EYES)
def test_lids_share_their_corners_with_the_iris_between_them_and_the_brow_above(eye: parts.Eye) -> None:
    points = mean_face().points
    assert eye.upper[0] == eye.lower[0] and eye.upper[-1] == eye.lower[-1]
    assert (points[list(eye.upper[1:-1]), 1] < points[list(eye.lower[1:-1]), 1]).all()
    assert points[list(eye.upper), 1].min() - 10 < points[eye.pupil, 1] < points[list(eye.lower), 1].max()
    assert points[list(eye.brow_lower), 1].max() < points[list(eye.upper), 1].min()
    assert points[list(eye.brow_upper), 1].mean() < points[list(eye.brow_lower), 1].mean()


def test_inner_lips_are_within_the_outer_ones() -> None:
    y = mean_face().points[:, 1]
    assert (y[list(parts.OUTER_LIP_UPPER[1:-1])] < y[list(parts.INNER_LIP_UPPER[1:-1])]).all()
    assert (y[list(parts.INNER_LIP_LOWER[1:-1])] < y[list(parts.OUTER_LIP_LOWER[1:-1])]).all()


def test_the_oval_runs_clockwise_around_the_face_and_has_the_chin_at_the_bottom() -> None:
    points = mean_face().points
    oval = points[list(parts.FACE_OVAL)]
    angles = np.unwrap(np.arctan2(*(oval - points.mean(axis=0))[:, ::-1].T))
    assert (np.diff(angles) > 0).all()  # y points down
    assert angles[-1] - angles[0] < 2 * np.pi
    assert points[parts.CHIN, 1] == oval[:, 1].max()


def test_every_index_is_one_of_the_points() -> None:
    curves = [*CURVES.values(), parts.FACE_OVAL, parts.RIGID, parts.NOSE_BRIDGE]
    used = [index for curve in curves for index in curve]
    assert min(used) >= 0
    assert max(used) < parts.COUNT
    assert len(set(parts.FACE_OVAL)) == len(parts.FACE_OVAL)
    assert len(set(parts.RIGID)) == len(parts.RIGID)
