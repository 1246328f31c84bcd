"""Masks and reach: where an edit may act."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from realedit.errors import UsageError
from realedit.geometry.masks import edit_mask, parse_region, read_mask
from realedit.geometry.reach import REACHES, reach_region
from tests.realedit.samples import png

SIZE = 256


@pytest.fixture(scope="module")
def landmarks() -> NDArray[np.float64]:
    """A frontal face as the FFHQ square has it, `[68, 2]` at 256 px; drawn by hand."""
    jaw = [(128 + 70 * np.cos(a), 120 + 95 * np.sin(a)) for a in np.linspace(np.pi, 0, 17)]
    brows = [(x, 95 - 6 * np.sin((x - 70) / 40 * np.pi)) for x in np.linspace(70, 110, 5)]
    brows += [(256 - x, y) for x, y in reversed(brows)]
    nose = [(128, y) for y in np.linspace(110, 145, 4)] + [(x, 152) for x in np.linspace(115, 141, 5)]
    eye = [(95 + 14 * np.cos(a), 115 + 5 * np.sin(a)) for a in np.linspace(np.pi, 3 * np.pi, 7)[:-1]]
    eyes = eye + [(x + 66, y) for x, y in eye]
    mouth = [(128 + 28 * np.cos(a), 178 + 10 * np.sin(a)) for a in np.linspace(np.pi, 3 * np.pi, 13)[:-1]]
    inner = [(128 + 20 * np.cos(a), 178 + 4 * np.sin(a)) for a in np.linspace(np.pi, 3 * np.pi, 9)[:-1]]
    return np.array([*jaw, *brows, *nose, *eyes, *mouth, *inner], float)


def _region(
    reach: str, landmarks: NDArray[np.float64] | None, handle: tuple[float, float], size: int = SIZE
) -> NDArray[np.float32]:
    points = np.array([handle], float)
    return reach_region(reach, points, points + np.array([-6.0, -4.0]), size, landmarks=landmarks)


def test_a_mouth_corner_reaches_the_whole_mouth_and_nothing_far(landmarks: NDArray[np.float64]) -> None:
    region = _region("local", landmarks, tuple(landmarks[48]))
    for x, y in landmarks[48:68]:
        assert region[int(y), int(x)] == 1, (x, y)
    for x, y in [*landmarks[36:48], *landmarks[17:27], (8, 8), (250, 250), (128, 30)]:
        assert region[int(y), int(x)] == 0, (x, y)


def test_away_from_the_face_only_the_way_of_the_drag_may_move(landmarks: NDArray[np.float64]) -> None:
    for given_landmarks in (landmarks, None):
        region = _region("local", given_landmarks, (30.0, 230.0))
        assert region[230, 30] == 1 and region[226, 24] == 1
        assert region[178, 128] == 0 and region[200, 100] == 0


def test_of_the_jaw_only_the_near_part_may_move(landmarks: NDArray[np.float64]) -> None:
    region = _region("local", landmarks, tuple(landmarks[4]))
    near, far = landmarks[4], landmarks[12]
    assert region[int(near[1]), int(near[0])] == 1
    assert region[int(far[1]), int(far[0])] == 0


def test_wider_reaches_hold_the_narrower_ones(landmarks: NDArray[np.float64]) -> None:
    handle = tuple(landmarks[54])
    face, head, everything = (_region(reach, landmarks, handle) for reach in ("face", "head", "all"))
    assert (face <= head + 1e-6).all() and (head <= everything + 1e-6).all()
    assert face.sum() < 0.8 * head.sum() < head.sum() < everything.sum()
    assert everything[0].max() < 0.05 and everything[:, -1].max() < 0.05, "the rim stays"
    for x, y in landmarks:
        assert face[int(y), int(x)] > 0.5


def test_without_landmarks_a_face_is_everything() -> None:
    everything = _region("all", None, (100.0, 100.0))
    for reach in ("face", "head"):
        assert np.array_equal(_region(reach, None, (100.0, 100.0)), everything)


def test_an_unknown_reach_is_refused(landmarks: NDArray[np.float64]) -> None:
    with pytest.raises(UsageError, match="local, face, head, all"):
        _region("nose", landmarks, (100.0, 100.0))


@given(
    reach=st.sampled_from(REACHES),
    size=st.sampled_from([32, 128, 200]),
    points=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=4),
)
def test_a_region_is_a_soft_picture_of_the_crop_that_holds_its_handles(
    reach: str, size: int, points: list[tuple[float, float]]
) -> None:
    handles = np.array(points, float) * size
    region = reach_region(reach, handles, handles[::-1].copy(), size)
    assert region.shape == (size, size) and region.dtype == np.float32
    assert region.min() >= 0 and region.max() <= 1
    if reach == "local":
        for x, y in np.minimum(handles, size - 1).astype(int):
            assert region[y, x] > 0.9


def test_regions_scale_with_the_crop(landmarks: NDArray[np.float64]) -> None:
    for reach in REACHES:
        large = _region(reach, landmarks, tuple(landmarks[48]))
        points = landmarks[48:49] / 2
        small = reach_region(reach, points, points - np.array([3.0, 2.0]), SIZE // 2, landmarks=landmarks / 2)
        reduced = cv2.resize(large, (SIZE // 2, SIZE // 2), interpolation=cv2.INTER_AREA)
        assert np.abs(reduced - small).mean() < 0.02, reach


def test_a_mask_is_white_where_the_picture_is_at_least_half_white(tmp_path: Path) -> None:
    values = np.array([[0, 127, 128], [255, 64, 200]], np.uint8)
    assert read_mask(png(tmp_path / "mask.png", values), (3, 2)).tolist() == [[0, 0, 255], [255, 0, 255]]


def test_masks_of_another_size_name_both_sizes(tmp_path: Path) -> None:
    path = png(tmp_path / "mask.png", np.full((20, 30), 255, np.uint8))
    with pytest.raises(UsageError, match=r"mask\.png has 30 x 20 pixels.* has 20 x 30"):
        read_mask(path, (20, 30))


def test_missing_black_and_unreadable_masks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no mask .*none\.png"):
        read_mask(tmp_path / "none.png", (4, 4))
    with pytest.raises(UsageError, match="black everywhere"):
        read_mask(png(tmp_path / "black.png", np.zeros((4, 4), np.uint8)), (4, 4))
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(UsageError, match=r"the mask cannot be read.*text\.png"):
        read_mask(tmp_path / "text.png", (4, 4))
    with pytest.raises(UsageError, match="folder"):
        read_mask(tmp_path, (4, 4))


def test_regions_are_rectangles_of_the_photo() -> None:
    assert parse_region("2,-1,3,4") == (2, -1, 5, 3)
    allowed = edit_mask(None, [(2, -1, 5, 3), (0, 4, 2, 99)], (6, 6))
    assert allowed is not None
    expected = np.zeros((6, 6), np.uint8)
    expected[:3, 2:5] = expected[4:, :2] = 255
    assert np.array_equal(allowed, expected)
    assert edit_mask(None, [], (6, 6)) is None


def test_regions_and_mask_intersect(tmp_path: Path) -> None:
    mask = png(tmp_path / "mask.png", np.tile(np.array([255, 255, 0, 0], np.uint8), (4, 1)))
    allowed = edit_mask(mask, [(1, 1, 4, 3)], (4, 4))
    assert allowed is not None and np.argwhere(allowed).tolist() == [[1, 1], [2, 1]]
    with pytest.raises(UsageError, match="black in all of the regions"):
        edit_mask(mask, [(2, 0, 4, 4)], (4, 4))
    with pytest.raises(UsageError, match="9,0,1,4 lies outside of the photo, which is 4 x 4"):
        edit_mask(mask, [(9, 0, 10, 4)], (4, 4))
