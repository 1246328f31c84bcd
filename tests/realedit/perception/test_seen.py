"""What can be asked of a face that was seen."""

import dataclasses

import numpy as np
import pytest

from alignment import Alignment
from realedit.perception import points as parts

from .conftest import mean_face


def test_the_interocular_distance_is_between_the_middles_of_the_eyes() -> None:
    assert mean_face(80).interocular == pytest.approx(80, rel=1e-6)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.0])
def test_apertures_shrink_with_the_lid_that_comes_down(share: float) -> None:
    face = mean_face()
    points = face.points.copy()
    upper, lower = list(parts.LEFT_EYE.upper), list(parts.LEFT_EYE.lower)
    points[upper] = points[lower] + (points[upper] - points[lower]) * share
    moved = dataclasses.replace(face, points=points)
    assert moved.aperture.left == pytest.approx(face.aperture.left * share, abs=1e-9)
    assert moved.aperture.right == face.aperture.right


def test_the_mouths_gap_is_that_of_its_inner_edges_and_never_negative() -> None:
    face = mean_face()
    for gap in (0.0, 0.2, -0.1):
        points = face.points.copy()
        points[list(parts.INNER_LIP_UPPER)] = np.column_stack([np.linspace(180, 220, 11), np.full(11, 250.0)])
        points[list(parts.INNER_LIP_LOWER)] = points[list(parts.INNER_LIP_UPPER)] + (0, gap * 100)
        assert dataclasses.replace(face, points=points).mouth_gap == pytest.approx(max(gap, 0), abs=1e-9)


@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_a_turned_face_is_as_open_as_an_upright_one(angle: float) -> None:
    face = mean_face()
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned = dataclasses.replace(face, points=face.points @ turn)
    assert turned.aperture == pytest.approx(face.aperture)


def test_the_matte_is_the_views_in_any_square() -> None:
    face = mean_face()
    same = face.matte(face.view, 96)
    assert same.dtype == np.float32
    assert np.abs(same - face.view_matte).max() < 1e-4
    half = face.matte(Alignment(centre=(200, 200), side=240, angle=0.7), 48)
    assert half.shape == (48, 48)
    assert half.min() > 0.9  # the circle is 375 wide


def test_beyond_the_view_its_border_goes_on() -> None:
    face = mean_face()
    matte = np.zeros_like(face.view_matte)
    matte[-1] = 1
    body = dataclasses.replace(face, view_matte=matte)
    wide = body.matte(Alignment(centre=(200, 200), side=1200, angle=0.0), 40)
    assert wide[-1, 15:25].min() > 0.9
    assert wide[0].max() < 0.1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_fine_matte_follows_the_pictures_edge(dtype: type) -> None:
    face = mean_face()
    photo = np.full((400, 400, 3), np.iinfo(dtype).max // 4, dtype)
    y, x = np.mgrid[0:400, 0:400] + 0.5
    inside = np.hypot(x - 200, y - 200) < 187.5  # where the coarse matte is soft
    photo[inside] = (np.array([0.8, 0.6, 0.5]) * np.iinfo(dtype).max).astype(dtype)
    fine = face.fine_matte(photo)
    assert fine.shape == (400, 400) and fine.dtype == np.float32
    coarse = face.matte(Alignment(centre=(200, 200), side=400, angle=0.0), 400)
    assert np.abs(fine - inside).mean() < 0.5 * np.abs(coarse - inside).mean()
    assert fine.min() >= 0 and fine.max() <= 1


def test_a_box_of_the_fine_matte_is_cut_at_whole_pixels() -> None:
    face = mean_face()
    photo = np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8)
    assert face.fine_matte(photo, (100, 50, 300, 180)).shape == (130, 200)
