"""Colour spaces: exact where they are curves and a matrix, invertible, and smooth as differences."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from realedit.photos.colour import icc
from realedit.photos.colour.profile import SRGB, MatrixColour, TableColour, colour_of
from tests.realedit.photos import builders as make
from tests.realedit.photos import corpus

PROFILES = corpus.profiles()


def grid(steps: int = 17) -> np.ndarray:
    ramp = np.linspace(0, 1, steps, dtype=np.float32)
    return np.stack(np.meshgrid(ramp, ramp, ramp, indexing="ij"), axis=-1)


def through_littlecms(profile: bytes, pixels: np.ndarray) -> np.ndarray:
    own = ImageCms.getOpenProfile(io.BytesIO(profile))
    transform = ImageCms.buildTransform(own, ImageCms.createProfile("sRGB"), "RGB", "RGB", ImageCms.Intent(1))
    return np.asarray(ImageCms.applyTransform(Image.fromarray(pixels), transform))


@pytest.mark.parametrize("profile", [None, b"", PROFILES["srgb"]])
def test_no_profile_and_srgb_are_the_identity(profile: bytes | None) -> None:
    colour, warning = colour_of(profile)
    assert colour.is_srgb and warning is None
    values = grid()
    assert colour.to_srgb(values) is values and colour.from_srgb(values) is values


@pytest.mark.parametrize("name", ["p3", "adobe"])
def test_matrix_profiles_agree_with_littlecms(name: str) -> None:
    colour, _ = colour_of(PROFILES[name])
    assert isinstance(colour, MatrixColour)
    pixels = (grid(9).reshape(27, 27, 3) * 255).round().astype(np.uint8)
    ours = np.clip(colour.to_srgb((pixels / 255).astype(np.float32)), 0, 1) * 255
    assert np.abs(ours - through_littlecms(PROFILES[name], pixels)).max() <= 1.5  # theirs has 8 bits


def test_table_profiles_go_through_littlecms() -> None:
    colour, warning = colour_of(PROFILES["tables"])
    assert isinstance(colour, TableColour) and warning is None
    pixels = (grid(9).reshape(27, 27, 3) * 255).round().astype(np.uint8)
    ours = np.clip(colour.to_srgb((pixels / 255).astype(np.float32)), 0, 1) * 255
    assert (
        np.abs(ours - through_littlecms(PROFILES["tables"], pixels)).max() <= 10
    )  # what 8 bits of linear light leave in the shadows


@pytest.mark.parametrize("name", ["p3", "adobe"])
def test_both_ways_cancel_to_sixteen_bits(name: str) -> None:
    colour, _ = colour_of(PROFILES[name])
    values = grid(33)
    error = np.abs(colour.from_srgb(colour.to_srgb(values)) - values)
    assert error[values > 0].max() < 0.5 / 65535
    assert error.max() < 1e-3  # a power curve is infinitely steep at black, on the way back


def test_a_profile_that_knows_only_one_direction_is_inverted() -> None:
    one_way = make.table_profile(back=False)
    with pytest.raises(ImageCms.PyCMSError):
        ImageCms.buildTransform(
            ImageCms.createProfile("sRGB"), ImageCms.getOpenProfile(io.BytesIO(one_way)), "RGB", "RGB"
        )
    colour, warning = colour_of(one_way)
    assert warning is None and isinstance(colour, TableColour)
    values = grid(9)
    error = np.abs(colour.from_srgb(colour.to_srgb(values)) - values)
    assert error.mean() < 0.01 and error.max() < 0.06  # a linear profile: two levels of 8 bits in the shadows


@pytest.mark.parametrize("name", ["p3", "tables"])
def test_colours_outside_of_srgb_survive(name: str) -> None:
    colour, _ = colour_of(PROFILES[name])
    red = np.array([[1, 0, 0]], np.float32)
    assert colour.to_srgb(red).max() > 1.05


@pytest.mark.parametrize("name", ["p3", "adobe", "tables"])
def test_a_small_change_stays_small_and_grows_evenly(name: str) -> None:
    colour, _ = colour_of(PROFILES[name])
    ramp = np.linspace(0.1, 0.9, 2001, dtype=np.float32)
    base = np.stack([ramp, ramp * 0.8 + 0.05, ramp * 0.6 + 0.1], axis=-1)
    change = colour.from_srgb(colour.to_srgb(base) + np.float32(0.02)) - colour.from_srgb(
        colour.to_srgb(base)
    )
    assert (change > 0).all() and change.max() < 0.1
    limit = 0.002 if name == "tables" else 2e-5
    assert np.abs(np.diff(change, axis=0)).max() < limit


def test_a_damaged_profile_counts_as_srgb_with_a_warning() -> None:
    for profile in (PROFILES["broken"], PROFILES["p3"][:140], b"x" * 20):
        colour, warning = colour_of(profile)
        assert isinstance(colour, SRGB) and warning is not None and "ICC" in warning


def test_profiles_of_other_spaces_are_not_used() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    colour, warning = colour_of(lab)
    assert colour.is_srgb and warning is not None


def test_a_grey_profile_maps_each_channel_alike() -> None:
    linear = make.grey_profile(1.0)
    colour, warning = colour_of(linear)
    assert warning is None and not colour.is_srgb
    values = np.full((1, 3), 0.2140, np.float32)  # linear light of sRGB's middle grey
    np.testing.assert_allclose(colour.to_srgb(values), 0.5, atol=2e-3)
    np.testing.assert_allclose(colour.from_srgb(colour.to_srgb(values)), values, atol=1e-6)


def test_display_p3_has_its_published_matrix() -> None:
    parsed = icc.parse(PROFILES["p3"])
    found = icc.matrix_profile(parsed)
    assert found is not None
    expected = [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
    np.testing.assert_allclose(found.matrix, expected, atol=2e-4)  # as in Apple's profile
