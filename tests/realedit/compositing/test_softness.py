"""How soft a photo is: told from its edges, at any size."""

import cv2
import numpy as np
import pytest

from realedit.compositing.softness import softness
from tests.realedit.compositing.faces import drawn, points
from tests.realedit.samples import photo_of


@pytest.mark.parametrize("unit", [80.0, 320.0])
@pytest.mark.parametrize("sigma", [1.5, 3.0])
def test_a_blurred_photo_is_as_soft_as_its_blur(unit: float, sigma: float) -> None:
    side = int(4 * unit)
    face = points(unit, centre=(side / 2, 0.4 * side))
    sharp = drawn(face, (side, side))
    blurred = cv2.GaussianBlur(sharp, (0, 0), sigma)
    assert softness(photo_of(sharp), face) < 1.1
    assert softness(photo_of(blurred), face) == pytest.approx(sigma, rel=0.35)


def test_a_face_past_the_photos_edge_and_a_flat_one_do_no_harm() -> None:
    flat = np.full((60, 60, 3), 128, np.uint8)
    assert 0.5 <= softness(photo_of(flat), points(20.0, centre=(30, 20))) <= 12
    assert softness(photo_of(flat), points(20.0, centre=(-300, 20))) == 0.5
