"""An edited JPEG keeps every coefficient outside of the MCUs that the edit touches, its tables and its
scans.
"""

import io
from pathlib import Path

import jpeglib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from realedit.errors import PhotoError
from realedit.photos import Photo, read_photo, write_photo
from realedit.photos.jpeg.segments import DHT, SOS, JpegFile, read_segments
from tests.realedit.photos import builders as make
from tests.realedit.photos import corpus

SIZE = (203, 149)
JPEGS = {
    "4:4:4": {"subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "4:2:0": {"subsampling": 2},
    "4:4:4 progressive": {"subsampling": 0, "progressive": True},
    "4:2:0 progressive": {"subsampling": 2, "progressive": True},
    "4:2:0 quality 35": {"subsampling": 2, "quality": 35},
    "4:4:4 quality 100": {"subsampling": 0, "quality": 100},
    "grey": {"mode": "L"},
    "grey progressive": {"mode": "L", "progressive": True},
    "RGB": {"keep_rgb": True, "subsampling": 0},
    "restarts": {"restart_marker_blocks": 3},
}


def coefficients(path: Path) -> list[np.ndarray]:
    """By jpeglib alone, per component [rows, columns, 8, 8]."""
    read = jpeglib.read_dct(str(path))
    read.load()
    return [plane for plane in (read.Y, read.Cb, read.Cr, read.K) if plane is not None]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def edited(photo: Photo, box: tuple[int, int, int, int], seed: int = 0) -> Photo:
    """The photo with a smooth bump inside `box`."""
    left, top, right, bottom = box
    y, x = np.mgrid[: bottom - top, : right - left]
    bump = 60 * np.sin(np.pi * (x + 0.5) / (right - left)) * np.sin(np.pi * (y + 0.5) / (bottom - top))
    colour = np.random.default_rng(seed).uniform(-1, 1, 3)
    block = np.clip(photo.view(box) + bump[..., None] * colour, 0, 255).astype(np.uint8)
    return photo.with_block(box, block)


def touched(photo: Photo, mcu: tuple[int, int]) -> np.ndarray:
    """Which MCUs hold a pixel that differs, [rows, columns]; `mcu` is (width, height) in pixels."""
    assert photo.patch is not None
    stored = photo.stored_region(None)
    differs = (stored != photo.stored).any(axis=-1)
    rows, columns = -(-differs.shape[0] // mcu[1]), -(-differs.shape[1] // mcu[0])
    padded = np.zeros((rows * mcu[1], columns * mcu[0]), bool)
    padded[: differs.shape[0], : differs.shape[1]] = differs
    return padded.reshape(rows, mcu[1], columns, mcu[0]).any(axis=(1, 3))


def check_untouched(source: Path, output: Path, photo: Photo) -> None:
    """No coefficient outside of the touched MCUs differs, and no pixel more than 2 px away from them."""
    frame = read_segments(source.read_bytes()).frame
    across, down = (8 * factor for factor in frame.sampling)
    inside = touched(photo, (across, down))
    for component, old, new in zip(frame.components, coefficients(source), coefficients(output), strict=True):
        wide, high = component.horizontal, component.vertical
        mask = np.repeat(np.repeat(inside, high, axis=0), wide, axis=1)[: old.shape[0], : old.shape[1]]
        assert (old[~mask] != new[~mask]).sum() == 0
    near = np.repeat(np.repeat(inside, down, axis=0), across, axis=1)
    grown = np.zeros((near.shape[0] + 4, near.shape[1] + 4), bool)
    for dy in range(5):
        for dx in range(5):
            grown[dy : dy + near.shape[0], dx : dx + near.shape[1]] |= near
    old_pixels, new_pixels = pixels(source), pixels(output)
    outside = ~grown[2 : 2 + old_pixels.shape[0], 2 : 2 + old_pixels.shape[1]]
    assert (old_pixels[outside] != new_pixels[outside]).sum() == 0


@pytest.mark.parametrize("kind", JPEGS)
def test_untouched_blocks_keep_their_coefficients(kind: str, tmp_path: Path) -> None:
    source, output = tmp_path / "photo.jpg", tmp_path / "edited.jpg"
    source.write_bytes(make.jpeg(make.picture(SIZE), **JPEGS[kind]))
    photo = edited(read_photo(source), (70, 40, 131, 95))
    report = write_photo(photo, output, provenance=None)
    assert report.warnings == ()
    check_untouched(source, output, photo)
    shown = read_photo(output).view((70, 40, 131, 95)).astype(int)
    assert np.abs(shown - photo.view((70, 40, 131, 95))).mean() < 6  # and the edit is there


@pytest.mark.parametrize("name", ["440", "411", "cmyk", "ycck", "cmyk-progressive"])
def test_rare_samplings_and_inks_too(name: str, tmp_path: Path) -> None:
    sample = next(s for s in corpus.samples() if s.name == f"jpeg-{name}.jpg")
    source, output = tmp_path / "photo.jpg", tmp_path / "edited.jpg"
    source.write_bytes(sample.data)
    photo = edited(read_photo(source), (3, 5, 20, 17))
    assert write_photo(photo, output, provenance=None).warnings == ()
    check_untouched(source, output, photo)
    again = read_photo(output)
    assert again.stored.shape == photo.stored.shape
    wanted = photo.stored_region((5, 7, 18, 15)).astype(int)
    assert np.abs(again.stored_region((5, 7, 18, 15)) - wanted).mean() < 8


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(sorted(JPEGS)), orientation=st.integers(1, 8))
def test_outside_is_identical_wherever_the_edit_is(
    data: st.DataObject, kind: str, orientation: int, tmp_path: Path
) -> None:
    source, output = tmp_path / "photo.jpg", tmp_path / "edited.jpg"
    plain = make.jpeg(make.picture((75, 53)), **JPEGS[kind])
    source.write_bytes(make.with_segments(plain, make.exif_segment(make.exif_block(orientation))))
    photo = read_photo(source)
    left, top = data.draw(st.integers(0, photo.width - 1)), data.draw(st.integers(0, photo.height - 1))
    right, bottom = (
        data.draw(st.integers(left + 1, photo.width)),
        data.draw(st.integers(top + 1, photo.height)),
    )
    photo = edited(photo, (left, top, right, bottom), data.draw(st.integers(0, 99)))
    if photo.changed is None:
        return
    write_photo(photo, output, provenance=None)
    check_untouched(source, output, photo)
    assert read_photo(output).orientation == orientation


def test_an_edit_that_only_grazes_a_block_leaves_the_rest_of_it_sharp(tmp_path: Path) -> None:
    """What is added is the difference, so unchanged pixels of a touched block are not quantised a second
    time.
    """
    source, output = tmp_path / "photo.jpg", tmp_path / "edited.jpg"
    noisy = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    source.write_bytes(make.jpeg(noisy, quality=50, subsampling=0))
    photo = read_photo(source)
    block = photo.view((8, 8, 9, 9))
    photo = photo.with_block((8, 8, 9, 9), block ^ 1)  # too little for any coefficient to move
    write_photo(photo, output, provenance=None)
    for old, new in zip(coefficients(source), coefficients(output), strict=True):
        np.testing.assert_array_equal(old, new)


def scans(jpeg: JpegFile) -> list[bytes]:
    return [s.payload for s in jpeg.segments if s.marker == SOS]


@pytest.mark.parametrize("kind", JPEGS)
def test_tables_sampling_and_scans_stay(kind: str, tmp_path: Path) -> None:
    source, output = tmp_path / "photo.jpg", tmp_path / "edited.jpg"
    source.write_bytes(make.jpeg(make.picture(SIZE), **JPEGS[kind]))
    write_photo(edited(read_photo(source), (10, 10, 90, 90)), output, provenance=None)
    old, new = read_segments(source.read_bytes()), read_segments(output.read_bytes())
    assert old.frame == new.frame and old.tables() == new.tables() and scans(old) == scans(new)


@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("progressive", [False, True])
def test_the_file_grows_by_less_than_three_percent(optimize: bool, progressive: bool, tmp_path: Path) -> None:
    skimage = pytest.importorskip("skimage.data")
    source, output = tmp_path / "photo.jpg", tmp_path / "edited.jpg"
    Image.fromarray(skimage.astronaut()).save(source, quality=90, optimize=optimize, progressive=progressive)
    photo = edited(read_photo(source), (150, 40, 290, 230))
    write_photo(photo, output, provenance=None)
    assert output.stat().st_size < 1.03 * source.stat().st_size


def test_a_sequential_jpeg_of_several_scans_keeps_them(tmp_path: Path) -> None:
    """Rare but legal: each component in a scan of its own. Made with our own coder, read by libjpeg."""
    from realedit.photos.jpeg.coefficients import read_coefficients
    from realedit.photos.jpeg.scans import encode_scan, read_scan
    from realedit.photos.jpeg.segments import DQT

    jpeg = read_segments(make.jpeg(make.picture(SIZE), subsampling=2))
    planes = read_coefficients(jpeg)
    out = io.BytesIO(b"\xff\xd8")
    out.seek(2)
    for segment in jpeg.segments:
        if segment.marker in (DQT, jpeg.frame.marker):
            out.write(segment.encoded())
    for component in jpeg.frame.components:
        payload = bytes((1, component.identifier, 0, 0, 63, 0))
        tables, coded = encode_scan(jpeg.frame, planes, read_scan(jpeg.frame, payload))
        assert tables is not None and tables.marker == DHT
        out.write(tables.encoded() + b"\xff\xda\x00\x08" + payload + b"".join(coded))
    out.write(b"\xff\xd9")
    source, output = tmp_path / "photo.jpg", tmp_path / "edited.jpg"
    source.write_bytes(out.getvalue())
    photo = edited(read_photo(source), (33, 20, 80, 70))
    write_photo(photo, output, provenance=None)
    check_untouched(source, output, photo)
    assert len(scans(read_segments(output.read_bytes()))) == 3


def test_arithmetic_coding_is_encoded_anew_with_a_warning(tmp_path: Path) -> None:
    source, output = tmp_path / "photo.jpg", tmp_path / "edited.jpg"
    source.write_bytes(corpus.arithmetic_jpeg())
    photo = edited(read_photo(source), (3, 5, 20, 17))
    report = write_photo(photo, output, provenance=None)
    assert len(report.warnings) == 1 and "arithmetically" in report.warnings[0]
    assert read_segments(output.read_bytes()).tables() == read_segments(source.read_bytes()).tables()
    assert np.abs(read_photo(output).view().astype(int) - photo.view()).mean() < 6


@pytest.mark.parametrize("name", ["jpeg-ycck.jpg", "jpeg-cmyk.jpg", "jpeg-rgb.jpg", "jpeg-s2-baseline.jpg"])
def test_what_is_encoded_anew_says_its_own_colours(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from realedit.photos.jpeg import codec as jpeg

    def fail(_: JpegFile) -> None:
        raise jpeg.CoefficientError("a test")

    monkeypatch.setattr(jpeg, "read_coefficients", fail)
    source, output = tmp_path / "photo.jpg", tmp_path / "edited.jpg"
    source.write_bytes(next(s.data for s in corpus.samples() if s.name == name))
    photo = edited(read_photo(source), (3, 5, 20, 17))
    assert len(write_photo(photo, output, provenance=None).warnings) == 1
    assert np.abs(read_photo(output).view().astype(int) - photo.view()).mean() < 8


def test_jpegs_with_broken_data_are_still_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Bits that flip within the coded data mostly still decode; then editing must work too, and say
    nothing.
    """
    generator = np.random.default_rng(7)
    source, output = tmp_path / "photo.jpg", tmp_path / "edited.jpg"
    written = 0
    for number in range(60):
        data = bytearray(make.jpeg(make.picture(SIZE), progressive=number % 2 == 1))
        start = data.rindex(b"\xff\xda") if number % 3 else 0
        for place in generator.integers(start, len(data), 3):
            data[place] ^= 1 << int(generator.integers(0, 8))
        source.write_bytes(bytes(data))
        try:
            photo = read_photo(source)
        except PhotoError:
            continue
        if photo.changed is None and photo.width > 20 and photo.height > 20:
            write_photo(edited(photo, (2, 2, 19, 19)), output, provenance=None)
            read_photo(output)
            written += 1
    assert written > 20
    assert capfd.readouterr().out == ""


def test_no_temporary_copy_of_a_photo_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    from realedit.photos.jpeg.coefficients import CoefficientError, read_coefficients

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    whole = read_segments(make.jpeg())
    read_coefficients(whole)
    without_tables = JpegFile(tuple(s for s in whole.segments if s.marker != DHT), whole.frame)
    with pytest.raises(CoefficientError):
        read_coefficients(without_tables)
    assert list(tmp_path.iterdir()) == []
