import numpy as np
import pytest

from realedit.compare import side_by_side, split, stacked
from realedit.compare.still import Divider, difference


def plain(height: int, width: int, value: int) -> np.ndarray:
    return np.full((height, width, 3), value, dtype=np.uint8)


def test_equal_pictures_keep_their_pixels() -> None:
    before, after = plain(90, 60, 10), plain(90, 60, 200)
    both = side_by_side(before, after, divider=3)
    assert both.shape == (90, 123, 3)
    assert np.array_equal(both[:, :60], before)
    assert np.all(both[:, 60:63] == 255)
    assert np.array_equal(both[:, 63:], after)


def test_the_taller_one_is_reduced() -> None:
    both = side_by_side(plain(200, 100, 1), plain(100, 80, 2), divider=0)
    assert both.shape == (100, 130, 3)
    assert np.all(both[:, :50] == 1)
    assert np.all(both[:, 50:] == 2)


def test_the_height_is_bounded_and_the_divider_follows_it() -> None:
    large = plain(3000, 4000, 7)
    assert side_by_side(large, large, max_height=900).shape == (900, 2403, 3)
    assert side_by_side(large, large).shape == (3000, 8010, 3)
    assert side_by_side(plain(20, 20, 0), plain(20, 20, 0), max_height=900).shape == (20, 41, 3)


def test_reduction_averages() -> None:
    stripes = np.zeros((400, 400, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    reduced = side_by_side(stripes, stripes, max_height=100, divider=0)
    assert np.abs(reduced.astype(int) - 128).max() <= 1


def test_what_is_no_picture_is_refused() -> None:
    good = plain(4, 4, 0)
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.uint16), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match="`after` is"):
            side_by_side(good, wrong)
    with pytest.raises(ValueError, match="at least one pixel"):
        side_by_side(good, good, max_height=0)
    with pytest.raises(ValueError, match="divider"):
        side_by_side(good, good, divider=-1)


def test_stacked_is_side_by_side_turned() -> None:
    both = stacked(plain(60, 90, 10), plain(120, 180, 200))
    assert both.shape == (121, 90, 3)
    assert np.all(both[:60] == 10) and np.all(both[60] == 255) and np.all(both[61:] == 200)


@pytest.mark.parametrize("divider", ["vertical", "diagonal"])
def test_a_split_shows_before_on_the_left_and_after_on_the_right(divider: Divider) -> None:
    picture = split(plain(60, 100, 10), plain(60, 100, 200), divider=divider)
    lean = 0 if divider == "vertical" else 15
    for y in (0, 30, 59):
        middle = 50 + lean * (1 - 2 * (y + 0.5) / 60)
        assert np.all(picture[y, : int(middle) - 2] == 10) and np.all(picture[y, int(middle) + 3 :] == 200)
        assert picture[y, int(middle) - 1 : int(middle) + 2].max() > 200, "the line"


@pytest.mark.parametrize("divider", ["vertical", "diagonal"])
def test_a_split_at_its_ends_is_one_picture(divider: Divider) -> None:
    before, after = plain(60, 100, 10), plain(60, 100, 200)
    assert np.array_equal(split(before, after, 1.0, divider), before)
    assert np.array_equal(split(before, after, 0.0, divider), after)


def test_a_difference_is_amplified_until_its_largest_shows() -> None:
    before, after = plain(60, 100, 100), plain(60, 100, 100)
    after[10:30, 10:30] = 120
    picture, factor = difference(before, after)
    assert factor == 12 and np.all(picture[10:30, 10:30] == 240) and picture.sum() == 240 * 400 * 3
    after = after.copy()
    after[0, 0] = 255
    assert difference(before, after)[1] == 12, "a single pixel does not hide what an edit did"
    after[10:30, 10:30] = 101
    assert difference(before, after)[1] == 32, "at most"
    assert difference(before, before)[1] == 1 and not difference(before, before)[0].any()
