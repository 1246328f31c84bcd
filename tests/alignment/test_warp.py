import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignment.errors import OutsideError
from alignment.geometry import Alignment, centred_square
from alignment.warp import extract_crop, valid_mask


def ramp(width: int, height: int) -> np.ndarray:
    """Red and green say x and y of each pixel's centre, times 50."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    return np.stack([x * 50, y * 50, 0 * x], axis=-1).astype(np.uint16)


def positions(alignment: Alignment, size: int) -> np.ndarray:
    grid = np.arange(size) + 0.5
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    return alignment.to_photo(points, size).reshape(size, size, 2)


@pytest.mark.parametrize("side", [40.0, 64.0, 90.0, 300.0, 700.0])
@pytest.mark.parametrize("angle", [0.0, 0.4, 2.0])
def test_every_crop_pixel_shows_the_place_that_the_geometry_says(side: float, angle: float) -> None:
    alignment = Alignment(centre=(520.3, 505.8), side=side, angle=angle)
    crop = extract_crop(ramp(1040, 1010), alignment, 64)
    assert crop.valid.all()
    assert np.abs(crop.pixels[..., :2] / 50 - positions(alignment, 64)).max() < 0.05


def test_a_crop_of_the_photo_at_its_own_size_is_the_photo() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    crop = extract_crop(photo, centred_square(48, 48), 48)
    assert np.array_equal(crop.pixels, photo)
    assert crop.valid.all()


@pytest.mark.parametrize("factor", [2, 3, 5, 8])
def test_reduction_is_the_mean_over_the_footprint(factor: int) -> None:
    photo = np.random.default_rng(1).integers(0, 256, (32 * factor, 32 * factor, 3), dtype=np.uint8)
    crop = extract_crop(photo, centred_square(32 * factor, 32 * factor), 32)
    means = photo.reshape(32, factor, 32, factor, 3).mean(axis=(1, 3))
    error = np.sqrt(np.mean((crop.pixels - means) ** 2))
    assert error < 0.05 * means.std()


def test_fine_stripes_become_grey_and_not_moire() -> None:
    photo = np.zeros((900, 900, 3), dtype=np.uint8)
    photo[:, ::2] = 255
    crop = extract_crop(photo, Alignment(centre=(450, 450), side=600, angle=0.3), 64)
    assert np.abs(crop.pixels.astype(int) - 127.5).max() < 25


def test_sixteen_bits_stay_sixteen_bits() -> None:
    photo = np.full((40, 40, 3), 40_000, dtype=np.uint16)
    crop = extract_crop(photo, Alignment(centre=(5, 5), side=30, angle=0.2), 24)
    assert crop.pixels.dtype == np.uint16
    assert np.all(crop.pixels == 40_000)


def test_a_turned_view_gives_the_same_crop_as_a_copy() -> None:
    photo = np.random.default_rng(2).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    view = np.rot90(photo)[:, ::-1]
    alignment = Alignment(centre=(20, 30), side=50, angle=0.1)
    copy = extract_crop(np.ascontiguousarray(view), alignment, 32)
    assert np.array_equal(extract_crop(view, alignment, 32).pixels, copy.pixels)


def test_valid_marks_the_pixels_whose_footprint_is_in_the_photo() -> None:
    # 100 x 100 square at (-50, 0): the left half lies outside.
    alignment = Alignment(centre=(0, 50), side=100, angle=0)
    crop = extract_crop(np.full((100, 200, 3), 9, dtype=np.uint8), alignment, 20)
    assert not crop.valid[:, :10].any()
    assert crop.valid[:, 10:].all()
    assert np.array_equal(crop.valid, valid_mask(200, 100, alignment, 20))


def test_pixels_in_the_photo_are_not_touched_by_the_extension() -> None:
    photo = (ramp(100, 100) // 20).astype(np.uint8)
    padded = np.pad(photo, ((100, 100), (100, 100), (0, 0)), mode="symmetric")
    inside = extract_crop(photo, Alignment(centre=(20, 50), side=100, angle=0.1), 100)
    same = extract_crop(padded, Alignment(centre=(120, 150), side=100, angle=0.1), 100)
    assert same.valid.all()
    assert 1000 < inside.valid.sum() < 9000
    apart = inside.pixels[inside.valid].astype(int) - same.pixels[inside.valid]
    assert np.abs(apart).max() <= 1


def test_the_extension_continues_the_photo_and_grows_smoother() -> None:
    noise = np.random.default_rng(4).normal(128, 40, (200, 200, 1)).clip(0, 255)
    photo = np.repeat(noise, 3, axis=2).astype(np.uint8)
    crop = extract_crop(photo, Alignment(centre=(20, 100), side=200, angle=0), 200)
    outside = crop.pixels[:, :80].astype(float)
    roughness = np.abs(np.diff(outside, axis=0)).mean(axis=(0, 2))
    assert roughness[-1] > 5 * roughness[0]
    assert abs(outside[:, 0].mean() - 128) < 8
    step = np.abs(crop.pixels[:, 80].astype(float) - crop.pixels[:, 79]).mean()
    assert step < np.abs(np.diff(crop.pixels[:, 90:].astype(float), axis=1)).mean()


def test_a_square_far_larger_than_the_photo_is_filled() -> None:
    photo = np.full((30, 20, 3), 77, dtype=np.uint8)
    crop = extract_crop(photo, Alignment(centre=(10, 15), side=400, angle=0.5), 64)
    assert np.all(crop.pixels == 77)
    assert 0 < crop.valid.sum() < 40


def test_a_square_beside_the_photo_is_refused() -> None:
    with pytest.raises(OutsideError, match="lies outside of the photo, which is 20 x 30"):
        extract_crop(np.zeros((30, 20, 3), np.uint8), Alignment(centre=(100, 15), side=40, angle=0), 64)


@given(
    st.tuples(st.floats(-150, 300), st.floats(-150, 300)),
    st.floats(1, 3000),
    st.floats(-4, 4),
    st.integers(1, 40),
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
)
def test_any_square_gives_a_full_crop_or_one_sentence(
    centre: tuple[float, float], side: float, angle: float, size: int, shape: tuple[int, int]
) -> None:
    photo = np.full((*shape, 3), 50, dtype=np.uint8)
    try:
        crop = extract_crop(photo, Alignment(centre=centre, side=side, angle=angle), size)
    except OutsideError:
        return
    assert crop.pixels.shape == (size, size, 3)
    assert crop.valid.any()
    assert np.all(crop.pixels == 50)


def test_other_layouts_are_refused() -> None:
    square = centred_square(8, 8)
    for wrong in (np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3), np.float32)):
        with pytest.raises(ValueError, match="A photo is"):
            extract_crop(wrong, square, 8)
    with pytest.raises(ValueError, match="at least one pixel"):
        extract_crop(np.zeros((8, 8, 3), np.uint8), square, 0)
