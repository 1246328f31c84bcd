"""Photos as programs show them, and faces that were found before."""

from pathlib import Path

import numpy as np
import pytest

import realedit
from realedit.errors import AlignmentError, UsageError
from tests.realedit.samples import picture, png


def test_a_window_gets_the_photo_or_a_part_of_it_no_larger_than_it_is_shown(tmp_path: Path) -> None:
    photo = realedit.open(png(tmp_path / "photo.png", picture(96, 80)))
    assert photo.reduced(48).shape == (40, 48, 3)
    np.testing.assert_array_equal(photo.reduced(500), photo.pixels)
    np.testing.assert_array_equal(photo.reduced(96, (0, 0, 96, 80)), photo.pixels)
    np.testing.assert_array_equal(photo.reduced(96, (10, 20, 30, 50)), photo.pixels[20:50, 10:30])
    part = photo.reduced(10, (10, 20, 30, 60))
    assert part.shape == (10, 5, 3)
    np.testing.assert_allclose(part[0, 0], photo.pixels[20:24, 10:14].mean((0, 1)), atol=0.51)
    for box in ((10, 20, 10, 30), (-1, 0, 5, 5), (0, 0, 97, 80)):
        with pytest.raises(UsageError, match="no part of"):
            photo.reduced(48, box)


def test_faces_that_were_found_before_are_not_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    import alignment

    monkeypatch.setattr(alignment, "find_faces", lambda *_: pytest.fail("nobody looks"))
    photo = realedit.Photo.from_array(picture(200, 160))
    points = np.random.default_rng(0).uniform(60, 90, (68, 2))
    points[36:42], points[42:48] = (60, 60), (90, 60)
    points[48], points[54] = (65, 90), (85, 90)
    (face, cut) = photo.with_faces([points, points - (80, 0)]).faces
    assert (face.index, cut.index) == (0, 1)
    np.testing.assert_array_equal(face.landmarks, points)
    assert face.square.centre == pytest.approx((75, 63)) and face.square.angle == pytest.approx(0)
    assert face.whole and not cut.whole
    with pytest.raises(UsageError, match="68 landmarks"):
        photo.with_faces([points[:5]])
    with pytest.raises(AlignmentError, match="do not form a face"):
        photo.with_faces([np.zeros((68, 2))])
