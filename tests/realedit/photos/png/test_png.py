"""PNG in all its kinds, made by hand, and shown by ImageMagick before and after an edit."""

import itertools
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realedit.errors import PhotoError
from realedit.photos import Photo, read_photo, write_photo
from tests.realedit.photos import builders as make
from tests.realedit.photos.independent import needs_imagemagick, seen

SIZE = (29, 23)
BOX = (4, 6, 15, 17)
DEPTHS = {
    "grey": (1, 2, 4, 8, 16),
    "rgb": (8, 16),
    "palette": (1, 2, 4, 8),
    "grey-alpha": (8, 16),
    "rgba": (8, 16),
}
CHANNELS = {"grey": 1, "rgb": 3, "palette": 1, "grey-alpha": 2, "rgba": 4}
COLOURS: dict[str, tuple[tuple[bytes, bytes], ...]] = {
    "plain": (),
    "gamma": ((b"gAMA", struct.pack(">I", 100000)),),
    "primaries": (
        (b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)),
        (b"gAMA", struct.pack(">I", 45455)),
    ),
    "srgb": ((b"sRGB", b"\x00"), (b"gAMA", struct.pack(">I", 45455))),
    "code-points": ((b"cICP", b"\x0c\x0d\x00\x01"),),
    "significant-bits": ((b"sBIT", b""),),
}
KINDS = [
    (kind, depth, interlaced, transparent)
    for kind, depths in DEPTHS.items()
    for depth, interlaced, transparent in itertools.product(depths, (False, True), (False, True))
    if not (transparent and kind in ("grey-alpha", "rgba"))
]


def made(kind: str, depth: int, interlaced: bool, transparent: bool, colours: str = "plain") -> bytes:
    pixels = make.picture(SIZE, depth, CHANNELS[kind])
    options: dict[str, Any] = {"interlaced": interlaced}
    if kind == "palette":
        options["palette"] = np.random.default_rng(1).integers(0, 256, 3 << depth, dtype=np.uint8).tobytes()
    if transparent and kind == "palette":
        options["transparent"] = bytes(range(0, 256, 255 // ((1 << depth) - 1)))[: (1 << depth) - 1]
    elif transparent:
        options["transparent"] = pixels[5, 7].astype(">u2").tobytes()
    before = tuple((name, data or bytes([min(depth, 8)] * (3 if kind == "palette" else CHANNELS[kind])))
                   for name, data in COLOURS[colours])  # fmt: skip
    return make.png(pixels, depth, before=before, **options)


def edited(photo: Photo) -> Photo:
    return photo.with_block(BOX, np.iinfo(photo.dtype).max - photo.view(BOX))


def load(folder: Path, name: str, data: bytes) -> Photo:
    (folder / name).write_bytes(data)
    return read_photo(folder / name)


@needs_imagemagick
@pytest.mark.parametrize("colours", COLOURS)
def test_colours_and_transparency_are_those_that_imagemagick_sees(colours: str, tmp_path: Path) -> None:
    photos, outputs = [], []
    for number, kind in enumerate(KINDS):
        photos.append(load(tmp_path, f"{number}.png", made(*kind, colours=colours)))
        outputs.append(tmp_path / f"{number}-out.png")
        write_photo(edited(photos[-1]), outputs[-1], provenance=None)
    sizes = [SIZE] * len(photos)
    before, after = seen([photo.path for photo in photos], sizes), seen(outputs, sizes)
    kept = np.ones(SIZE[::-1], bool)
    kept[BOX[1] : BOX[3], BOX[0] : BOX[2]] = False
    for kind, photo, one, other in zip(KINDS, photos, before, after, strict=True):
        np.testing.assert_array_equal(one[kept], other[kept], str(kind))
        np.testing.assert_array_equal(one[..., 3], other[..., 3], str(kind))
        assert photo.has_alpha == (one[..., 3].min() < 65535), kind
        assert photo.has_alpha == (kind[3] or kind[0] in ("grey-alpha", "rgba")), kind
        step = 65535 // np.iinfo(photo.dtype).max
        if photo.has_alpha:
            np.testing.assert_array_equal(photo.stored[..., -1].astype(int) * step, one[..., 3], str(kind))
        if colours in ("plain", "srgb", "significant-bits"):  # else ImageMagick turns grey to sRGB
            np.testing.assert_array_equal(photo.view().astype(int) * step, one[..., :3], str(kind))
        assert photo.depth == kind[1]


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_transparent_value_counts_with_the_bits_of_the_depth_alone(depth: int, tmp_path: Path) -> None:
    pixels = make.picture(SIZE, depth, 1)
    key = int(pixels[5, 7, 0]) | ((0xFFFF << depth) & 0xFFFF)
    photo = load(tmp_path, "photo.png", make.png(pixels, depth, transparent=struct.pack(">H", key)))
    np.testing.assert_array_equal(photo.stored[..., 1] == 0, pixels[..., 0] == pixels[5, 7, 0])


def test_a_transparent_value_of_the_wrong_length_is_refused(tmp_path: Path) -> None:
    for depth in (8, 16):
        data = make.png(make.picture(SIZE, depth), depth, transparent=b"\x00\x01")
        with pytest.raises(PhotoError, match="its transparent colour"):
            load(tmp_path, "photo.png", data)
