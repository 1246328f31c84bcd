"""TIFF in all its kinds, made by tifffile, ImageMagick and libtiff, and shown by the last two before and
after an edit.
"""

import functools
import io
import itertools
import struct
import tracemalloc
import zlib
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
from realedit.photos.orientation import to_displayed, to_stored
from realedit.photos.shared.layout import FURTHER, PREMULTIPLIED, STRAIGHT, premultiplied
from tests.realedit.photos import builders as make
from tests.realedit.photos.independent import IMAGEMAGICK, needs_imagemagick, needs_libtiff, pairs, run, seen

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
    """ImageMagick 6 mixes up the planes of all but RGB and RGBA, and does not invert grey with opacity."""
    if FURTHER in choice["extra"]:
        return False
    if choice["kind"] == "grey":
        return not choice["extra"] or not (choice["white_is_zero"] or choice["planes"] == "separate")
    return True


# what ImageMagick is to write: channels of the picture, options, and by how many of 65535 levels it may show
# another colour (JPEG and YCbCr are not decoded alike everywhere; premultiplied colours are rounded)
WRITTEN: dict[str, tuple[int, str, int]] = {
    **{
        f"{kind}-{depth}-{order}": (channels, f"-depth {depth} -endian {order} -compress lzw", 0)
        for kind, channels, depths in (
            ("grey", 1, (1, 2, 4, 8, 10, 12, 14, 16)),
            ("rgb", 3, (2, 4, 8, 10, 12, 16)),
        )
        for depth in depths
        for order in ("lsb", "msb")
    },
    **{
        f"white-is-zero-{depth}": (1, f"-depth {depth} -define quantum:polarity=min-is-white", 0)
        for depth in (1, 8, 16)
    },
    **{f"rgba-{d}": (4, f"-depth {d} -define tiff:alpha=unassociated", 0) for d in (2, 4, 8, 16)},
    **{f"grey-alpha-{d}": (2, f"-depth {d} -define tiff:alpha=unassociated", 0) for d in (2, 4, 8, 16)},
    **{f"premultiplied-{d}": (4, f"-depth {d} -define tiff:alpha=associated", 130) for d in (2, 4, 8)},
    "premultiplied-16": (4, "-depth 16 -define tiff:alpha=associated", 2),
    **{f"palette-{n}": (3, f"-colors {n} -depth 8 -type Palette", 0) for n in (2, 4, 16, 200)},
    **{f"palette-alpha-{n}": (4, f"-colors {n} -depth 8 -type PaletteAlpha", 0) for n in (16, 200)},
    **{
        f"bilevel-{compression}-{order}": (
            1,
            f"-threshold 50% -type bilevel -compress {compression} -define tiff:fill-order={order}",
            0,
        )
        for compression in ("group4", "fax", "rle", "none", "lzw", "zip")
        for order in ("msb", "lsb")
    },
    **{f"zipped-{name}": (3, f"-depth 8 -compress {name}", 0) for name in ("zstd", "lzma", "zip", "rle")},
    "jpeg": (3, "-depth 8 -compress jpeg -quality 90", 514),
    "jpeg-grey": (1, "-depth 8 -compress jpeg -quality 90", 514),
    "webp": (3, "-depth 8 -compress webp -quality 90", 514),
    **{
        f"ycbcr-{turn}": (3, f"-depth 8 -colorspace YCbCr -compress lzw -orient {turn}", 514)
        for turn in ("TopLeft", "TopRight", "BottomRight", "BottomLeft", "LeftTop", "RightTop", "LeftBottom")
    },
    "cmyk": (3, "-depth 8 -colorspace CMYK -compress lzw", 257),
    "cmyk-alpha": (4, "-depth 8 -colorspace CMYK -compress lzw", 257),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of `WRITTEN`, by one ImageMagick."""
    folder = tmp_path_factory.mktemp("written")
    for channels in range(1, 5):
        (folder / f"{channels}.png").write_bytes(make.png(make.picture(SIZE, 16, channels), 16))
    words = [str(folder / f"{channels}.png") for channels in range(1, 5)]
    for name, (channels, options, _) in WRITTEN.items():
        clone = ["(", "-clone", str(channels - 1), *options.split(), "-write", str(folder / f"{name}.tif")]
        words += [*clone, "+delete", ")"]
    run(str(IMAGEMAGICK), "-respect-parentheses", *words, "null:")
    return {name: folder / f"{name}.tif" for name in WRITTEN}


@needs_imagemagick
def test_what_imagemagick_writes_is_read_and_kept(written: dict[str, Path]) -> None:
    photos = {name: read_photo(path) for name, path in written.items()}
    check_against_imagemagick(photos, {name: WRITTEN[name][2] for name in photos})
    assert {name: photo.depth for name, photo in photos.items() if name.startswith("grey-1")} == {
        f"grey-{depth}-{order}": depth for depth in (1, 10, 12, 14, 16) for order in ("lsb", "msb")
    }


def check_against_imagemagick(photos: dict[str, Photo], tolerance: dict[str, int]) -> None:
    """ImageMagick shows each photo as it is read, and outside of an edit the same before and after."""
    outputs = [photo.path.with_suffix(".out.tif") for photo in photos.values()]
    for photo, output in zip(photos.values(), outputs, strict=True):
        write_photo(edited(photo), output, provenance=None)
    sizes = [(photo.width, photo.height) for photo in photos.values()]
    before, after = seen([photo.path for photo in photos.values()], sizes), seen(outputs, sizes)
    for (name, photo), one, other in zip(photos.items(), before, after, strict=True):
        step = 65535 // np.iinfo(photo.dtype).max
        visible = one[..., 3] > 0
        assert visible.any(), name
        error = np.abs(photo.view().astype(int) * step - one[..., :3])[visible].max()
        assert error <= tolerance[name], (name, error)
        kept = to_displayed(outside(photo), photo.orientation)
        coded_with_loss = tolerance[name] == 514
        limit = tolerance[name] if coded_with_loss else 0
        assert np.abs(one[kept].astype(int) - other[kept]).max() <= limit, name
        np.testing.assert_array_equal(one[..., 3], other[..., 3], name)


# by libtiff's tiffcp from a file of `WRITTEN`
COPIED: dict[str, tuple[str, str, int]] = {
    "fax-1d": ("grey-1-msb", "-c g3:1d", 0),
    "fax-2d-filled": ("grey-1-msb", "-c g3:2d:fill", 0),
    "fax-4-lsb": ("grey-1-msb", "-c g4 -f lsb2msb", 0),
    "fax-4-tiles": ("grey-1-msb", "-c g4 -t -w 32 -l 16", 0),
    "bigtiff": ("rgb-16-lsb", "-8 -B -c lzw:2", 0),
    "planes": ("rgb-8-lsb", "-p separate -r 5 -c packbits", 0),
    "jpeg-ycbcr": ("rgb-8-lsb", "-c jpeg:90", 514),
    "jpeg-rgb": ("rgb-8-lsb", "-c jpeg:r:90", 514),
    "jpeg-tiles": ("rgb-8-lsb", "-t -w 16 -l 16 -c jpeg:90", 514),
    "palette": ("palette-200", "-c zip:2 -t -w 16 -l 16", 0),
    "four-bits-in-tiles": ("grey-4-msb", "-c zstd -t -w 16 -l 16", 0),
}


@needs_imagemagick
@needs_libtiff
def test_what_libtiff_copies_is_read_and_kept(written: dict[str, Path], tmp_path: Path) -> None:
    photos = {}
    for name, (original, options, _) in COPIED.items():
        path = tmp_path / f"copied-{name}.tif"
        run("tiffcp", *options.split(), written[original], path)
        photos[name] = read_photo(path)
    run("tiffcp", "-c", "none", photos["jpeg-ycbcr"].path, tmp_path / "was-jpeg.tif")
    photos["was-jpeg"] = read_photo(tmp_path / "was-jpeg.tif")  # RGB that still states a subsampling
    check_against_imagemagick(photos, {name: COPIED.get(name, ("", "", 0))[2] for name in photos})


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_old_style_jpeg_is_read_and_not_turned_twice(orientation: int, tmp_path: Path) -> None:
    jpeg = make.jpeg(make.picture(SIZE), quality=98, subsampling=0)
    start = 8 + len(jpeg) + (len(jpeg) & 1)
    shorts = [(256, SIZE[0]), (257, SIZE[1]), (259, 6), (262, 6), (274, orientation), (277, 3), (512, 1)]
    longs = [(273, 8), (279, len(jpeg)), (278, SIZE[1]), (513, 8), (514, len(jpeg))]
    entries = [(tag, 3, 1, struct.pack("<H", value)) for tag, value in shorts]
    entries += [(tag, 4, 1, struct.pack("<I", value)) for tag, value in longs]
    entries += [(258, 3, 3, struct.pack("<3H", 8, 8, 8)), (530, 3, 2, struct.pack("<2H", 1, 1))]
    data = b"II" + struct.pack("<HI", 42, start) + jpeg.ljust(start - 8, b"\0")
    photo = load(tmp_path, data + make.directory(entries, start, "<", 0))
    assert photo.orientation == orientation
    assert np.abs(photo.stored.astype(int) - make.picture(SIZE)).mean() < 3


def test_premultiplied_colours_take_an_edit_multiplied(tmp_path: Path) -> None:
    """Full opacity takes the edit as it is, half of it half, and none keeps what is stored."""
    stored = np.zeros((8, 12, 4), np.uint8)
    stored[:, :4], stored[:, 4:8] = (200, 100, 50, 255), (100, 50, 25, 128)
    photo = load(tmp_path, make.tiff(stored, extrasamples=["assocalpha"]))
    assert photo.view()[0, [0, 4, 8]].tolist() == [[200, 100, 50], [199, 100, 50], [0, 0, 0]]
    block = photo.view((0, 0, 12, 4))
    block[:] = (60, 200, 30)
    write_photo(photo.with_block((0, 0, 12, 4), block), tmp_path / "out.tif", provenance=None)
    samples = tifffile.imread(tmp_path / "out.tif")
    assert samples[0, [0, 4, 8]].tolist() == [[60, 200, 30, 255], [30, 100, 15, 128], [0, 0, 0, 0]]
    np.testing.assert_array_equal(samples[4:], stored[4:])


@pytest.mark.parametrize("extension", [".png", ".jpg", ".webp"])
def test_other_formats_get_straight_colours_and_no_further_channel(extension: str, tmp_path: Path) -> None:
    for kind, extra in itertools.product(("grey", "rgb"), CHOICES["extra"]):
        tiff = made(
            compression="lzw", depth=8, planes="contig", tile=None, order="<", predictor=False,
            white_is_zero=False, kind=kind, extra=extra, orientation=6, big=False,
        )  # fmt: skip
        photo = load(tmp_path, tiff.data)
        report = write_photo(edited(photo), tmp_path / f"out{extension}", provenance=None)
        assert any("further channel" in warning for warning in report.warnings) == (FURTHER in extra)
        again = read_photo(tmp_path / f"out{extension}")
        assert (again.width, again.height) == (photo.width, photo.height)
        if extension == ".png":
            np.testing.assert_array_equal(again.view(), edited(photo).view())
            assert again.has_alpha == photo.has_alpha


@pytest.mark.parametrize("max_side", [7, 20])
def test_reduced_views_know_the_channels(max_side: int, tmp_path: Path) -> None:
    for extra in CHOICES["extra"]:
        tiff = made(
            compression=None, depth=16, planes="separate", tile=None, order=">", predictor=False,
            white_is_zero=False, kind="grey", extra=extra, orientation=1, big=False,
        )  # fmt: skip
        reduced = load(tmp_path, tiff.data).srgb_reduced(max_side)
        assert max(reduced.shape) == max_side and (reduced[..., 0] == reduced[..., 2]).all()


REFUSED = {
    "float": (dict(dtype=np.float32), "floating-point numbers of 32 bits; convert it to 16 bits"),
    "half": (dict(dtype=np.float16), "floating-point numbers of 16 bits; convert it to 16 bits"),
    "double": (dict(dtype=np.float64), "floating-point"),
    "predicted": (dict(dtype=np.float32, predictor=3, compression="zlib"), "floating-point"),
    "long": (dict(dtype=np.uint32), "whole numbers of 1 to 16 bits; convert it to 16 bits"),
    "signed": (dict(dtype=np.int16), "whole numbers"),
    "complex": (dict(dtype=np.complex64), "whole numbers"),
    "lab": (dict(photometric="cielab"), r"colour space \(CIELab\) is not read; convert it to RGB"),
    "mask": (dict(photometric="mask", channels=1), "neither grey, RGB, palette nor CMYK; convert it to RGB"),
    "deep-inks": (dict(photometric="separated", dtype=np.uint16, channels=4), "CMYK of another kind"),
    "hidden-inks": (
        dict(photometric="separated", channels=5, extrasamples=["assocalpha"]),
        "CMYK of another kind",
    ),
    "jpeg-2000": (dict(compression="jpeg2000"), r"compression \(JPEG_?2000\) is not read; save it with LZW"),
    "jpeg-xl": (dict(compression="jpegxl"), "compression .* is not read"),
    "negative-clear": (
        dict(photometric="miniswhite", channels=2, extrasamples=["assocalpha"], planarconfig="contig"),
        "opacity is premultiplied; save it as RGB",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_refused_with_what_to_do(name: str, tmp_path: Path) -> None:
    tags, reason = REFUSED[name]
    options: dict[str, Any] = dict(tags)
    shape = (16, 24, options.pop("channels", 3))
    pixels = np.ones(shape, options.pop("dtype", np.uint8))
    with pytest.raises(PhotoError, match=reason) as refusal:
        load(tmp_path, make.tiff(pixels, **{"photometric": "rgb", **options}))
    assert "photo.tif" in str(refusal.value) and "\n" not in str(refusal.value)


def with_tag(data: bytes, tag: int, value: int, kind: int = 4) -> bytes:
    """A little-endian TIFF with the value of a field of one item replaced."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        at = file.pages.first.tags[tag].offset
    return data[: at + 2] + struct.pack("<HII", kind, 1, value) + data[at + 12 :]


def tiled(**options: Any) -> bytes:
    return make.tiff(make.picture(SIZE), tile=(16, 16), compression="zlib", **options)


@functools.cache
def bombs() -> dict[str, bytes]:
    """Small files that ask for much memory."""
    pixels = make.picture(SIZE)
    huge = make.jpeg(pixels)
    at = huge.index(b"\xff\xc0") + 5
    huge = huge[:at] + struct.pack(">HH", 65000, 65000) + huge[at + 4 :]
    jpeg = make.tiff(pixels, compression="jpeg")
    with tifffile.TiffFile(io.BytesIO(jpeg)) as file:
        page = file.pages.first
        start, length = page.dataoffsets[0], page.databytecounts[0]
    webp = make.saved(pixels, "WEBP", lossless=True)
    size = struct.pack("<I", 16382 | 16382 << 14)
    webp = webp[:21] + size + webp[25:]
    lossless = make.tiff(pixels, compression="webp", compressionargs={"lossless": True})
    with tifffile.TiffFile(io.BytesIO(lossless)) as file:
        webp_at = file.pages.first.dataoffsets[0]
    long = zlib.compress(bytes(100_000_000), 1)
    strip = make.tiff(pixels, compression="zlib")
    strip = with_tag(with_tag(strip, 273, len(strip)), 279, len(long)) + long
    return {
        "tile-width": with_tag(tiled(), 322, 1 << 30),
        "tile-length": with_tag(tiled(), 323, 1 << 30),
        "channels": with_tag(make.tiff(make.picture(SIZE, channels=1)), 277, 65535),
        "jpeg": jpeg[:start] + huge[:length].ljust(length, b"\0") + jpeg[start + length :],
        "webp": lossless[:webp_at] + webp[:30] + lossless[webp_at + 30 :],
        "strip": strip,
    }


@pytest.mark.parametrize("name", ["tile-width", "tile-length", "channels", "jpeg", "webp", "strip"])
def test_small_files_that_ask_for_much_memory_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.tif"
    path.write_bytes(bombs()[name])
    tracemalloc.start()
    try:
        with pytest.raises(PhotoError):
            read_photo(path, max_pixels=1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_files_without_some_of_their_strips_are_refused(tmp_path: Path) -> None:
    data = make.tiff(make.picture(SIZE), rowsperstrip=8)
    for offset, count in ((0, 100), (8, 0)):
        broken = with_tag(with_tag(data, 273, offset), 279, count)
        with pytest.raises(PhotoError, match="parts of its picture data are missing"):
            load(tmp_path, broken)
