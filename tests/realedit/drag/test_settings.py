"""Lengths scale with the crop, and never below what features can tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realedit.drag import DragSettings, Lengths, feature_resolution


@given(cells=st.sampled_from([4, 8, 16, 32, 64, 128, 256, 512, 1024]))
def test_lengths_are_at_least_a_cell_and_enough_a_quarter(cells: int) -> None:
    settings = DragSettings()
    lengths = Lengths.of(settings, cells)
    assert min(lengths.r1, lengths.r2, lengths.shift) >= 1 and lengths.enough >= max(0.25, lengths.until)
    assert lengths.r1 >= 2 * lengths.shift or lengths.shift > 1


def test_lengths_are_the_settings_own_where_cells_are_pixels_of_512() -> None:
    settings = DragSettings(r1=3, r2=12, shift=2, until=1)
    assert Lengths.of(settings, 512) == Lengths(r1=3, r2=12, shift=2, until=1, enough=1)
    assert Lengths.of(settings, 1024) == Lengths(r1=6, r2=24, shift=4, until=2, enough=2)
    assert Lengths.of(settings, 128) == Lengths(r1=2, r2=3, shift=1, until=0.25, enough=0.25)


@pytest.mark.parametrize(
    ("resolution", "cells"), [(8, 4), (32, 16), (128, 64), (256, 128), (512, 128), (1024, 128)]
)
def test_features_have_half_the_resolution_up_to_128(resolution: int, cells: int) -> None:
    assert feature_resolution(resolution) == cells
