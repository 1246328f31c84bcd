"""Membranes: harmonic inside of the hole, untouched outside."""

import numpy as np
import pytest

from realedit.compositing.membrane import membrane


def test_a_hole_in_a_plane_is_filled_with_the_plane() -> None:
    y, x = np.mgrid[:64, :64].astype(np.float32) / 64
    plane = np.stack([x, y, 1 - x + 0.5 * y], -1)
    hole = np.hypot(x - 0.5, y - 0.45) < 0.3
    broken = np.where(hole[..., None], 9, plane).astype(np.float32)
    filled = membrane(broken, hole)
    assert np.array_equal(filled[~hole], plane[~hole])
    assert np.abs(filled - plane).max() < 0.02


def test_values_inside_lie_between_those_of_the_border() -> None:
    random = np.random.default_rng(0).uniform(0, 1, (50, 50, 1)).astype(np.float32)
    hole = np.zeros((50, 50), np.bool_)
    hole[10:37, 12:40] = True
    filled = membrane(random, hole)
    border = random[8:39, 10:42]
    assert filled[hole].min() >= border.min() - 1e-5 and filled[hole].max() <= border.max() + 1e-5
    assert np.abs(np.diff(filled[20:28, 20:30, 0])).max() < 0.05, "smooth inside"


@pytest.mark.parametrize("everywhere", [True, False])
def test_nothing_to_fill_or_nothing_to_fill_from(everywhere: bool) -> None:
    values = np.full((16, 16, 3), 0.3, np.float32)
    assert np.array_equal(membrane(values, np.full((16, 16), everywhere)), values)
