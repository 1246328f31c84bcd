"""Files that end early or go on too long: read where the picture is whole, refused where it is not."""

import io
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realedit.errors import PhotoError
from realedit.photos import check_photo, read_photo, write_photo
from realedit.photos.webp import codec as webp
from tests.realedit.photos import builders as make
from tests.realedit.photos import corpus
from tests.realedit.photos.metadata.test_metadata import edited

JPEGS = {
    "baseline": make.jpeg(),
    "sampled": make.jpeg(subsampling=2),
    "progressive": make.jpeg(progressive=True),
    "restarts": make.jpeg(subsampling=2, restart_marker_blocks=2),
    "grey": make.jpeg(make.picture(channels=1), mode="L"),
    "cmyk": make.jpeg(corpus.cmyk_picture(), mode="CMYK"),
    "arithmetic": corpus.arithmetic_jpeg(),
}
WEBPS = {
    "lossy": make.saved(make.picture(), "WEBP"),
    "lossless": make.saved(make.picture(), "WEBP", lossless=True),
    "extended": make.saved(make.picture(), "WEBP", xmp=make.xmp()),
}


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("lacking", [1, 2])
@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_that_lacks_only_its_end_marker_is_edited_like_a_whole_one(
    kind: str, lacking: int, tmp_path: Path
) -> None:
    whole = read_photo(written(tmp_path, "whole.jpg", JPEGS[kind]))
    path = written(tmp_path, "cut.jpg", JPEGS[kind][:-lacking])
    photo = read_photo(path)
    check_photo(path)
    assert f"{path}: its end marker is missing; the picture is whole" in photo.warnings
    np.testing.assert_array_equal(photo.stored, whole.stored)
    for each, name in ((whole, "a.jpg"), (photo, "b.jpg")):
        write_photo(edited(each), tmp_path / name, provenance=None)
        write_photo(each, tmp_path / f"stripped-{name}", provenance=None, strip="gps")
    result = (tmp_path / "b.jpg").read_bytes()
    assert result == (tmp_path / "a.jpg").read_bytes()
    assert result.endswith(b"\xff\xd9")
    assert (tmp_path / "stripped-b.jpg").read_bytes().endswith(b"\xff\xd9")
    write_photo(photo, tmp_path / "same.jpg", provenance=None)
    assert (tmp_path / "same.jpg").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_that_is_cut_farther_is_refused_unless_nothing_is_lost(kind: str, tmp_path: Path) -> None:
    whole = read_photo(written(tmp_path, "whole.jpg", JPEGS[kind])).stored
    refused = 0
    for cut in range(3, 40):
        path = written(tmp_path, "cut.jpg", JPEGS[kind][:-cut])
        try:
            np.testing.assert_array_equal(read_photo(path).stored, whole)
        except PhotoError as error:
            assert "it ends early" in str(error)
            refused += 1
    assert refused >= 35


@pytest.mark.parametrize("kind", ["progressive", "restarts"])
def test_a_jpeg_that_ends_between_two_of_its_parts_is_refused(kind: str, tmp_path: Path) -> None:
    data = JPEGS[kind]
    marker = rb"\xff[\xd0-\xd7]" if kind == "restarts" else rb"\xff[\xc4\xda]"
    first = data.index(b"\xff\xda")
    places = [match.start() for match in re.finditer(marker, data) if match.start() > first]
    assert len(places) > 3
    for place in places:
        for end in (place, place + 1, place + 2):
            with pytest.raises(PhotoError, match="it ends early"):
                read_photo(written(tmp_path, "cut.jpg", data[:end]))


PNGS = {
    "8 bits": make.png(make.picture()),
    "16 bits": make.png(make.picture(depth=16), depth=16),
    "interlaced": make.png(make.picture(depth=16), depth=16, interlaced=True),
    "text behind": make.png(make.picture(), after=[(b"tEXt", b"Comment\x00" + b"long " * 20)]),
    "Pillow": make.saved(make.picture(), "PNG"),
}


@pytest.mark.parametrize("kind", PNGS)
def test_a_png_is_read_if_only_what_lies_behind_its_picture_is_cut(kind: str, tmp_path: Path) -> None:
    data = PNGS[kind]
    whole = read_photo(written(tmp_path, "whole.png", data))
    at = data.rindex(b"IDAT")
    behind = len(data) - (at + 4 + int.from_bytes(data[at - 4 : at], "big") + 4)
    for cut in range(1, behind + 1):
        photo = read_photo(written(tmp_path, "cut.png", data[:-cut]))
        assert any("was left out" in warning for warning in photo.warnings)
        np.testing.assert_array_equal(photo.stored, whole.stored)
    for name, each in (("edited.png", edited(photo)), ("stripped.png", photo)):
        write_photo(each, tmp_path / name, provenance=None, strip="gps")
        assert (tmp_path / name).read_bytes().endswith(make.png_chunk(b"IEND", b""))
        assert read_photo(tmp_path / name).warnings == ()
    for cut in range(behind + 1, behind + 40):
        with pytest.raises(PhotoError, match=r"ends early|damaged"):
            read_photo(written(tmp_path, "cut.png", data[:-cut]))


