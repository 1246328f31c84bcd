"""Stripping of photos that other programs made, of damaged ones, and of every layout."""

import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image

from realedit.errors import PhotoError
from realedit.photos import Provenance, read_photo, write_photo
from tests.realedit.photos import builders as make
from tests.realedit.photos import carriers, hiding, phones
from tests.realedit.photos.carriers import KINDS
from tests.realedit.photos.hiding import Hiding
from tests.realedit.photos.independent import IMAGEMAGICK, needs_imagemagick
from tests.realedit.photos.metadata.test_metadata import edited
from tests.realedit.photos.metadata.test_strip import needs_exiftool, places_in, write

PLANTED = (
    *("-GPSLatitude=48.1372", "-GPSLatitudeRef=N", "-GPSLongitude=11.5755", "-GPSLongitudeRef=E"),
    *("-XMP:GPSLatitude=48.1372", "-XMP:GPSLongitude=11.5755", "-XMP-photoshop:City=Munich"),
    *("-XMP-iptcExt:LocationShownCity=Munich", "-XMP-iptcExt:LocationCreatedSublocation=Homestreet 7"),
    *("-XMP-iptcCore:Location=Homestreet 7", "-XMP-dc:Subject=Munich", "-XMP-dc:Subject=geo:lat=48.1372"),
    *(
        "-XMP-lr:HierarchicalSubject=Places|Munich",
        "-XMP-xmpDM:ShotLocation=Munich",
        "-EXIF:XPKeywords=Munich",
    ),
    *("-IPTC:City=Munich", "-IPTC:Keywords=Munich", "-IPTC:Sub-location=Homestreet 7"),
    *("-EXIF:Artist=Jane Doe", "-XMP-dc:Rights=(c) Jane Doe", "-EXIF:Make=Kamerawerk"),
)


@needs_exiftool
@pytest.mark.parametrize("kind", KINDS)
def test_what_exiftool_planted_goes_and_the_rest_stays(kind: str, tmp_path: Path) -> None:
    source = tmp_path / f"photo{kind}"
    source.write_bytes(carriers.carrier(kind))
    subprocess.run(["exiftool", "-q", "-m", "-overwrite_original", *PLANTED, source], check=False, timeout=60)
    photo, outputs = read_photo(source), [tmp_path / f"edited{kind}", tmp_path / f"plain{kind}"]
    write_photo(edited(photo), outputs[0], provenance=Provenance(), strip="gps")
    write_photo(photo, outputs[1], provenance=None, strip="gps")
    before, *after = tags_of(source, *outputs)
    assert len(places_in(before)) > 10
    for tags in after:
        assert places_in(tags) == []
        assert tags["IFD0:Artist"] == "Jane Doe" and tags["XMP-dc:Rights"] == "(c) Jane Doe"
    np.testing.assert_array_equal(read_photo(outputs[1]).stored, photo.stored)


@needs_exiftool
@needs_imagemagick
def test_what_imagemagick_puts_into_a_png_goes(tmp_path: Path) -> None:
    photo, source = tmp_path / "photo.jpg", tmp_path / "photo.png"
    gps, city = hiding.exif_parts()["gps"], hiding.resources()["city"]
    photo.write_bytes(carriers.carrier(".jpg", exif=gps, xmp=carriers.packet_of_gps(), iptc=city))
    subprocess.run([str(IMAGEMAGICK), photo, source], check=True, timeout=60)
    write_photo(read_photo(source), tmp_path / "plain.png", provenance=None, strip="gps")
    write_photo(edited(read_photo(source)), tmp_path / "edited.png", provenance=None, strip="gps")
    before, *after = tags_of(source, tmp_path / "plain.png", tmp_path / "edited.png")
    assert places_in(before) and [places_in(tags) for tags in after] == [[], []]
    assert all("Jane Doe" in str(tags) for tags in after)


def tags_of(*paths: Path) -> list[dict[str, object]]:
    """What ExifTool finds in each file."""
    command = ["exiftool", "-json", "-a", "-G1", "-s", "-ee", "-U", *map(str, paths)]
    return list(json.loads(subprocess.run(command, capture_output=True, check=False, timeout=60).stdout))


