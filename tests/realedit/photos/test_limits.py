"""What a file can hold: the table's figures are those of the encoders, and a picture is measured first."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realedit.compare.animation import Frame, write_animation
from realedit.compare.comparison import write_still
from realedit.editing.request import EditRequest
from realedit.errors import OutputError, PhotoError
from realedit.photos import read_photo, write, write_photo
from realedit.photos.limits import LIMITS
from realedit.pipeline import begin
from tests.realedit.photos.jpeg.test_exact import edited


def strip(folder: Path, width: int, height: int, **options: object) -> Path:
    """A grey PNG of that size."""
    path = folder / "strip.png"
    Image.new("L", (width, height), 128).save(path, compress_level=1, **options)
    return path


EDGES = [
    *((".jpg", 65500, 8), (".webp", 16383, 8), (".avif", 32768, 8), (".heic", 65520, 32), (".heic", 4208, 8)),
]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("extension", "most", "other"), EDGES)
def test_a_limit_is_the_last_size_that_can_be_written_and_read_again(
    tmp_path: Path, extension: str, most: int, other: int, turned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def size(longer: int) -> tuple[int, int]:
        return (other, longer) if turned else (longer, other)

    output = tmp_path / f"out{extension}"
    write_photo(read_photo(strip(tmp_path, *size(most))), output, provenance=None)
    photo = read_photo(output)
    assert (photo.width, photo.height) == size(most)
    beyond = read_photo(strip(tmp_path, *size(most + 1)))
    with pytest.raises(OutputError, match=f"at most {most} pixels a side.* end its name in .*[.]png"):
        write_photo(beyond, output, provenance=None)
    monkeypatch.setattr(write, "check_fits", lambda *_: None)
    # libraries raise what they like
    with pytest.raises(Exception) as error:
        write_photo(beyond, output, provenance=None)
        read_photo(output)
    assert "at most" not in str(error.value)


def test_every_format_that_is_written_has_its_limit() -> None:
    assert {str(kind) for kind in write.EXTENSIONS.values()} <= set(LIMITS)


def test_a_large_picture_is_counted_in_pixels_and_bytes() -> None:
    assert LIMITS["AVIF"].broken_by(16384, 16384) is None
    assert "268435456 pixels" in str(LIMITS["AVIF"].broken_by(16385, 16384))
    assert LIMITS["TIFF"].broken_by(30000, 30000, 30000 * 30000 * 4) is None
    assert "bytes" in str(LIMITS["TIFF"].broken_by(30000, 30000, 30000 * 30000 * 6))


@pytest.mark.parametrize("orientation", [1, 6])
def test_an_edit_is_refused_before_anything_is_computed(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = strip(tmp_path, 16384, 40, exif=exif)
    output = tmp_path / "out.webp"
    request = EditRequest(
        photo=photo, output=output, drags=(((5, 5), (9, 9)),), box=(0, 0, 30, 30), model="no such model"
    )
    with pytest.raises(OutputError, match="WebP holds at most 16383 pixels a side"):
        begin(request)
    assert not output.exists()


def test_a_change_of_format_alone_is_measured_too(tmp_path: Path) -> None:
    photo = edited(read_photo(strip(tmp_path, 16384, 8)), (0, 0, 4, 4))
    for name in ("out.jpg", "out.png", "out.tif"):
        write_photo(photo, tmp_path / name, provenance=None)
        assert read_photo(tmp_path / name).width == 16384


def test_a_jpeg_beyond_what_libjpeg_reads_is_refused_as_such(tmp_path: Path) -> None:
    path = tmp_path / "wide.jpg"
    Image.new("L", (65500, 8)).save(path)
    data = bytearray(path.read_bytes())
    at = data.index(b"\xff\xc0") + 7
    data[at : at + 2] = (65535).to_bytes(2, "big")
    path.write_bytes(data)
    with pytest.raises(PhotoError, match="65535 x 8 pixels are more than the 65500 a side"):
        read_photo(path)


@pytest.mark.parametrize(
    ("extension", "most", "other"), [(".gif", 65535, 2), (".webp", 16383, 2), (".mp4", 16384, 2)]
)
def test_a_moving_picture_is_measured_before_it_is_written(
    tmp_path: Path, extension: str, most: int, other: int
) -> None:
    if extension == ".mp4":
        pytest.importorskip("av")
    output = tmp_path / f"out{extension}"

    def frames(width: int) -> list[Frame]:
        return [Frame(np.full((other, width, 3), grey, np.uint8), 0.05) for grey in (0, 255)]

    write_animation(output, frames(most))
    assert output.stat().st_size
    with pytest.raises(OutputError, match=f"at most {most} pixels a side.*give a smaller --size"):
        write_animation(output, frames(most + 1))


@pytest.mark.parametrize(("extension", "most"), [(".jpg", 65500), (".webp", 16383), (".png", 70000)])
def test_a_still_comparison_is_measured_before_it_is_written(
    tmp_path: Path, extension: str, most: int
) -> None:
    output = tmp_path / f"out{extension}"
    write_still(output, np.zeros((2, most, 3), np.uint8))
    with Image.open(output) as image:
        assert image.size == (most, 2)
    if extension != ".png":
        with pytest.raises(OutputError, match=f"at most {most} pixels a side"):
            write_still(output, np.zeros((2, most + 1, 3), np.uint8))