def test_a_png_that_lacks_one_of_its_picture_chunks_is_refused(tmp_path: Path) -> None:
    for depth in (8, 16):
        data = make.png(make.picture(depth=depth), depth=depth)
        at = data.index(b"IDAT") - 4
        length = int.from_bytes(data[at : at + 4], "big")
        packed = data[at + 8 : at + 8 + length]
        halves = [packed[: length // 2], packed[length // 2 :]]
        chunks = [make.png_chunk(b"IDAT", half) for half in halves]
        assert read_photo(written(tmp_path, "a.png", data[:at] + b"".join(chunks))).depth == max(depth, 8)
        with pytest.raises(PhotoError, match=r"ends early|damaged|cut short"):
            read_photo(written(tmp_path, "b.png", data[:at] + chunks[0]))


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "a.heic", "a.avif"])
@pytest.mark.parametrize("behind", [b"x" * 99, bytes(500), b"\x00\x00\x00\x10junk12345678"])
def test_bytes_behind_the_picture_do_no_harm(name: str, behind: bytes, tmp_path: Path) -> None:
    make_it = {
        **{"a.jpg": make.jpeg, "a.tif": lambda: make.tiff(make.picture())},
        "a.heic": lambda: make.heic(make.picture()),
    }.get(name)
    kind = {"a.png": "PNG", "a.webp": "WEBP", "a.avif": "AVIF"}.get(name, "")
    data = make_it() if make_it else make.saved(make.picture(), kind)
    whole = read_photo(written(tmp_path, name, data))
    photo = read_photo(written(tmp_path, name, data + behind))
    np.testing.assert_array_equal(photo.stored, whole.stored)
    write_photo(edited(photo), tmp_path / f"out-{name}", provenance=None)
    assert read_photo(tmp_path / f"out-{name}").stored.shape == whole.stored.shape


@pytest.mark.parametrize("kind", WEBPS)
@pytest.mark.parametrize("wrong", [100, -30, -10_000_000, 2])
def test_a_webp_whose_container_states_a_wrong_length_is_read(kind: str, wrong: int, tmp_path: Path) -> None:
    data = WEBPS[kind]
    whole = read_photo(written(tmp_path, "whole.webp", data))
    stated = struct.pack("<I", max(0, len(data) - 8 + wrong))
    path = written(tmp_path, "wrong.webp", data[:4] + stated + data[8:])
    photo = read_photo(path)
    assert any("states a wrong length" in warning for warning in photo.warnings)
    np.testing.assert_array_equal(photo.stored, whole.stored)
    assert photo.metadata == whole.metadata
    warnings = write_photo(edited(photo), tmp_path / "out.webp", provenance=None).warnings
    assert bool(warnings) == (kind != "lossless")
    assert read_photo(tmp_path / "out.webp").warnings == ()
    write_photo(photo, tmp_path / "stripped.webp", provenance=None, strip="gps")
    np.testing.assert_array_equal(read_photo(tmp_path / "stripped.webp").stored, whole.stored)


@pytest.mark.parametrize("kind", WEBPS)
def test_a_webp_that_is_cut_is_refused(kind: str, tmp_path: Path) -> None:
    data = WEBPS[kind]
    for cut in (3, 20, len(data) // 2):
        for stated in (len(data), len(data) - cut):
            short = data[:4] + struct.pack("<I", stated - 8) + data[8:-cut]
            with pytest.raises(PhotoError, match=r"wrong|ends early|damaged"):
                read_photo(written(tmp_path, "cut.webp", short))


def animation(lossless: tuple[bool, ...]) -> bytes:
    """A WebP of pictures coded so, each by itself: a VP8X chunk, ANIM, and the frames."""
    height, width = make.SIZE[::-1]
    body = b"VP8X" + struct.pack("<IB3x", 10, 2) + _three(width - 1) + _three(height - 1)
    body += b"ANIM" + struct.pack("<IIH", 6, 0, 0)
    for number, exact in enumerate(lossless):
        one = make.saved(np.roll(make.picture(), 9 * number, axis=1), "WEBP", lossless=exact, exact=True)
        frame = _three(0) * 2 + _three(width - 1) + _three(height - 1) + _three(100) + b"\x00" + one[12:]
        body += b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _three(number: int) -> bytes:
    return struct.pack("<I", number)[:3]


@pytest.mark.parametrize("lossless", [(True, True), (True, False), (False, True), (False, False)])
def test_the_first_picture_of_an_animation_decides_how_it_is_coded(
    lossless: tuple[bool, ...], tmp_path: Path
) -> None:
    data = animation(lossless)
    with Image.open(io.BytesIO(data)) as image:
        assert image.n_frames == 2
    photo = read_photo(written(tmp_path, "a.webp", data))
    assert any("only the first frame" in warning for warning in photo.warnings)
    changed = edited(photo)
    write_photo(changed, tmp_path / "out.webp", provenance=None)
    result = read_photo(tmp_path / "out.webp")
    assert webp.is_lossless(result.source) == lossless[0]
    if lossless[0]:
        np.testing.assert_array_equal(photo.stored[..., :3], make.picture())
        np.testing.assert_array_equal(result.view(), changed.view())