# groups and tags that say how the picture is coded and which colours it has
_CODING = (
    "File:",
    "System:",
    "ExifTool:",
    "ICC",
    "Composite:",
    "JFIF:",
    "PNG:",
    "RIFF:",
    "Meta",
    "QuickTime:",
)
_OF_PAGES = ("IFD0:Orientation", "IFD0:ExifByteOrder", "SourceFile", "APP14:", "Track")
_MARK = ("XMP-iptcExt:DigitalSourceType", "XMP-xmp:CreatorTool", "XMP-photoshop:Credit", "XMP-x:XMPToolkit")


@needs_exiftool
@pytest.mark.parametrize("kind", KINDS)
def test_all_leaves_colour_orientation_and_the_mark(kind: str, tmp_path: Path) -> None:
    source = tmp_path / f"photo{kind}"
    turned: carriers.Exif = (
        [(0x0112, 3, 1, b"\x06\x00" if kind == ".tif" else b"\x00\x06")],
        [],
        carriers.place_of(),
    )
    upright = kind in (".heic", ".avif")
    source.write_bytes(carriers.carrier(kind, exif=hiding.exif_parts()["gps"] if upright else turned))
    photo = read_photo(source)
    for name, changed in (("plain", photo), ("edited", edited(photo))):
        output = tmp_path / f"{name}{kind}"
        report = write_photo(changed, output, provenance=Provenance(), strip="all")
        (tags,) = tags_of(output)
        again = read_photo(output)
        assert again.orientation == photo.orientation and again.metadata.icc == photo.metadata.icc
        allowed = (*_CODING, *_OF_PAGES, *(_MARK if name == "edited" else ()))
        page = [each for each in tags if kind == ".tif" and each.startswith("IFD0:")]
        assert not {"IFD0:Make", "IFD0:Artist"} & tags.keys()
        assert [each for each in tags if not each.startswith(allowed) and each not in page] == []
        assert b"Jane Doe" not in output.read_bytes() and not any("place" in w for w in report.warnings)
        assert ("XMP-iptcExt:DigitalSourceType" in tags) == (name == "edited")


def test_free_text_that_still_names_the_place_is_told(tmp_path: Path) -> None:
    title = '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Rain over Munich</rdf:li></rdf:Alt></dc:title>'
    packet = carriers.packet('photoshop:City="Munich"', title)
    one = Hiding("title", ".jpg", carriers.carrier(".jpg", xmp=packet))
    report = write(one, tmp_path, "gps", edit=False, kind=".jpg")
    assert any("still names the place" in warning for warning in report.warnings)
    assert b"Rain over Munich" in report.path.read_bytes() and b"City" not in report.path.read_bytes()


def test_raw_settings_and_words_for_subjects_stay(tmp_path: Path) -> None:
    crs = 'xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"'
    colours = f"<crs:PointColors {crs}><rdf:Seq><rdf:li>1.23456, 0.56789</rdf:li></rdf:Seq></crs:PointColors>"
    words = carriers.bag("dc:subject", "City", "Country", "Sunset")
    packet = carriers.packet(colours, words, 'photoshop:City="Munich"')
    one = Hiding("settings", ".jpg", carriers.carrier(".jpg", xmp=packet))
    data = write(one, tmp_path, "gps", edit=False, kind=".jpg").path.read_bytes()
    assert all(kept in data for kept in (b"1.23456, 0.56789", b">City<", b">Country<", b">Sunset<"))
    assert b"Munich" not in data


