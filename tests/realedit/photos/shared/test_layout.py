"""What channels are, and colours that were multiplied with their opacity."""

import io
import struct
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from realedit.photos import read_photo, write_photo
from realedit.photos.shared.layout import (
    FURTHER,
    PREMULTIPLIED,
    STRAIGHT,
    Layout,
    premultiplied,
    straightened,
)
from tests.realedit.photos import builders as make


@pytest.mark.parametrize(
    ("layout", "opacity", "hidden", "further"),
    [
        (Layout(1), None, False, 0),
        (Layout(3, (STRAIGHT,)), 3, False, 0),
        (Layout(3, (PREMULTIPLIED,)), 3, True, 0),
        (Layout(3, (FURTHER,)), None, False, 1),
        (Layout(1, (FURTHER, PREMULTIPLIED)), 2, True, 1),
        (Layout(4, (STRAIGHT, PREMULTIPLIED)), 4, False, 1),
    ],
)
def test_the_first_opacity_counts(layout: Layout, opacity: int | None, hidden: bool, further: int) -> None:
    assert (layout.opacity, layout.premultiplied, layout.further) == (opacity, hidden, further)
    assert layout.channels == layout.colours + len(layout.extra)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_straightening_is_exact_to_half_a_level_and_multiplying_brings_it_back(dtype: type) -> None:
    full = int(np.iinfo(dtype).max)
    generator = np.random.default_rng(0)
    opacity = generator.integers(0, full + 1, (300, 20, 1)).astype(dtype)
    opacity[:5] = 0
    stored = (generator.random((300, 20, 3)) * (opacity + 1.0)).astype(dtype)
    seen = straightened(stored, opacity)
    visible = opacity[..., 0] > 0
    exact = np.minimum(stored[visible] * float(full) / opacity[visible], full)
    assert np.abs(seen[visible] - exact).max() <= 0.5001
    np.testing.assert_array_equal(seen[~visible], stored[~visible])
    np.testing.assert_array_equal(premultiplied(seen, opacity)[visible], stored[visible])


def test_a_premultiplied_heic_is_shown_straight_and_written_so(tmp_path: Path) -> None:
    pixels = make.picture(channels=4)
    hidden = np.concatenate([premultiplied(pixels[..., :3], pixels[..., 3:]), pixels[..., 3:]], axis=2)
    out = io.BytesIO()
    pillow_heif.encode("RGBa", make.SIZE, np.ascontiguousarray(hidden).tobytes(), out, quality=-1, chroma=444)
    (tmp_path / "photo.heic").write_bytes(out.getvalue())
    photo = read_photo(tmp_path / "photo.heic")
    assert np.abs(photo.view().astype(int) - pixels[..., :3]).max() <= 8  # levels are coarser at 40 % opacity
    box = (5, 5, 20, 20)
    edited = photo.with_block(box, 255 - photo.view(box))
    write_photo(edited, tmp_path / "out.heic", provenance=None)
    again = pillow_heif.open_heif(tmp_path / "out.heic")
    assert not again.premultiplied_alpha
    difference = np.asarray(again)[..., :3].astype(int) - edited.view()
    assert np.abs(difference).mean() < 6


def test_a_premultiplied_avif_is_shown_straight(tmp_path: Path) -> None:
    """The decoder does it, where a reference of type "prem" says so."""
    pixels = make.picture(channels=4)
    hidden = np.concatenate([premultiplied(pixels[..., :3], pixels[..., 3:]), pixels[..., 3:]], axis=2)
    data = marked_premultiplied(make.saved(hidden, "AVIF", quality=100, subsampling="4:4:4"))
    (tmp_path / "photo.avif").write_bytes(data)
    assert np.abs(read_photo(tmp_path / "photo.avif").view().astype(int) - pixels[..., :3]).max() <= 8


def marked_premultiplied(data: bytes) -> bytes:
    """A Pillow-made AVIF of two items whose colours are said to be multiplied with the opacity."""
    reference = struct.pack(">I4sHHH", 14, b"prem", 1, 1, 2)
    meta, iref, iloc = (data.index(kind) - 4 for kind in (b"meta", b"iref", b"iloc"))
    end = iref + struct.unpack_from(">I", data, iref)[0]
    made = bytearray(data[:end] + reference + data[end:])
    for box in (meta, iref):
        struct.pack_into(">I", made, box, struct.unpack_from(">I", data, box)[0] + len(reference))
    for item in range(2):
        place = iloc + 16 + 14 * item + 6
        struct.pack_into(">I", made, place, struct.unpack_from(">I", data, place)[0] + len(reference))
    with Image.open(io.BytesIO(made)) as image:
        assert image.mode == "RGBA"
    return bytes(made)
