"""Orientation: arrays and boxes turn the same way, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from realedit.photos.orientation import (
    box_to_displayed,
    box_to_stored,
    displayed_size,
    is_orientation,
    to_displayed,
    to_stored,
)

orientations = pytest.mark.parametrize("orientation", range(1, 9))


@orientations
def test_matches_pillows_exif_transpose(orientation: int) -> None:
    stored = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    image = Image.fromarray(stored)
    image.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(to_displayed(stored, orientation), expected)
    assert displayed_size((7, 5), orientation) == expected.shape[1::-1]


@orientations
def test_storing_undoes_displaying_without_a_copy(orientation: int) -> None:
    stored = np.arange(5 * 7).reshape(5, 7)
    back = to_stored(to_displayed(stored, orientation), orientation)
    np.testing.assert_array_equal(back, stored)
    assert np.shares_memory(back, stored)


@given(
    orientation=st.integers(1, 8),
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    data=st.data(),
)
def test_a_box_holds_the_same_pixels_on_both_sides(
    orientation: int, size: tuple[int, int], data: st.DataObject
) -> None:
    width, height = size
    left, right = sorted(data.draw(st.tuples(st.integers(0, width), st.integers(0, width))))
    top, bottom = sorted(data.draw(st.tuples(st.integers(0, height), st.integers(0, height))))
    displayed = np.arange(width * height).reshape(height, width)
    stored = to_stored(displayed, orientation)
    box = (left, top, right, bottom)
    inner = box_to_stored(box, orientation, size)
    part = stored[inner[1] : inner[3], inner[0] : inner[2]]
    np.testing.assert_array_equal(to_displayed(part, orientation), displayed[top:bottom, left:right])
    assert box_to_displayed(inner, orientation, size) == box


def test_only_the_eight_values_are_orientations() -> None:
    assert [value for value in range(-1, 12) if is_orientation(value)] == list(range(1, 9))
    assert not is_orientation("6")
