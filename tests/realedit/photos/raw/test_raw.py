"""RAW photos: known by their content, developed by LibRaw where it is installed."""

import sys
from pathlib import Path

import numpy as np
import pytest

from realedit.errors import PhotoError, UsageError
from realedit.photos import Format, Provenance, read_photo, write_photo
from realedit.photos.raw.codec import is_raw
from tests.realedit.photos import builders as make
from tests.realedit.photos import corpus


def dng() -> bytes:
    """The least of a DNG: a colour filter array with the fields that LibRaw needs."""
    size = (60, 40)
    colour = make.picture(size, 16).astype(np.uint16) // 8
    mosaic = colour[..., 1].copy()
    mosaic[::2, ::2], mosaic[1::2, 1::2] = colour[::2, ::2, 0], colour[1::2, 1::2, 2]
    unit = (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)
    tags = [
        (50706, 1, 4, (1, 4, 0, 0), True),
        (50707, 1, 4, (1, 1, 0, 0), True),
        (50708, 2, 5, "Test", True),
        (33421, 3, 2, (2, 2), True),
        (33422, 1, 4, (0, 1, 1, 2), True),
        (50721, 10, 9, unit, True),
        (50778, 3, 1, 21, True),
        (50728, 5, 3, (1, 1, 1, 1, 1, 1), True),
        (50717, 4, 1, 8191, True),
        (271, 2, 7, "Camera", True),
    ]
    return make.tiff(mosaic[..., None], photometric=32803, extratags=tags)


def test_raws_are_told_from_plain_tiffs() -> None:
    assert is_raw(dng())
    assert is_raw(b"FUJIFILMCCD-RAW 0201") and is_raw(b"\x00\x00\x00\x18ftypcrx \x00\x00")
    assert is_raw(b"II*\x00\x10\x00\x00\x00CR\x02\x00")
    for sample in corpus.samples():
        assert not is_raw(sample.data), sample.name


def test_a_raw_is_developed_to_sixteen_bits_and_goes_into_other_formats(tmp_path: Path) -> None:
    pytest.importorskip("rawpy", reason="needs realedit[raw]")
    path = tmp_path / "photo.dng"
    path.write_bytes(dng())
    photo = read_photo(path)
    assert photo.format is Format.RAW and photo.dtype == np.uint16 and photo.width == 60
    with pytest.raises(UsageError, match="format"):
        write_photo(photo, tmp_path / "out.dng", provenance=None)
    write_photo(
        photo.with_block((0, 0, 9, 9), photo.view((9, 9, 18, 18))),
        tmp_path / "out.tif",
        provenance=Provenance(),
    )
    again = read_photo(tmp_path / "out.tif")
    assert again.dtype == np.uint16 and again.metadata.exif is not None and b"Camera" in again.metadata.exif


def test_a_damaged_raw_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("rawpy", reason="needs realedit[raw]")
    data = dng()
    for place in np.linspace(0, len(data) - 200, 20).astype(int):
        path = tmp_path / "photo.dng"
        path.write_bytes(data[:place])
        with pytest.raises(PhotoError):
            read_photo(path)


def test_without_the_extra_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    path = tmp_path / "photo.dng"
    path.write_bytes(dng())
    with pytest.raises(PhotoError, match=r"realedit\[raw\]"):
        read_photo(path)
