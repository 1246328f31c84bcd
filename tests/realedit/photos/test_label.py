"""The visible label."""

from pathlib import Path

import numpy as np
import pytest

from realedit.photos import Format, Photo, with_visible_label
from tests.realedit.photos import builders as make


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("orientation", [1, 6])
def test_the_label_is_in_the_lower_right_corner_as_displayed(
    channels: int, depth: int, orientation: int
) -> None:
    photo = Photo(Path("p"), b"", Format.PNG, make.picture((600, 400), depth, channels), orientation)
    marked = with_visible_label(photo)
    assert marked.changed is not None
    left, top, right, bottom = marked.changed
    assert right > photo.width - 8 and bottom > photo.height - 8
    assert 0.02 * photo.width < right - left < 0.4 * photo.width and bottom - top < 0.1 * photo.height
    full = np.iinfo(photo.dtype).max
    assert marked.view(marked.changed).max() > 0.95 * full  # white letters


def test_a_tiny_photo_takes_what_fits() -> None:
    photo = Photo(Path("p"), b"", Format.PNG, make.picture((6, 4)))
    assert with_visible_label(photo).view().shape == (4, 6, 3)
