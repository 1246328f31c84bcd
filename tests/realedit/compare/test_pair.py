"""Two photos as pictures of one size: reduced, zoomed, of other depths, sizes and formats."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from alignment.errors import NoFaceError
from realedit.compare import Pair, face_box, given_box, read_pair
from realedit.compare.pair import LEAST_ZOOMED
from realedit.errors import PhotoError, UsageError
from realedit.photos import read_photo
from tests.realedit.samples import picture, png, smooth_picture


def test_pictures_are_reduced_to_the_size_asked_for(tmp_path: Path) -> None:
    one, other = png(tmp_path / "a.png", picture(120, 80)), png(tmp_path / "b.png", picture(60, 40))
    pair = read_pair(one, other, max_side=90)
    assert pair.before.shape == (60, 90, 3) and pair.after.shape == (40, 60, 3), "nothing is enlarged"
    same = pair.same_size()
    assert same.before.shape == same.after.shape == (40, 60, 3)


def test_other_proportions_cannot_lie_over_each_other() -> None:
    tall, wide = np.zeros((80, 40, 3), np.uint8), np.zeros((40, 80, 3), np.uint8)
    with pytest.raises(UsageError, match=r"40 x 80 and 80 x 40.*side or stack"):
        Pair(tall, wide).same_size()
    rounded = np.zeros((39, 80, 3), np.uint8)
    assert Pair(wide, rounded).same_size().after.shape == (39, 80, 3), "a pixel is rounding"


def test_sixteen_bits_and_heic_are_shown_as_srgb(tmp_path: Path) -> None:
    import pillow_heif

    shown = smooth_picture(96, 80)
    deep = png(tmp_path / "deep.png", shown.astype(np.uint16) * 257)
    pillow_heif.from_bytes("RGB", (96, 80), shown.tobytes()).save(tmp_path / "phone.heic", quality=95)
    pair = read_pair(deep, tmp_path / "phone.heic", max_side=500)
    assert np.array_equal(pair.before, shown)
    assert pair.after.dtype == np.uint8 and np.abs(pair.after.astype(int) - shown).mean() < 8


def test_a_zoom_is_the_same_part_of_both_and_large_enough_to_see(tmp_path: Path) -> None:
    large = picture(200, 100)
    one, other = png(tmp_path / "a.png", large), png(tmp_path / "b.png", large[::2, ::2])
    pair = read_pair(one, other, max_side=2000, zoom=given_box((100, 20, 160, 60)))
    assert pair.before.shape == (LEAST_ZOOMED * 40 // 60, LEAST_ZOOMED, 3) == pair.after.shape
    assert np.abs(pair.before.astype(int) - pair.after).mean() < 40, "the same place"
    with pytest.raises(UsageError, match=r"300,20,400,60.*200 x 100"):
        read_pair(one, other, max_side=200, zoom=given_box((300, 20, 400, 60)))


def test_a_face_is_zoomed_to_and_missed_in_a_sentence(tmp_path: Path) -> None:
    path = png(tmp_path / "a.png", np.ascontiguousarray(skimage.data.astronaut()[:256]))
    left, top, right, bottom = face_box(read_photo(path))
    assert left < 200 and right > 246 and top < 60 and bottom > 160 and right - left < 300
    with pytest.raises(NoFaceError, match=r"none\.png"):
        face_box(read_photo(png(tmp_path / "none.png", picture())))


def test_a_missing_photo_is_named(tmp_path: Path) -> None:
    one = png(tmp_path / "a.png", picture())
    with pytest.raises((PhotoError, UsageError), match=r"gone\.png"):
        read_pair(one, tmp_path / "gone.png", max_side=50)


def test_one_photo_is_in_memory_at_a_time(tmp_path: Path) -> None:
    """Python's own allocations; numpy's are among them."""
    large = np.zeros((2000, 3000, 3), np.uint8)
    paths = [png(tmp_path / name, large) for name in ("a.png", "b.png")]
    tracemalloc.start()
    read_pair(*paths, max_side=200)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.9 * large.nbytes
