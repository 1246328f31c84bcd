"""TIFF in all its kinds: made by tifffile, ImageMagick and libtiff, shown by ImageMagick and libtiff before and after an edit."""

import io
import itertools
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from realedit.errors import PhotoError
from realedit.photos import Photo, read_photo, write_photo
from realedit.photos.layout import FURTHER, PREMULTIPLIED, STRAIGHT, premultiplied
from realedit.photos.orientation import to_displayed
from tests.realedit.photos import builders as make
from tests.realedit.photos.independent import needs_imagemagick, needs_libtiff, pairs, run, seen

SIZE = (37, 29)
BOX = (5, 7, 20, 19)
CHOICES = {
    "compression": [None, "lzw", "zlib", "packbits", "zstd", "lzma"],
    "depth": [8, 16],
    "planes": ["contig", "separate"],
    "tile": [None, (16, 32)],
    "order": ["<", ">"],
    "predictor": [False, True],
    "white_is_zero": [False, True],
    "kind": ["grey", "rgb"],
    "extra": [(), (STRAIGHT,), (PREMULTIPLIED,), (FURTHER,), (STRAIGHT, FURTHER), (FURTHER, PREMULTIPLIED)],
    "orientation": list(range(1, 9)),
    "big": [False, True],
}


@dataclass(frozen=True)
class Made:
    """A TIFF and the samples that are in it, white being the largest value."""

    data: bytes
    samples: NDArray[Any]
    colours: int
    extra: tuple[int, ...]
    orientation: int = 1

    def straight(self) -> NDArray[np.float64]:
        """The displayed colours in [0, 1], exact."""
        full = float(np.iinfo(self.samples.dtype).max)
        colours = self.samples[..., : self.colours] / full
        if PREMULTIPLIED in self.extra:
            opacity = self.samples[..., self.colours + self.extra.index(PREMULTIPLIED), None] / full
            colours = np.minimum(colours / np.where(opacity > 0, opacity, 1), 1)
        return to_displayed(np.broadcast_to(colours, (*colours.shape[:2], 3)), self.orientation)


def made(**choice: Any) -> Made:
    """A TIFF by tifffile."""
    depth, extra = choice["depth"], choice["extra"]
    colours = 1 if choice["kind"] == "grey" else 3
    white_is_zero = choice["white_is_zero"] and colours == 1 and PREMULTIPLIED not in extra
    opacity = make.picture(SIZE, depth, 4)[..., 3:]
    opacity[2:4, 3:9] = 0
    further = make.picture(SIZE, depth, 1)[::-1]
    samples = make.picture(SIZE, depth, colours)
    if PREMULTIPLIED in extra:
        samples = premultiplied(samples, opacity)
    samples = np.concatenate([samples, *[further if kind == FURTHER else opacity for kind in extra]], axis=2)
    stored = samples.copy()
    if white_is_zero:
        stored[..., 0] = np.iinfo(samples.dtype).max - stored[..., 0]
    options: dict[str, Any] = {"extrasamples": extra or None}
    if stored.shape[2] == 1:
        stored = stored[..., 0]
    else:
        options["planarconfig"] = choice["planes"]
        stored = np.moveaxis(stored, -1, 0) if choice["planes"] == "separate" else stored
    out = io.BytesIO()
    tifffile.imwrite(
        out,
        stored,
        photometric="rgb" if colours == 3 else "miniswhite" if white_is_zero else "minisblack",
        compression=choice["compression"],
        predictor=(choice["predictor"] and choice["compression"] not in (None, "packbits")) or None,
        tile=choice["tile"],
        rowsperstrip=None if choice["tile"] else 7,
        byteorder=choice["order"],
        bigtiff=choice["big"],
        extratags=[(274, 3, 1, choice["orientation"], True)],
        metadata=None,
        **options,
    )
    return Made(out.getvalue(), samples, colours, extra, choice["orientation"])


def load(folder: Path, data: bytes, name: str = "photo.tif") -> Photo:
    (folder / name).write_bytes(data)
    return read_photo(folder / name)


