"""Reading: every kind of photo, by content, within limits; and every kind of damage refused in one
sentence.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from realedit.errors import PhotoError, UsageError
from realedit.photos import Format, check_output, check_photo, read_photo
from tests.realedit.photos import builders as make
from tests.realedit.photos import corpus

SAMPLES = list(corpus.samples())
DAMAGED = [
    *("jpeg-s2-baseline.jpg", "jpeg-s0-progressive.jpg", "jpeg-cmyk.jpg", "jpeg-restarts.jpg"),
    *(
        "png-c3-d8.png",
        "png-c4-d16-interlaced.png",
        "png-palette.png",
        "tiff-c3-d16-zlib.tif",
        "tiff-lzw-d16.tif",
    ),
    *(
        "tiff-tiled-zstd.tif",
        "tiff-tiled-lzma.tif",
        "tiff-webp.tif",
        "tiff-jpeg-tiles.tif",
    ),
    *(
        "tiff-tiff_lzw.tif",
        "webp-lossless.webp",
        "webp-lossy.webp",
        "avif.avif",
        "heic.heic",
        "heic-d10.heic",
    ),
]


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_kind_of_photo_is_read(sample: corpus.Sample, tmp_path: Path) -> None:
    photo = read_photo(write(tmp_path, sample.name, sample.data))
    assert (photo.depth, photo.is_grey) == (sample.depth, sample.grey)
    assert photo.dtype == (np.uint16 if sample.depth > 8 else np.uint8)
    orientation = int(sample.name.split("-")[-1].split(".")[0]) if "turned" in sample.name else 1
    turned = orientation >= 5
    assert (photo.width, photo.height) == (make.SIZE[::-1] if turned else make.SIZE)
    if sample.exact:
        expected = make.picture(depth=sample.depth, channels=sample.channels)
        np.testing.assert_array_equal(photo.stored[..., : sample.channels], expected)


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp", "avif", "heic"])
def test_the_eight_orientations_show_the_same_picture(kind: str, tmp_path: Path) -> None:
    """Each file is the same picture stored in one orientation, so turning its pixels upright differs as it
    should.
    """
    from realedit.photos.orientation import to_displayed

    for sample in SAMPLES:
        if not sample.name.startswith(f"{kind}-turned"):
            continue
        photo = read_photo(write(tmp_path, sample.name, sample.data))
        orientation = int(sample.name.split("-")[-1].split(".")[0])
        expected = to_displayed(make.picture(), orientation).astype(int)
        assert np.abs(photo.srgb().astype(int) - expected).mean() < 6
        if kind != "heic":  # its decoder turns the pixels itself
            assert photo.orientation == orientation


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_photos_are_refused_or_read_but_never_crash(name: str, tmp_path: Path) -> None:
    sample = next(s for s in SAMPLES if s.name == name)
    for what, data in corpus.damaged(sample, flips=25):
        path = write(tmp_path, name, data)
        try:
            photo = read_photo(path)
        except PhotoError as error:
            assert str(path) in str(error) and "\n" not in str(error)
        else:
            assert "cut" not in what or any("is whole" in w or "left out" in w for w in photo.warnings), what
            assert photo.view().shape[2] == 3


@pytest.mark.parametrize(
    ("name", "data"), list(corpus.odd_files()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_odd_files_are_read_by_content_or_refused(name: str, data: bytes, tmp_path: Path) -> None:
    path = write(tmp_path, name, data)
    if name.startswith(("empty", "zeros", "text", "noise", "gif", "bmp", "bomb")):
        with pytest.raises(PhotoError, match=name):
            read_photo(path)
    else:
        assert read_photo(path).width >= 1


@pytest.mark.parametrize(
    "sample", [s for s in SAMPLES if s.name.startswith(("jpeg", "png-c3"))], ids=lambda sample: sample.name
)
def test_checking_a_file_refuses_what_reading_refuses(sample: corpus.Sample, tmp_path: Path) -> None:
    whole = write(tmp_path, sample.name, sample.data)
    assert check_photo(whole) == read_photo(whole).sha256
    for part in (0.3, 0.9):
        cut = write(tmp_path, f"cut-{sample.name}", sample.data[: int(part * len(sample.data))])
        ways = []
        for way in (read_photo, check_photo):
            try:
                way(cut)
                ways.append("")
            except PhotoError as error:
                ways.append(str(error))
        assert ways[0] == ways[1]


def test_the_content_decides_and_not_the_extension(tmp_path: Path) -> None:
    assert read_photo(write(tmp_path, "photo.png", make.jpeg())).format is Format.JPEG


def test_a_photo_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    for sample in SAMPLES:
        if "turned" in sample.name:
            continue
        path = write(tmp_path, sample.name, sample.data)
        with pytest.raises(PhotoError, match=r"more than the limit of 1000 .*--max-pixels"):
            read_photo(path, max_pixels=1000)


def test_large_photos_need_no_global_switch_of_pillows(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    from PIL import Image

    limit = Image.MAX_IMAGE_PIXELS
    path = tmp_path / "large.png"
    Image.new("L", (10000, 18500)).save(path, compress_level=1)  # Image.open refuses more than 179 million
    assert read_photo(path).height == 18500
    assert limit == Image.MAX_IMAGE_PIXELS and not [w for w in recwarn if "bomb" in str(w.message)]


def test_missing_folders_and_special_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no photo .*nothing\.jpg"):
        read_photo(tmp_path / "nothing.jpg")
    with pytest.raises(PhotoError, match="folder"):
        read_photo(tmp_path)
    fifo = tmp_path / "fifo.jpg"
    os.mkfifo(fifo)
    with pytest.raises(PhotoError, match="not a plain file"):
        read_photo(fifo)


def test_names_that_are_not_ascii(tmp_path: Path) -> None:
    for sample in SAMPLES[::9]:
        path = write(tmp_path, "Ängström 写真 " + sample.name, sample.data)
        assert read_photo(path).path == path


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    import hashlib

    data = make.jpeg()
    assert read_photo(write(tmp_path, "a.jpg", data)).sha256 == hashlib.sha256(data).hexdigest()


def test_animations_and_depths_that_are_lost_are_told(tmp_path: Path) -> None:
    frames = [make.pillow(make.picture()), make.pillow(255 - make.picture())]
    for name in ("moving.webp", "moving.avif", "moving.png"):
        path = tmp_path / name
        frames[0].save(path, save_all=True, append_images=frames[1:])
        assert any("animated" in warning for warning in read_photo(path).warnings), name


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"dtype": np.float32}, "floating-point numbers of 32 bits"),
        ({"dtype": np.float16}, "floating-point numbers of 16 bits"),
        ({"dtype": np.uint32}, "whole numbers"),
        ({"dtype": np.int16}, "whole numbers"),
        ({"photometric": "cielab"}, "colour space"),
        ({"photometric": "separated", "dtype": np.uint16, "channels": 4}, "CMYK"),
    ],
)
def test_tiffs_that_are_no_photographs_are_refused_with_the_remedy(
    tags: dict[str, object], reason: str, tmp_path: Path
) -> None:
    pixels = np.zeros((8, 9, int(str(tags.get("channels", 3)))), tags.get("dtype", np.uint8))
    data = make.tiff(pixels, photometric=tags.get("photometric", "rgb"))
    with pytest.raises(PhotoError, match=rf"{reason}.*convert"):
        read_photo(write(tmp_path, "a.tif", data))


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/null", "photo.jpg"])
def test_devices_and_links_in_a_circle_are_no_photos(target: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.symlink_to(target)
    with pytest.raises((PhotoError, UsageError), match=r"not a plain file|there is no photo"):
        read_photo(path)
    check_output(tmp_path / "out.jpg", path)  # its comparison of the two names does not mind the circle
