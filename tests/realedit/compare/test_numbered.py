"""Faces drawn into a photo."""

import numpy as np

from realedit.compare.numbered import numbered

SQUARE = np.array([[20.0, 20.0], [80.0, 20.0], [80.0, 80.0], [20.0, 80.0]])


def test_squares_and_numbers_are_drawn_and_the_rest_stays() -> None:
    photo = np.full((100, 120, 3), 128, np.uint8)
    drawn = numbered(photo, [SQUARE], [np.array([[50.5, 60.5]])], ["0"])
    assert (photo == 128).all(), "the photo stays"
    assert (drawn[80, 30:70, 2] < 100).all(), "a yellow line has little blue"
    assert (drawn[60, 50] > 200).all(), "a light dot"
    assert (drawn[90:] == 128).all() and (drawn[:, 90:] == 128).all()


def test_a_face_that_the_frame_cuts_is_cut_too() -> None:
    photo = np.full((60, 60, 3), 128, np.uint8)
    drawn = numbered(photo, [SQUARE], [np.array([[200.0, 200.0]])], ["12"])
    assert drawn.shape == photo.shape and (drawn != 128).any()
