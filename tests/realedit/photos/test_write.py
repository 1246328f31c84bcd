"""Writing: complete or absent, never over the original, lossless where the format is, with everything still
true.
"""

import errno
import re
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from PIL import Image

from realedit.errors import OutputError, ResourceError, UsageError
from realedit.photos import (
    EXTENSIONS,
    Format,
    Photo,
    Provenance,
    check_output,
    read_photo,
    write,
    write_photo,
)
from realedit.photos.metadata.provenance import marked
from tests.realedit.photos import builders as make
from tests.realedit.photos import corpus
from tests.rights import held_to_rights

SAMPLES = {sample.name: sample for sample in corpus.samples()}
BOX = (5, 7, 25, 27)


def load(folder: Path, name: str, data: bytes) -> Photo:
    path = folder / name
    path.write_bytes(data)
    return read_photo(path)


def edited(photo: Photo) -> Photo:
    return photo.with_block(BOX, np.iinfo(photo.dtype).max - photo.view(BOX))


@pytest.mark.parametrize("name", SAMPLES)
def test_an_unchanged_photo_is_copied_byte_for_byte(name: str, tmp_path: Path) -> None:
    photo = load(tmp_path, name, SAMPLES[name].data)
    output = tmp_path / f"copy{Path(name).suffix}"
    report = write_photo(photo, output, provenance=Provenance())
    assert report.copied and output.read_bytes() == SAMPLES[name].data


@pytest.mark.parametrize(
    "name", [n for n in SAMPLES if n.startswith(("png", "tiff", "webp-lossless", "webp-turned"))]
)
def test_lossless_formats_keep_every_other_pixel_and_the_depth(name: str, tmp_path: Path) -> None:
    photo = edited(load(tmp_path, name, SAMPLES[name].data))
    output = tmp_path / f"edited{Path(name).suffix}"
    write_photo(photo, output, provenance=Provenance())
    again = read_photo(output)
    assert again.dtype == photo.dtype and again.is_grey == photo.is_grey
    assert again.orientation == photo.orientation
    np.testing.assert_array_equal(again.stored, photo.stored_region(None))


@pytest.mark.parametrize("extension", [".jpg", ".png", ".tif", ".webp", ".heic", ".avif"])
@pytest.mark.parametrize(
    "name",
    [
        *("jpeg-s2-baseline.jpg", "jpeg-turned-6.jpg", "jpeg-cmyk.jpg", "jpeg-grey.jpg", "jpeg-p3.jpg"),
        *(
            "png-c2-d16.png",
            "png-c4-d16.png",
            "png-palette-alpha.png",
            "png-turned-5.png",
            "tiff-turned-8.tif",
        ),
        *(
            "tiff-cmyk.tif",
            "webp-lossless-alpha.webp",
            "avif-turned-7.avif",
            "heic-d10.heic",
            "heic-turned-6.heic",
        ),
    ],
)
def test_every_format_goes_into_every_other(name: str, extension: str, tmp_path: Path) -> None:
    photo = edited(load(tmp_path, name, SAMPLES[name].data))
    output = tmp_path / f"edited{extension}"
    write_photo(photo, output, provenance=Provenance())
    again = read_photo(output)
    assert (again.width, again.height) == (photo.width, photo.height)
    assert marked(again.metadata.xmp)
    if extension in (".png", ".webp", ".jpg") and again.format is not photo.format:
        with Image.open(output) as image:  # a reader that knows nothing of turns sees it upright too
            assert image.size == (photo.width, photo.height)
    if extension == ".jpg" and photo.has_alpha:
        return
    difference = np.abs(again.srgb().astype(int) - photo.srgb())
    assert difference.mean() < (0.1 if extension in (".png", ".tif") else 25 if photo.palette else 10)


def test_the_extension_decides_and_unknown_ones_are_refused(tmp_path: Path) -> None:
    assert {check_output(tmp_path / f"a{extension.upper()}") for extension in EXTENSIONS} == set(Format) - {
        Format.RAW
    }
    for name in ("a.gif", "a", "a.dng"):
        with pytest.raises(UsageError, match=r"\.jpg"):
            check_output(tmp_path / name)


