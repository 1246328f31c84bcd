"""What a photo says about itself survives an edit, except for what the edit makes untrue."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realedit.photos import Photo, Provenance, read_photo, write_photo
from realedit.photos.jpeg.segments import read_segments
from realedit.photos.metadata import exif
from realedit.photos.metadata.upkeep import without_thumbnails
from realedit.photos.metadata.xmp import XmpPacket
from tests.realedit.photos import builders as make
from tests.realedit.photos import corpus
from tests.realedit.photos.metadata.test_exif import apple_note

PACKET = make.xmp('photoshop:City="Oslo"', 'exif:GPSLatitude="48,8.25N"', 'xmp:Rating="4"')
RESOURCES = make.image_resource(0x0404, b"\x1c\x02\x78\x00\x05Title") + make.image_resource(
    0x040C, b"old picture"
)
PROFILE = corpus.profiles()["p3"]
KINDS = [".jpg", ".png", ".tif", ".webp", ".avif", ".heic"]


def block(orientation: int = 1) -> bytes:
    thumbnail = make.jpeg(make.picture((160, 111)), quality=80)
    return make.exif_block(
        orientation, gps=True, thumbnail=thumbnail, maker_note=apple_note(), sides=make.SIZE
    )


def source(kind: str, orientation: int = 1) -> bytes:
    """A photo of each format with all the metadata that the format can have."""
    pixels, data = make.picture(), block(orientation)
    if kind == ".jpg":
        segments = [make.exif_segment(data), make.xmp_segment(PACKET), make.icc_segment(PROFILE)]
        return make.with_segments(
            make.jpeg(dpi=(300, 200)), *segments, (0xED, b"Photoshop 3.0\x00" + RESOURCES)
        )
    if kind == ".png":
        import zlib

        before = (
            (b"iCCP", b"P3\x00\x00" + zlib.compress(PROFILE)),
            (b"pHYs", struct.pack(">IIB", 11811, 7874, 1)),
        )
        packet = b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + PACKET
        return make.png(
            pixels, before=before, after=((b"eXIf", data), (b"iTXt", packet), (b"tEXt", b"Title\x00Me"))
        )
    if kind == ".tif":
        tags = [(700, 1, len(PACKET), PACKET, True), (34377, 7, len(RESOURCES), RESOURCES, True)]
        tags += [(274, 3, 1, orientation, True), (271, 2, 7, "Camera", True)]
        return make.tiff(pixels, extratags=tags, iccprofile=PROFILE, resolution=(300, 200))
    if kind == ".heic":
        return make.heic(pixels, exif=b"Exif\x00\x00" + data, xmp=PACKET, icc_profile=PROFILE)
    options = {"lossless": True} if kind == ".webp" else {}
    return make.saved(pixels, kind[1:].upper(), exif=data, xmp=PACKET, icc_profile=PROFILE, **options)


def load(folder: Path, kind: str, data: bytes) -> Photo:
    path = folder / f"photo{kind}"
    path.write_bytes(data)
    return read_photo(path)


def edited(photo: Photo) -> Photo:
    box = (5, 7, 25, 27)
    return photo.with_block(box, np.iinfo(photo.dtype).max - photo.view(box))


def camera(data: bytes | None) -> bytes | None:
    parsed = exif.block_of(data)
    return parsed.value(parsed.first, 0x010F) if parsed else None


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("kind", KINDS)
def test_everything_survives_from_any_format_into_any(kind: str, target: str, tmp_path: Path) -> None:
    photo = edited(load(tmp_path, kind, source(kind)))
    output = tmp_path / f"out{target}"
    write_photo(photo, output, provenance=Provenance(tool="realedit 0"))
    found = read_photo(output).metadata
    assert found.icc == PROFILE
    assert camera(found.exif) == b"Camera\x00"
    packet = XmpPacket(found.xmp)
    assert packet.get("http://ns.adobe.com/photoshop/1.0/", "City") == "Oslo"
    assert packet.get("http://ns.adobe.com/xap/1.0/", "Rating") == "4"
    assert packet.get("http://ns.adobe.com/xap/1.0/", "CreatorTool") == "realedit 0"
    if kind in (".jpg", ".tif") and target in (".jpg", ".tif"):
        assert found.iptc is not None and b"Title" in found.iptc and b"old picture" not in found.iptc
    if kind in (".jpg", ".tif", ".png") and target in (".jpg", ".tif", ".png"):
        assert found.dpi == pytest.approx((300, 200), abs=0.02)
    if kind == ".png" and target in (".png", ".jpg"):
        assert any("Me" in text for _, text in found.text)
    if kind != ".tif":
        parsed = exif.block_of(found.exif)
        assert (parsed is not None and parsed.directory(exif.GPS_IFD) is not None) or target == ".tif"


@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_the_thumbnail_shows_the_edit(kind: str, orientation: int, tmp_path: Path) -> None:
    import io

    photo = load(tmp_path, kind, source(kind, orientation))
    whole = (0, 0, photo.width, photo.height)
    photo = photo.with_block(whole, np.full((photo.height, photo.width, 3), (250, 20, 20), np.uint8))
    for name in (f"same{kind}", "other.jpg", "other.avif", "other.heic"):
        write_photo(photo, tmp_path / name, provenance=None)
        again = read_photo(tmp_path / name)
        small = exif.thumbnail(again.metadata.exif)
        assert small is not None
        with Image.open(io.BytesIO(small)) as image:
            assert np.asarray(image).mean(axis=(0, 1))[0] > 180
            assert (image.width > image.height) == ((photo.width > photo.height) != (again.orientation >= 5))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", [False, True])
@pytest.mark.parametrize("same", [False, True])
def test_the_place_goes_when_it_is_asked_to(kind: str, change: bool, same: bool, tmp_path: Path) -> None:
    photo = load(tmp_path, kind, source(kind))
    photo = edited(photo) if change else photo
    output = tmp_path / (f"out{kind}" if same else "out.png" if kind != ".png" else "out.jpg")
    report = write_photo(photo, output, provenance=None, strip="gps")
    again = read_photo(output)
    parsed = exif.block_of(again.metadata.exif)
    assert parsed is None or parsed.directory(exif.GPS_IFD) is None
    packet = again.metadata.xmp
    assert packet is not None and b"GPS" not in packet and b"Oslo" not in packet and b"Rating" in packet
    assert b"48,8.25N" not in output.read_bytes()
    if same and not change:  # and nothing else happens to a picture that is not edited
        np.testing.assert_array_equal(again.stored, photo.stored)
        assert not any("anew" in warning for warning in report.warnings)


def test_orientation_stays_with_the_pixels(tmp_path: Path) -> None:
    for kind in (".jpg", ".png", ".tif", ".webp"):
        photo = edited(load(tmp_path, kind, source(kind, 6)))
        write_photo(photo, tmp_path / f"same{kind}", provenance=None)
        assert read_photo(tmp_path / f"same{kind}").orientation == 6, kind
        other = "other.png" if kind != ".png" else "other.jpg"
        write_photo(photo, tmp_path / other, provenance=None)
        again = read_photo(tmp_path / other)
        assert again.orientation == 1 and (again.width, again.height) == (photo.width, photo.height), kind
    parsed = exif.block_of(again.metadata.exif)
    assert parsed is not None


def test_the_link_to_a_live_photo_goes_and_is_told(tmp_path: Path) -> None:
    photo = load(tmp_path, ".jpg", source(".jpg"))
    report = write_photo(edited(photo), tmp_path / "out.jpg", provenance=None)
    assert any("Live Photo" in warning for warning in report.warnings)
    assert b"AB12CD34" in photo.source and b"AB12CD34" not in (tmp_path / "out.jpg").read_bytes()


def phone_jpeg() -> bytes:
    """A JPEG as phones write them: a second picture behind the first, and segments and XMP that speak of
    it.
    """
    packet = make.xmp('hdrgm:Version="1.0"', 'GCamera:MotionPhoto="1"', 'xmp:Rating="4"')
    second = make.jpeg(make.picture((16, 16)))
    segments = [
        make.xmp_segment(packet),
        (0xE2, b"MPF\x00" + bytes(40)),
        (0xE2, b"urn:iso:std:iso:ts:21496:-1\x00" + bytes(9)),
    ]
    return make.with_segments(make.jpeg(), *segments) + second


def test_gain_maps_and_motion_photos_are_dropped_and_told(tmp_path: Path) -> None:
    photo = load(tmp_path, ".jpg", phone_jpeg())
    report = write_photo(edited(photo), tmp_path / "out.jpg", provenance=None)
    data = (tmp_path / "out.jpg").read_bytes()
    assert any("gain map" in warning for warning in report.warnings)
    assert (
        b"MPF" not in data
        and b"21496" not in data
        and b"MotionPhoto" not in data
        and b"hdrgm:Version" not in data
    )
    assert b'xmp:Rating="4"' in data
    assert bytes(read_segments(data).trailer) == b""
    unchanged = write_photo(photo, tmp_path / "same.jpg", provenance=None)
    assert unchanged.warnings == () and (tmp_path / "same.jpg").read_bytes() == phone_jpeg()


def test_depth_maps_in_extended_xmp_are_dropped(tmp_path: Path) -> None:
    name = b"0123456789ABCDEF0123456789ABCDEF"
    content = b"<x xmlns:GImage='http://ns.google.com/photos/1.0/image/' GImage:Data='the unedited face'/>"
    extension = (
        b"http://ns.adobe.com/xmp/extension/\x00" + name + struct.pack(">II", len(content), 0) + content
    )
    photo = load(tmp_path, ".jpg", make.with_segments(make.jpeg(), (0xE1, extension)))
    report = write_photo(edited(photo), tmp_path / "out.jpg", provenance=None)
    assert b"unedited face" not in (tmp_path / "out.jpg").read_bytes()
    assert any("depth map" in warning for warning in report.warnings)


def test_a_c2pa_manifest_is_dropped_and_told(tmp_path: Path) -> None:
    jumbf = (
        b"JP\x00\x01\x00\x00\x00\x01" + struct.pack(">I4s", 60, b"jumb") + b"\x00" * 20 + b"c2pa" + bytes(24)
    )
    photo = load(tmp_path, ".jpg", make.with_segments(make.jpeg(), (0xEB, jumbf)))
    report = write_photo(edited(photo), tmp_path / "out.jpg", provenance=None)
    assert any("C2PA" in warning for warning in report.warnings)
    assert b"c2pa" not in (tmp_path / "out.jpg").read_bytes()
    manifest = make.png(make.picture(), before=((b"caBX", b"c2pa"),))
    photo = load(tmp_path, ".png", manifest)
    assert any(
        "C2PA" in w for w in write_photo(edited(photo), tmp_path / "out.png", provenance=None).warnings
    )


def test_jfif_thumbnails_go(tmp_path: Path) -> None:
    data = make.jpeg()
    at = data.index(b"JFIF")
    old = struct.pack(">H", 16 + 12) + data[at : at + 12] + b"\x02\x02" + bytes(range(12))
    photo = load(tmp_path, ".jpg", data[: at - 2] + old + data[at + 14 :])
    write_photo(edited(photo), tmp_path / "out.jpg", provenance=None)
    assert bytes(range(12)) not in (tmp_path / "out.jpg").read_bytes()


def test_image_resources_lose_only_their_thumbnails() -> None:
    kept = make.image_resource(0x03ED, b"resolution") + make.image_resource(0x0404, b"odd")
    assert (
        without_thumbnails(make.image_resource(0x0409, b"x") + kept + make.image_resource(0x040C, b"yy"))
        == kept
    )
    assert without_thumbnails(make.image_resource(0x040C, b"yy")) is None
    assert without_thumbnails(None) is None
    damaged = kept + b"8BIM\x04\x0c\x00\x00\x7f\xff\xff\xff"
    assert without_thumbnails(damaged) == damaged


def test_a_damaged_packet_is_replaced_and_told(tmp_path: Path) -> None:
    photo = load(tmp_path, ".jpg", make.with_segments(make.jpeg(), make.xmp_segment(b"<broken")))
    report = write_photo(edited(photo), tmp_path / "out.jpg", provenance=Provenance())
    assert any("XMP" in warning for warning in report.warnings)
    assert b"compositeWithTrainedAlgorithmicMedia" in (tmp_path / "out.jpg").read_bytes()
