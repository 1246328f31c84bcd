"""A photo: displayed views, patches, and what counts as changed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realedit.photos import Format, Photo
from realedit.photos.colour.inks import inks_of
from tests.realedit.photos import builders as make


def photo(channels: int = 3, depth: int = 8, orientation: int = 1) -> Photo:
    stored = make.picture((23, 17), depth, channels)
    return Photo(Path("photo.png"), b"", Format.PNG, stored, orientation)


def test_sizes_and_views_are_as_displayed() -> None:
    turned = photo(orientation=6)
    assert (turned.width, turned.height) == (17, 23)
    assert turned.view().shape == (23, 17, 3)
    np.testing.assert_array_equal(turned.view((2, 3, 9, 8)), turned.view()[3:8, 2:9])


def test_a_whole_view_shares_the_photos_memory_and_a_box_is_the_callers_own() -> None:
    one = photo(orientation=8)
    assert np.shares_memory(one.view(), one.stored)
    box = one.view((0, 0, 5, 5))
    box[:] = 0
    assert not np.shares_memory(box, one.stored) and one.view((0, 0, 5, 5)).any()


def test_grey_shows_three_equal_channels_and_takes_their_mean() -> None:
    grey = photo(channels=1)
    assert grey.is_grey and (grey.view() == grey.view()[..., :1]).all()
    edited = grey.with_block((0, 0, 1, 1), np.array([[[10, 20, 60]]], np.uint8))
    assert edited.view()[0, 0].tolist() == [30, 30, 30]


@pytest.mark.parametrize("channels", [2, 4])
def test_opacity_stays(channels: int) -> None:
    clear = photo(channels=channels)
    edited = clear.with_block((0, 0, 20, 10), np.zeros((10, 20, 3), np.uint8))
    assert clear.has_alpha
    np.testing.assert_array_equal(edited.stored_region(None)[..., -1], clear.stored[..., -1])


def test_a_block_that_equals_what_is_there_changes_nothing() -> None:
    one = photo(orientation=5, depth=16)
    same = one.with_block((1, 2, 9, 12), one.view((1, 2, 9, 12)))
    assert same.changed is None and same.patch is None


def test_changed_is_the_smallest_box_of_different_pixels() -> None:
    one = photo(orientation=7)
    block = one.view((2, 2, 12, 20))
    block[5:8, 3:6] ^= 255
    assert one.with_block((2, 2, 12, 20), block).changed == (5, 7, 8, 10)


def test_a_change_that_is_undone_is_no_change() -> None:
    one = photo()
    box = (3, 3, 9, 9)
    edited = one.with_block(box, 255 - one.view(box))
    assert edited.changed == box
    assert edited.with_block(box, one.view(box)).changed is None


@settings(max_examples=60, deadline=None)
@given(
    orientation=st.integers(1, 8),
    channels=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
    boxes=st.lists(
        st.tuples(st.integers(0, 10), st.integers(0, 10), st.integers(1, 7), st.integers(1, 7)), max_size=4
    ),
)
def test_edits_compose_and_leave_everything_else_alone(
    orientation: int, channels: int, seed: int, boxes: list[tuple[int, int, int, int]]
) -> None:
    one = photo(channels, orientation=orientation)
    expected = np.array(one.view())
    generator = np.random.default_rng(seed)
    edited = one
    for left, top, width, height in boxes:
        block = np.broadcast_to(
            generator.integers(0, 256, (height, width, 1), dtype=np.uint8), (height, width, 3)
        )
        expected[top : top + height, left : left + width] = block
        edited = edited.with_block((left, top, left + width, top + height), block)
    np.testing.assert_array_equal(edited.view(), expected)
    differs = (expected != one.view()).any(axis=-1)
    if edited.changed is None:
        assert not differs.any()
    else:
        left, top, right, bottom = edited.changed
        assert differs[top:bottom, left:right].sum() == differs.sum()
        assert (
            differs[top].any()
            and differs[bottom - 1].any()
            and differs[:, left].any()
            and differs[:, right - 1].any()
        )


def test_srgb_rounds_sixteen_bits() -> None:
    deep = photo(depth=16)
    expected = np.rint(deep.view() / 257).astype(np.uint8)
    assert np.abs(deep.srgb().astype(int) - expected).max() == 0


def test_srgb_goes_through_the_profile() -> None:
    from realedit.photos.colour.profile import colour_of
    from tests.realedit.photos.corpus import profiles

    colour, _ = colour_of(profiles()["p3"])
    wide = Photo(Path("p"), b"", Format.PNG, np.full((3, 3, 3), (200, 100, 100), np.uint8), colour=colour)
    red, green, blue = (int(v) for v in wide.srgb()[0, 0])
    assert red > 205 and green < 97 and blue < 100


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("name", ["p3", "adobe", "tables"])
def test_the_quick_way_to_srgb_is_the_exact_one_to_a_level(name: str, depth: int) -> None:
    from realedit.photos.colour.profile import colour_of
    from tests.realedit.photos.corpus import profiles

    colour, _ = colour_of(profiles()[name])
    full = (1 << depth) - 1
    levels = (
        np.random.default_rng(0)
        .integers(0, full + 1, (70, 90, 3))
        .astype(np.uint16 if depth > 8 else np.uint8)
    )
    one = Photo(Path("p"), b"", Format.PNG, levels, 3, colour=colour)
    exact = np.clip(colour.to_srgb((one.view() / full).astype(np.float32)), 0, 1) * 255
    error = np.abs(one.srgb() - exact)
    if name == "tables":
        assert error.mean() < 0.6  # tables have 8 bits, and this profile is linear light
    else:
        assert error.max() < 0.6


def test_eight_bits_for_detectors_are_a_view_where_they_can_be() -> None:
    one = photo()
    assert np.shares_memory(one.eight_bit(), one.stored)
    deep = photo(depth=16, orientation=6)
    np.testing.assert_array_equal(deep.eight_bit(), np.rint(deep.view() / 257).astype(np.uint8))


@pytest.mark.parametrize("orientation", [1, 6])
def test_the_reduced_view_is_the_photo_made_small(orientation: int) -> None:
    stored = np.kron(make.picture((8, 6)), np.ones((4, 4, 1), np.uint8))
    one = Photo(Path("p"), b"", Format.PNG, stored, orientation)
    reduced = one.srgb_reduced(8)
    assert max(reduced.shape) == 8 and reduced.flags.c_contiguous
    np.testing.assert_array_equal(reduced, one.view()[::4, ::4])
    assert one.srgb_reduced(1000).shape == (one.height, one.width, 3)


def test_boxes_outside_and_blocks_that_do_not_fit_are_refused() -> None:
    one = photo()
    with pytest.raises(ValueError, match="not inside"):
        one.view((0, 0, 24, 5))
    with pytest.raises(ValueError, match="does not fit"):
        one.with_block((0, 0, 5, 5), np.zeros((5, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="does not fit"):
        one.with_block((0, 0, 5, 5), np.zeros((5, 5, 3), np.uint16))


def test_inks_move_only_where_the_colour_does() -> None:
    inks, warning = inks_of(None)
    assert warning is not None
    stored = np.random.default_rng(0).integers(0, 256, (9, 9, 4), dtype=np.uint8)
    one = Photo(Path("p"), b"", Format.JPEG, stored, inks=inks)
    block = one.view((0, 0, 9, 9))
    block[4, 4] = (200, 30, 90)
    edited = one.with_block((0, 0, 9, 9), block)
    assert edited.changed == (4, 4, 5, 5)
    assert np.abs(edited.view()[4, 4].astype(int) - (200, 30, 90)).max() <= 1