def test_the_original_is_never_written_over(tmp_path: Path) -> None:
    photo = edited(load(tmp_path, "photo.png", make.png(make.picture())))
    (tmp_path / "hard.png").hardlink_to(photo.path)
    (tmp_path / "soft.png").symlink_to(photo.path)
    (tmp_path / "sub").mkdir()
    for name in ("photo.png", "hard.png", "soft.png", "sub/../photo.png"):
        with pytest.raises(OutputError, match="photo itself"):
            write_photo(photo, tmp_path / name, provenance=None)
    assert photo.path.read_bytes() == photo.source


def test_missing_folders_and_folders_as_outputs(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no folder"):
        check_output(tmp_path / "nowhere" / "a.png")
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        check_output(tmp_path / "a.png")


def test_folders_without_the_right_to_write(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with held_to_rights(), pytest.raises(OutputError, match="no right"):
        check_output(tmp_path / "locked" / "a.png")


def test_an_existing_output_is_replaced_only_when_allowed(tmp_path: Path) -> None:
    photo = load(tmp_path, "photo.png", make.png(make.picture()))
    output = tmp_path / "out.png"
    output.write_bytes(b"old")
    with pytest.raises(OutputError, match="exists already"):
        write_photo(photo, output, overwrite=False, provenance=None)
    assert output.read_bytes() == b"old"
    write_photo(photo, output, provenance=None)
    assert output.read_bytes() == photo.source


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (OSError(errno.ENOSPC, "No space left"), ResourceError),
        (OSError(errno.EIO, "Input/output error"), OutputError),
        (MemoryError(), ResourceError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (RuntimeError("a bug"), RuntimeError),
    ],
)
def test_nothing_is_left_when_writing_fails(
    failure: BaseException, expected: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = edited(load(tmp_path, "photo.png", make.png(make.picture())))
    output = tmp_path / "out.png"
    output.write_bytes(b"the old output")

    def fail(out: BinaryIO, *_: Any) -> tuple[str, ...]:
        out.write(b"half a file")
        raise failure

    monkeypatch.setattr(write.png, "write", fail)
    with pytest.raises(expected):
        write_photo(photo, output, provenance=None)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.png", "photo.png"]
    assert output.read_bytes() == b"the old output"


def test_the_output_has_the_rights_of_any_new_file(tmp_path: Path) -> None:
    photo = load(tmp_path, "photo.png", make.png(make.picture()))
    write_photo(photo, tmp_path / "out.png", provenance=None)
    assert (tmp_path / "out.png").stat().st_mode == photo.path.stat().st_mode


def test_the_same_photo_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in (
        "jpeg-s2-progressive.jpg",
        "png-c3-d16.png",
        "tiff-c3-d16-zlib.tif",
        "webp-lossy.webp",
        "heic.heic",
    ):
        photo = edited(load(tmp_path, name, SAMPLES[name].data))
        outputs = [tmp_path / f"{number}{Path(name).suffix}" for number in range(2)]
        for output in outputs:
            write_photo(photo, output, provenance=Provenance())
        assert outputs[0].read_bytes() == outputs[1].read_bytes(), name


def test_no_mark_when_it_is_not_wanted(tmp_path: Path) -> None:
    photo = edited(load(tmp_path, "photo.jpg", make.jpeg()))
    write_photo(photo, tmp_path / "out.jpg", provenance=None)
    assert read_photo(tmp_path / "out.jpg").metadata.xmp is None


def test_what_a_format_cannot_hold_is_told(tmp_path: Path) -> None:
    deep = edited(load(tmp_path, "deep.png", SAMPLES["png-c4-d16.png"].data))
    warnings = write_photo(deep, tmp_path / "out.jpg", provenance=None).warnings
    assert any("8 bits" in w for w in warnings) and any("opacity" in w for w in warnings)
    assert all(str(tmp_path / "out.jpg") in w for w in warnings)
    palette = edited(load(tmp_path, "palette.png", SAMPLES["png-palette.png"].data))
    assert any("palette" in w for w in write_photo(palette, tmp_path / "out.png", provenance=None).warnings)
    inks = edited(load(tmp_path, "inks.jpg", SAMPLES["jpeg-cmyk.jpg"].data))
    assert any("CMYK" in w for w in write_photo(inks, tmp_path / "out.png", provenance=None).warnings)
    pages = edited(load(tmp_path, "pages.tif", SAMPLES["tiff-pages.tif"].data))
    assert any(
        "2 further pages" in w for w in write_photo(pages, tmp_path / "out.tif", provenance=None).warnings
    )


def test_an_uncompressed_tiff_stays_so(tmp_path: Path) -> None:
    photo = edited(load(tmp_path, "photo.tif", SAMPLES["tiff-c3-d8-None.tif"].data))
    write_photo(photo, tmp_path / "out.tif", provenance=None)
    assert photo.stored_region(None)[:3].tobytes() in (tmp_path / "out.tif").read_bytes()


def test_channels_beyond_opacity_stay_in_a_tiff(tmp_path: Path) -> None:
    pixels = np.concatenate([make.picture(), make.picture(channels=4)[..., 2:]], axis=2)
    photo = edited(load(tmp_path, "photo.tif", make.tiff(pixels, extrasamples=["unassalpha", "unspecified"])))
    write_photo(photo, tmp_path / "out.tif", provenance=None)
    np.testing.assert_array_equal(read_photo(tmp_path / "out.tif").stored[..., 3:], pixels[..., 3:])
    write_photo(photo, tmp_path / "out.png", provenance=None)
    np.testing.assert_array_equal(read_photo(tmp_path / "out.png").view(), photo.view())


def test_a_profile_of_inks_does_not_end_up_on_rgb_pixels(tmp_path: Path) -> None:
    data = make.with_segments(make.jpeg(mode="CMYK"), make.icc_segment(b"\x00" * 200))
    photo = edited(load(tmp_path, "photo.jpg", data))
    write_photo(photo, tmp_path / "out.png", provenance=None)
    assert read_photo(tmp_path / "out.png").metadata.icc is None


def test_grey_with_a_profile_becomes_srgb_where_there_is_only_rgb(tmp_path: Path) -> None:
    data = make.with_segments(make.jpeg(mode="L"), make.icc_segment(make.grey_profile(1.0)))
    photo = edited(load(tmp_path, "photo.jpg", data))
    write_photo(photo, tmp_path / "out.webp", provenance=None)
    again = read_photo(tmp_path / "out.webp")
    assert again.metadata.icc is None
    assert np.abs(again.srgb().astype(int) - photo.srgb()).mean() < 4


def test_a_profile_stated_by_numbers_goes_along(tmp_path: Path) -> None:
    nclx = dict(color_primaries=12, transfer_characteristics=13, matrix_coefficients=6, full_range_flag=1)
    photo = edited(load(tmp_path, "photo.heic", make.heic(make.picture(), nclx_profile=nclx)))
    assert photo.colour.name == "Display P3"
    for name in ("out.png", "out.heic", "out.jpg"):
        write_photo(photo, tmp_path / name, provenance=None)
        assert read_photo(tmp_path / name).colour.name == "Display P3", name


@pytest.mark.parametrize(
    ("chunk", "name"), [(b"cICP", "Display P3"), (b"gAMA", "PNG gamma and chromaticities")]
)
def test_pngs_that_state_their_colours_without_a_profile(chunk: bytes, name: str, tmp_path: Path) -> None:
    content = b"\x0c\x0d\x00\x01" if chunk == b"cICP" else struct.pack(">I", 100000)
    photo = load(tmp_path, "photo.png", make.png(make.picture(), before=((chunk, content),)))
    assert photo.colour.name == name
    write_photo(edited(photo), tmp_path / "out.png", provenance=None)
    again = read_photo(tmp_path / "out.png")
    assert again.metadata.icc is None and again.colour.name == name  # the chunk itself stays
    assert load(
        tmp_path, "b.png", make.png(make.picture(), before=((b"gAMA", struct.pack(">I", 45455)),))
    ).colour.is_srgb


def test_large_xmp_goes_into_an_extension(tmp_path: Path) -> None:
    packet = make.xmp("<dc:source>" + "x" * 150_000 + "</dc:source>")
    source = make.png(make.picture(), after=((b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + packet),))
    photo = edited(load(tmp_path, "photo.png", source))
    write_photo(photo, tmp_path / "out.jpg", provenance=Provenance())
    data = (tmp_path / "out.jpg").read_bytes()
    assert marked(read_photo(tmp_path / "out.jpg").metadata.xmp)
    parts = re.findall(rb"http://ns.adobe.com/xmp/extension/\x00(.{32})", data, re.DOTALL)
    assert len(parts) == 3 and len(set(parts)) == 1