def edited(photo: Photo) -> Photo:
    return photo.with_block(BOX, np.iinfo(photo.dtype).max - photo.view(BOX))


def by_libtiff(path: Path) -> NDArray[Any]:
    """The samples [h, w, c] of a file, as libtiff gives them."""
    samples = imagecodecs.tiff_decode(path.read_bytes())
    return samples.reshape(*samples.shape[:2], -1)


def outside(photo: Photo) -> NDArray[np.bool_]:
    """Where the stored pixels lie outside of the edit."""
    shown = np.ones((photo.height, photo.width), bool)
    shown[BOX[1] : BOX[3], BOX[0] : BOX[2]] = False
    from realedit.photos.orientation import to_stored

    return to_stored(shown, photo.orientation)


def test_every_two_properties_of_a_tiff_together(tmp_path: Path) -> None:
    for choice in pairs(CHOICES):
        tiff = made(**choice)
        photo = load(tmp_path, tiff.data)
        np.testing.assert_array_equal(photo.stored, tiff.samples, str(choice))
        full = np.iinfo(photo.dtype).max
        assert np.abs(photo.view() - tiff.straight() * full).max() <= 0.501, choice
        assert photo.is_grey == (tiff.colours == 1) and photo.orientation == tiff.orientation, choice
        assert photo.has_alpha == bool({STRAIGHT, PREMULTIPLIED} & set(tiff.extra)), choice

        output = tmp_path / "out.tif"
        output.unlink(missing_ok=True)
        write_photo(edited(photo), output, provenance=None)
        samples, kept = by_libtiff(output), outside(photo)
        np.testing.assert_array_equal(samples[kept], tiff.samples[kept], str(choice))
        np.testing.assert_array_equal(samples[..., tiff.colours :], tiff.samples[..., tiff.colours :])
        assert (samples[~kept][:, 0] != tiff.samples[~kept][:, 0]).mean() > 0.8, choice
        with tifffile.TiffFile(output) as file:
            page = file.pages.first
            assert tuple(page.extrasamples) == tiff.extra, choice
            assert page.photometric == (2 if tiff.colours == 3 else 1), choice
            assert page.tags[274].value == tiff.orientation, choice
            assert (page.compression == 1) == (choice["compression"] is None), choice
        again = read_photo(output)
        inside = again.view(BOX).astype(int) - edited(photo).view(BOX)
        assert not inside.any(), choice


@needs_imagemagick
def test_imagemagick_sees_the_same_photo_before_and_after(tmp_path: Path) -> None:
    choices = [c for c in pairs(CHOICES) if imagemagick_reads(c)]
    photos, outputs = [], []
    for number, choice in enumerate(choices):
        photos.append(load(tmp_path, made(**choice).data, f"{number}.tif"))
        outputs.append(tmp_path / f"{number}-out.tif")
        write_photo(edited(photos[-1]), outputs[-1], provenance=None)
    sizes = [(photo.width, photo.height) for photo in photos]
    before, after = seen([photo.path for photo in photos], sizes), seen(outputs, sizes)
    for choice, photo, one, other in zip(choices, photos, before, after, strict=True):
        kept = to_displayed(outside(photo), photo.orientation)
        np.testing.assert_array_equal(one[kept], other[kept], str(choice))
        np.testing.assert_array_equal(one[..., 3], other[..., 3], str(choice))
        assert (one[~kept] != other[~kept]).any(), choice
        step = 65535 // np.iinfo(photo.dtype).max
        exact = PREMULTIPLIED not in choice["extra"]
        visible = one[..., 3] > 0
        error = np.abs(photo.view().astype(int) * step - one[..., :3])[visible].max()
        assert error <= (0 if exact else step // 2 + 2), choice


def imagemagick_reads(choice: dict[str, Any]) -> bool:
    """ImageMagick 6 takes planes of anything but RGB and RGBA for others, and does not invert grey with opacity."""
    if FURTHER in choice["extra"]:
        return False
    if choice["kind"] == "grey":
        return not choice["extra"] or not (choice["white_is_zero"] or choice["planes"] == "separate")
    return True
