"""Motions of faces: points go where the picture goes."""

import cv2
import numpy as np
import pytest
from train.perceiving import bending
from train.perceiving.bending import Bent

from realedit.perception import points as parts
from tests.scripts.train.perceiving.samples import UNIT, bent, picture

DOTS = 3.0  # pixels: as far as a dot's centre is found


def dotted(points: np.ndarray, index: int) -> Bent:
    """A grey picture with a dark dot on one point."""
    blank = np.full((512, 512, 3), 200, np.uint8)
    x, y = np.rint((points[index, :2] - 0.5) * 16).astype(int)
    cv2.circle(blank, (int(x), int(y)), 3 * 16, (0, 0, 0), -1, cv2.LINE_AA, 4)
    return Bent(blank, np.zeros((512, 512), np.float32), points.copy())


def dot(picture_: np.ndarray) -> np.ndarray:
    """Where the dot is."""
    dark = np.clip(150 - picture_[..., 0].astype(float), 0, None)
    y, x = np.mgrid[0:512, 0:512] + 0.5
    return np.array([(x * dark).sum(), (y * dark).sum()]) / dark.sum()


@pytest.mark.parametrize("index", [159, 145, 52, 468])
@pytest.mark.parametrize("amount", [1.0, 0.5, -0.25])
def test_a_point_of_the_eye_goes_where_its_pixels_go(index: int, amount: float) -> None:
    before = dotted(opened(bent().points), index)
    after = bending.move_lid(before, parts.LEFT_EYE, amount)
    if index == 468 and amount > 0:  # the lid covers the pupil, which stays
        assert (after.points[index] == before.points[index]).all()
    else:
        assert np.hypot(*(dot(after.picture) - after.points[index, :2])) < DOTS


def opened(points: np.ndarray) -> np.ndarray:
    """Eyes that are open far enough for a dot."""
    wide = points.copy()
    for eye in parts.EYES:
        wide[list(eye.lower[1:-1]), 1] += 0.12 * UNIT
    return wide


@pytest.mark.parametrize("eye", parts.EYES)
def test_a_shut_eye_has_its_lids_together_and_the_other_stays(eye: parts.Eye) -> None:
    before = bent()
    after = bending.move_lid(before, eye, 1.0)
    gap = after.points[list(eye.lower), 1] - after.points[list(eye.upper), 1]
    was = before.points[list(eye.lower), 1] - before.points[list(eye.upper), 1]
    assert gap[2:-2].max() < 0.25 * was[2:-2].max()
    other = parts.RIGHT_EYE if eye is parts.LEFT_EYE else parts.LEFT_EYE
    assert (after.points[list(other.upper)] == before.points[list(other.upper)]).all()
    assert (after.picture[330:] == before.picture[330:]).all()


@pytest.mark.parametrize("index", [17, 152, 14, 200, 13, 0, 1])
def test_a_point_around_the_mouth_goes_where_its_pixels_go(index: int) -> None:
    points = bent().points
    points[list(parts.INNER_LIP_LOWER[1:-1]), 1] += 0.08 * UNIT
    points[list(parts.OUTER_LIP_LOWER[1:-1]), 1] += 0.16 * UNIT
    before = dotted(points, index)
    jaw = bending._Jaw.of(before.points, 0.25)
    after = bending.move_lips(before, -0.05 if index == 14 else 0.25, np.random.default_rng(0))
    if index in (13, 0, 1):
        assert np.hypot(*(after.points[index] - before.points[index])[:2]) < 0.01 * UNIT
    elif index != 14:  # what is drawn inside of the mouth hides a dot on the lip's edge
        drawn = after.picture.copy()
        lip = int(before.points[14, 1] + 0.25 * UNIT)
        drawn[:lip] = 200
        assert np.hypot(*(dot(drawn) - after.points[index, :2])) < DOTS
    assert jaw.unit == pytest.approx(UNIT, rel=0.01)


def test_lips_part_by_what_is_asked_and_close_no_further_than_shut() -> None:
    before = bent()
    lower, upper = (before.points[[i], 1] for i in (14, 13))
    parted = bending.move_lips(before, 0.3, np.random.default_rng(0)).points
    assert (parted[14, 1] - before.points[14, 1]) / UNIT == pytest.approx(0.3, abs=0.02)
    closed = bending.move_lips(before, -0.5, np.random.default_rng(0)).points
    assert closed[14, 1] == pytest.approx(min(float(upper[0]), float(lower[0])), abs=1.0)


@pytest.mark.parametrize("below", [0.3, 0.45, 0.6])
def test_the_jaw_is_not_torn_beside_the_corners_of_the_mouth(below: float) -> None:
    jaw = bending._Jaw.of(bent().points, 0.4)
    x = np.linspace(-1.2, 1.2, 400) * UNIT
    moved = jaw.downward(x, np.full(400, below * UNIT) + jaw.lips(x)[1])
    assert np.abs(np.diff(moved) / np.diff(x)).max() < 1.0
    assert moved[0] < 0.3 * moved.max()


@pytest.mark.parametrize(("yaw", "pitch"), [(15, 0), (-15, 0), (0, 8), (10, -6)])
def test_a_head_turns_the_way_it_is_asked_and_its_points_go_along(yaw: float, pitch: float) -> None:
    before = dotted(bent().points, 1)
    after = bending.turn_head(before, yaw, pitch)
    assert np.hypot(*(dot(after.picture) - after.points[1, :2])) < DOTS
    assert (after.points[1, 0] - before.points[1, 0]) * yaw >= 0
    assert (after.points[1, 1] - before.points[1, 1]) * pitch >= 0
    assert np.abs(after.picture[:, :4].astype(int) - 200).max() < 3


def test_nothing_moves_for_amounts_of_zero() -> None:
    before = Bent(picture(), np.zeros((512, 512), np.float32), bent().points)
    for after in (bending.move_lid(before, parts.LEFT_EYE, 0.0), bending.turn_head(before, 0, 0)):
        assert np.abs(after.points - before.points).max() < 1e-3
        assert np.abs(after.picture.astype(int) - before.picture).max() <= 2
