import numpy as np
import pytest

from realedit.compare import marked
from realedit.compare.marked import HANDLE, MASK, REACHED, TARGET


def grey(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 120, dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), [(275, 225), (1500, 2000)])
def test_handles_are_red_and_targets_blue_where_they_are(height: int, width: int) -> None:
    photo = grey(height, width)
    handle, target = (0.3 * width, 0.5 * height), (0.6 * width, 0.4 * height)
    picture = marked(photo, [handle], [target])
    for (x, y), colour in ((handle, HANDLE), (target, TARGET)):
        assert tuple(picture[int(y), int(x)]) == colour
    middle = picture[int(0.45 * height), int(0.45 * width)]
    assert middle.min() > 200  # the arrow's light line
    assert np.all(photo == 120)


def test_marks_grow_with_the_picture_and_stay_small() -> None:
    for size in (225, 1000, 4000):
        changed = np.any(
            marked(grey(size, size), [(size / 2, size / 2)], [(size * 0.8, size / 2)]) != 120, axis=2
        )
        rows = np.flatnonzero(changed[:, size // 2])
        assert 0.02 * size <= rows[-1] - rows[0] + 1 <= max(0.035 * size, 11)


def test_marks_are_centred_on_their_points() -> None:
    dark = np.zeros((101, 101, 3), np.uint8)
    for point in ((50.5, 50.5), (40.0, 60.0), (30.25, 70.75)):
        weight = marked(dark, [point], [point]).sum(axis=2).astype(float)
        y, x = np.mgrid[0:101, 0:101] + 0.5
        centre = (weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()
        assert centre == pytest.approx(point, abs=0.05)


def test_the_edges_are_antialiased() -> None:
    picture = marked(grey(225, 225), [(100.3, 100.7)], [(100.3, 100.7)])
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 12


def test_reached_points_are_rings_that_show_what_lies_under_them() -> None:
    picture = marked(grey(1000, 1000), [(200, 500)], [(600, 500)], reached=[(800, 500)])
    assert tuple(picture[500, 800]) == (120, 120, 120)
    assert np.all(picture[480:520, 780:820] == np.array(REACHED), axis=2).any()


@pytest.mark.parametrize("kind", [bool, np.uint8])
def test_what_may_move_is_tinted_and_outlined(kind: type) -> None:
    mask = np.zeros((300, 400), dtype=kind)
    mask[100:200, 100:300] = 1 if kind is bool else 128
    picture = marked(grey(300, 400), [], [], mask=mask)
    inside = picture[150, 200].astype(int)
    assert inside[1] > 140 > inside[0]
    assert np.all(picture[:100] == 120)
    assert np.all(picture[200:] == 120)
    assert tuple(picture[100, 200]) == MASK


def test_a_mask_that_fills_the_photo_or_none_of_it_has_no_outline() -> None:
    full = marked(grey(30, 40), [], [], mask=np.full((30, 40), 255, np.uint8))
    assert len(np.unique(full.reshape(-1, 3), axis=0)) == 1
    empty = marked(grey(30, 40), [], [], mask=np.full((30, 40), 127, np.uint8))
    assert np.all(empty == 120)


def test_points_at_and_beyond_the_edge_are_cut_off() -> None:
    picture = marked(grey(60, 60), [(0, 0), (-500, 30)], [(60, 60), (700, 30)])
    assert picture.shape == (60, 60, 3)
    assert tuple(picture[0, 0]) == HANDLE


def test_layouts_that_do_not_fit_are_refused() -> None:
    photo = grey(20, 30)
    with pytest.raises(ValueError, match="1 handles do not go with 2 targets"):
        marked(photo, [(1, 1)], [(1, 1), (2, 2)])
    with pytest.raises(ValueError, match="do not go with"):
        marked(photo, [(1, 1)], [(1, 1)], reached=[])
    with pytest.raises(ValueError, match=r"A mask is \(20, 30\)"):
        marked(photo, [], [], mask=np.zeros((30, 20), bool))
    with pytest.raises(ValueError, match="bool or uint8"):
        marked(photo, [], [], mask=np.zeros((20, 30), np.float32))
    with pytest.raises(ValueError, match="A photo is"):
        marked(photo.astype(np.uint16), [], [])
