"""Wide gamut, HDR and 10 bits: what lies outside of an edit, the colour space and the depth stay, as other
programs see them.
"""

import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from realedit.photos import Photo, read_photo, write_photo
from tests.realedit.photos import builders as make
from tests.realedit.photos import corpus

PROFILES = corpus.profiles()
BOX = (16, 16, 32, 32)
CODE_POINTS = {"pq": (9, 16, 9, 1), "hlg": (9, 18, 9, 1), "p3": (12, 13, 5, 1), "bt2020": (9, 14, 9, 1)}


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def reddened(photo: Photo) -> Photo:
    """The photo with a square of sRGB's own red, in the photo's space and depth."""
    red = photo.colour.from_srgb(np.array([[[1.0, 0.0, 0.0]]], np.float32))
    top = np.iinfo(photo.dtype).max
    block = np.broadcast_to(np.rint(np.clip(red, 0, 1) * top), (16, 16, 3)).astype(photo.dtype)
    return photo.with_block(BOX, block)


def exiftool(path: Path, *tags: str) -> dict[str, Any]:
    if shutil.which("exiftool") is None:
        pytest.skip("needs exiftool")
    run = subprocess.run(
        ["exiftool", "-json", "-n", *(f"-{tag}" for tag in tags), str(path)], capture_output=True, check=True
    )
    return dict(json.loads(run.stdout)[0])


@pytest.mark.parametrize("extension", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("name", ["p3", "adobe"])
def test_a_profile_stays_and_the_edit_is_put_back_in_its_space(
    name: str, extension: str, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"lossless": True} if extension == ".webp" else {}
    kind = {".jpg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".webp": "WEBP"}[extension]
    if extension == ".jpg":
        options = {"quality": 100, "subsampling": 0}
    data = make.saved(make.picture((64, 48)), kind, icc_profile=PROFILES[name], **options)
    photo = read_photo(written(tmp_path, f"photo{extension}", data))
    output = tmp_path / f"out{extension}"
    write_photo(reddened(photo), output, provenance=None)
    with Image.open(output) as image:  # Pillow's reader and LittleCMS, not ours
        assert image.info["icc_profile"] == PROFILES[name]
        pixels = np.asarray(image.convert("RGB"))
    outside = np.ones(pixels.shape[:2], bool)
    outside[16:32, 16:32] = False
    np.testing.assert_array_equal(pixels[outside], photo.view()[outside])
    assert "icc" not in str(read_photo(output).warnings).lower()
    shown = read_photo(output).srgb((20, 20, 28, 28)).reshape(-1, 3).mean(0)
    np.testing.assert_allclose(shown, (255, 0, 0), atol=4)
    assert pixels[20:28, 20:28, 0].mean() < 240  # sRGB's red is no full red in a wider space


@pytest.mark.parametrize("stated", ["interoperability", "colour space 2"])
def test_adobe_rgb_that_only_exif_states_stays_so_and_becomes_a_profile(stated: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    inner = exif.get_ifd(0x8769)
    inner[0xA001] = 2 if stated == "colour space 2" else 0xFFFF
    if stated == "interoperability":
        inner[0xA005] = {1: "R03"}
    data = make.jpeg(exif=exif.tobytes(), quality=100, subsampling=0)
    photo = read_photo(written(tmp_path, "photo.jpg", data))
    assert not photo.colour.is_srgb
    write_photo(reddened(photo), tmp_path / "out.jpg", provenance=None)
    write_photo(reddened(photo), tmp_path / "out.png", provenance=None)
    same = read_photo(tmp_path / "out.jpg")
    assert same.metadata.icc is None and not same.colour.is_srgb
    assert exiftool(tmp_path / "out.jpg", "ColorSpace")["ColorSpace"] == inner[0xA001]
    with Image.open(tmp_path / "out.png") as image:
        assert image.info["icc_profile"]
    shown = read_photo(tmp_path / "out.png").srgb((20, 20, 28, 28)).reshape(-1, 3).mean(0)
    np.testing.assert_allclose(shown, (255, 0, 0), atol=3)


def ten_bits(name: str) -> bytes:
    """A smooth HEIC of 10 bits with those code points and no profile."""
    ramp = np.linspace(9000, 60000, 96)
    pixels = np.stack([*np.meshgrid(ramp, ramp[:64]), np.full((64, 96), 30000)], axis=-1).astype(np.uint16)
    keys = ("color_primaries", "transfer_characteristics", "matrix_coefficients", "full_range_flag")
    out = io.BytesIO()
    pillow_heif.encode(
        "RGB;16", (96, 64), pixels.reshape(-1).view(np.uint8).data, out, quality=95, chroma=444, bit_depth=10,
        nclx_profile=dict(zip(keys, CODE_POINTS[name], strict=True)),
    )  # fmt: skip
    return out.getvalue()


@pytest.mark.parametrize("name", CODE_POINTS)
def test_ten_bits_and_code_points_stay_in_heic(name: str, tmp_path: Path) -> None:
    photo = read_photo(written(tmp_path, "photo.heic", ten_bits(name)))
    output = tmp_path / "out.heic"
    write_photo(reddened(photo), output, provenance=None)
    seen = exiftool(output, "ColorPrimaries", "TransferCharacteristics", "BitDepthLuma")
    assert (seen["ColorPrimaries"], seen["TransferCharacteristics"]) == CODE_POINTS[name][:2]
    assert seen["BitDepthLuma"] == 10
    apart = np.abs(read_photo(output).view().astype(int) - photo.view().astype(int))[:, 48:]
    assert apart.mean() < 3 * 64  # of 65535; HEVC is coded anew, and a step of 10 bits is 64
    if name in ("p3", "bt2020"):
        shown = read_photo(output).srgb((20, 20, 28, 28)).reshape(-1, 3).mean(0)
        np.testing.assert_allclose(shown, (255, 0, 0), atol=6)


@pytest.mark.parametrize("extension", [".png", ".jpg", ".tif", ".webp", ".avif"])
@pytest.mark.parametrize("name", ["pq", "hlg"])
def test_hdr_that_a_format_cannot_state_is_named(name: str, extension: str, tmp_path: Path) -> None:
    photo = read_photo(written(tmp_path, "photo.heic", ten_bits(name)))
    report = write_photo(photo, tmp_path / f"out{extension}", provenance=None)
    assert any(f"mark of HDR ({name.upper()})" in warning for warning in report.warnings)
    plain = read_photo(written(tmp_path, "plain.heic", ten_bits("p3")))
    report = write_photo(plain, tmp_path / f"plain{extension}", provenance=None)
    assert not any("HDR" in warning for warning in report.warnings)
