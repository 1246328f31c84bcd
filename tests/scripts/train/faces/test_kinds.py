"""Which kinds a face is of."""

import cv2
import numpy as np
import pytest
import skimage.data
from train.faces.kinds import NAMES, kinds_of

from alignment import find_faces
from realedit.perception import Perceived, perceive


@pytest.fixture(scope="module")
def astronaut() -> tuple[np.ndarray, Perceived]:
    photo = np.ascontiguousarray(skimage.data.astronaut())
    (face,) = find_faces(photo)
    return photo, perceive(photo, face.alignment)


def test_a_smiling_light_face_in_colour_is_of_no_rare_kind(astronaut: tuple[np.ndarray, Perceived]) -> None:
    photo, seen = astronaut
    assert not kinds_of(photo, seen).any()


def test_a_grey_copy_is_black_and_white_and_a_dark_one_dark(astronaut: tuple[np.ndarray, Perceived]) -> None:
    photo, seen = astronaut
    grey = np.repeat(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert dict(zip(NAMES, kinds_of(grey, seen), strict=True))["black and white"]
    assert not dict(zip(NAMES, kinds_of(grey, seen), strict=True))["dark"]
    dark = (photo * np.array([0.42, 0.34, 0.3])).astype(np.uint8)
    assert dict(zip(NAMES, kinds_of(dark, seen), strict=True))["dark"]
