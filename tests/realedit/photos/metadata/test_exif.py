"""EXIF is edited in place: what is not asked for stays where it is."""

import io

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from realedit.photos.metadata import exif
from tests.realedit.photos import builders as make

orders = pytest.mark.parametrize("order", ["<", ">"])


def small_jpeg(side: int = 40) -> bytes:
    return make.jpeg(make.picture((side, side)), quality=60)


def pillow_exif(block: bytes) -> Image.Exif:
    read = Image.Exif()
    read.load(b"Exif\x00\x00" + block)
    return read


@orders
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_read_and_overwritten(order: str, orientation: int) -> None:
    block = make.exif_block(orientation, order=order)
    assert exif.orientation(block) == orientation
    changed = exif.with_orientation(block, 3)
    assert changed is not None and len(changed) == len(block) and exif.orientation(changed) == 3


@pytest.mark.parametrize(
    "block", [None, b"", b"garbage", b"II*\x00\xff\xff\xff\x7f", make.exif_block(0), make.exif_block(9)]
)
def test_what_says_nothing_sensible_is_upright(block: bytes | None) -> None:
    assert exif.orientation(block) == 1


@orders
@pytest.mark.parametrize("size", [20, 41, 90])
def test_a_new_thumbnail_takes_the_place_of_the_old(order: str, size: int) -> None:
    block = make.exif_block(order=order, thumbnail=small_jpeg(), maker_note=b"note" * 30)
    new = small_jpeg(size)
    changed = exif.with_thumbnail(block, new)
    assert exif.thumbnail(changed) == new
    assert pillow_exif(changed).get_ifd(0x8769)[0x927C] == b"note" * 30
    assert changed.index(b"note") == block.index(b"note")
    assert small_jpeg()[20:] not in changed  # nothing of the old picture is left


def test_a_thumbnail_that_cannot_be_made_anew_is_taken_out() -> None:
    block = make.exif_block(thumbnail=small_jpeg())
    changed = exif.with_thumbnail(block, None)
    assert exif.thumbnail(changed) is None and not exif.has_thumbnail(changed)
    assert small_jpeg()[20:] not in changed


def test_sides_are_swapped() -> None:
    changed = exif.with_sides_swapped(make.exif_block(sides=(400, 300)))
    assert changed is not None
    inner = pillow_exif(changed).get_ifd(0x8769)
    assert (inner[0xA002], inner[0xA003]) == (300, 400)


def apple_note(identifier: bytes = b"AB12CD34-0000-1111-2222-333344445555\x00") -> bytes:
    """Apple's maker note: a big-endian directory at 14, offsets from its own start."""
    entries = [(1, 9, 1, b"\x00\x00\x00\x0e"), (0x11, 2, len(identifier), identifier)]
    return b"Apple iOS\x00\x00\x01MM" + make.directory(entries, 14, ">", 0)


def test_the_link_to_a_live_photo_is_taken_out() -> None:
    block = make.exif_block(maker_note=apple_note())
    changed, linked = exif.without_live_photo(block)
    assert linked and changed is not None and len(changed) == len(block)
    assert b"AB12CD34" not in changed
    assert exif.without_live_photo(changed) == (changed, False)
    assert exif.without_live_photo(make.exif_block()) == (make.exif_block(), False)


@given(st.integers(0, 2**32 - 1))
@example(1076076)  # a value that lies on its own directory
def test_damaged_blocks_never_break_the_editor(seed: int) -> None:
    generator = np.random.default_rng(seed)
    block = bytearray(
        make.exif_block(6, gps=True, thumbnail=b"\xff\xd8" + bytes(60), maker_note=apple_note())
    )
    for place in generator.integers(8, len(block), 6):
        block[place] = int(generator.integers(0, 256))
    data = bytes(block[: int(generator.integers(8, len(block) + 1))])
    for changed in (
        exif.with_orientation(data, 1),
        exif.with_sides_swapped(data),
        exif.without_live_photo(data)[0],
    ):
        assert changed is not None and len(changed) == len(data)
    exif.with_thumbnail(data, b"\xff\xd8" + bytes(100))
    exif.orientation(data)
    exif.is_adobe_rgb(data)


def test_adobe_rgb_is_known_by_the_interoperability_index() -> None:
    image = Image.new("RGB", (8, 8))
    block = Image.Exif()
    block.get_ifd(0x8769)[0xA005] = {1: "R03"}
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=block)
    found = buffer.getvalue()
    start = found.index(b"Exif\x00\x00") + 6
    assert exif.is_adobe_rgb(found[start:])
    assert not exif.is_adobe_rgb(make.exif_block())