@pytest.mark.parametrize("build", [phones.ultra_hdr, phones.motion_photo], ids=["gain-map", "motion-photo"])
def test_photos_of_phones(build: Callable[[], bytes], tmp_path: Path) -> None:
    one = Hiding("phone", ".jpg", build())
    plain = write(one, tmp_path, "none", edit=False, kind=".jpg")
    assert plain.path.read_bytes() == one.data and plain.warnings == ()
    changed = write(one, tmp_path, "none", edit=True, kind=".jpg")
    data = changed.path.read_bytes()
    assert any("left out, because it cannot be kept true" in warning for warning in changed.warnings)
    for untrue in (b"hdrgm:", b"GainMap", b"MotionPhoto", b"MicroVideo", b"MPF\x00", b"moov", b"48.1372+"):
        assert untrue not in data


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_metadata_never_break_the_stripping(kind: str, tmp_path: Path) -> None:
    """Wherever bytes are flipped: a photo that can be read is stripped, and a photo comes of it."""
    everything = hiding.exif_parts()["gps"]
    data = carriers.carrier(
        kind, exif=everything, xmp=hiding.xmp_packets()["levels"], iptc=hiding.resources()["city"]
    )
    generator = np.random.default_rng(5)
    first = (
        data.index(b"EXIF") if kind == ".webp" else 12
    )  # a WebP may not notice that its picture is damaged
    source, read = tmp_path / f"photo{kind}", 0
    for _ in range(40):
        flipped = bytearray(data)
        for place in generator.integers(first, len(data), 4):
            flipped[place] ^= 1 << int(generator.integers(0, 8))
        source.write_bytes(flipped)
        try:
            photo = read_photo(source)
        except PhotoError:
            continue
        read += 1
        for strip in ("gps", "all"):
            report = write_photo(photo, tmp_path / f"out{kind}", provenance=None, strip=strip)  # type: ignore[arg-type]
            assert read_photo(report.path).stored.shape == photo.stored.shape
    assert read or kind == ".png"


TIFFS: dict[str, dict[str, Any]] = {
    "lzw": {"compression": "lzw"},
    "deflate": {"compression": "zlib", "predictor": True},
    "jpeg": {"compression": "jpeg"},
    "tiles": {"tile": (16, 16)},
    "planes": {"planarconfig": "separate"},
    "big": {"bigtiff": True},
    "motorola": {"byteorder": ">"},
    "strips": {"rowsperstrip": 7},
}


@pytest.mark.parametrize("name", TIFFS)
def test_every_layout_of_a_tiff_is_copied(name: str, tmp_path: Path) -> None:
    pixels = make.picture()
    options = TIFFS[name]
    pixels = pixels.transpose(2, 0, 1) if name == "planes" else pixels
    where = [(700, 1, len(carriers.packet_of_gps()), carriers.packet_of_gps(), True)]
    source, buffer = tmp_path / "photo.tif", io.BytesIO()
    try:
        tifffile.imwrite(buffer, pixels, photometric="rgb", metadata=None, extratags=where, **options)
    except (ValueError, KeyError, ImportError) as error:
        pytest.skip(f"tifffile cannot write it here: {error}")
    source.write_bytes(buffer.getvalue())
    photo = read_photo(source)
    report = write_photo(photo, tmp_path / "out.tif", provenance=None, strip="gps")
    again = read_photo(report.path)
    np.testing.assert_array_equal(again.stored, photo.stored)
    assert not report.warnings and again.metadata.xmp
    assert b"48,8.232" not in report.path.read_bytes()


def test_further_pictures_of_a_heic_stay_as_they_are(tmp_path: Path) -> None:
    images = [Image.fromarray(make.picture()), Image.fromarray(255 - make.picture())]
    file = pillow_heif.from_pillow(images[0])
    file.add_from_pillow(images[1])
    exif = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08" + carriers.block([], [], carriers.place_of())
    for image in file:
        image.info["exif"], image.info["xmp"] = exif, carriers.packet_of_gps()
    source = tmp_path / "photo.heic"
    file.save(source, quality=80, exif=exif, xmp=carriers.packet_of_gps())
    assert source.read_bytes().count(b"48,8.232N") > 1
    report = write_photo(read_photo(source), tmp_path / "out.heic", provenance=None, strip="gps")
    before, after = (pillow_heif.open_heif(path) for path in (source, report.path))
    assert len(before) == len(after) == 2
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    assert b"48,8.232N" not in report.path.read_bytes() and b"Jane Doe" in report.path.read_bytes()
    assert report.path.stat().st_size == source.stat().st_size
