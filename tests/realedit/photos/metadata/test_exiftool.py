"""Another program reads back what is written: ExifTool, where it is installed."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from realedit.photos import Provenance, write_photo
from tests.realedit.photos.metadata.test_metadata import KINDS, edited, load, source

pytestmark = pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="exiftool (libimage-exiftool-perl) is not installed"
)


def exiftool(*paths: Path) -> list[dict[str, object]]:
    """The tags of each file, by group and name."""
    command = ["exiftool", "-json", "-n", "-G0", "-a", "-validate", "-error", "-all", *map(str, paths)]
    found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return list(json.loads(found.stdout))


@pytest.mark.parametrize("kind", KINDS)
def test_exiftool_finds_everything_in_every_format(kind: str, tmp_path: Path) -> None:
    photo = edited(load(tmp_path, kind, source(kind, 6 if kind in (".jpg", ".png") else 1)))
    outputs = [tmp_path / f"out{target}" for target in KINDS]
    for output in outputs:
        write_photo(photo, output, provenance=Provenance())
    for output, tags in zip(outputs, exiftool(*outputs), strict=True):
        assert "ExifTool:Error" not in tags, output.name
        kinds = str(tags["XMP:DigitalSourceType"])
        assert kinds.endswith("/compositeWithTrainedAlgorithmicMedia")
        assert str(tags["XMP:CreatorTool"]).startswith("realedit ") and tags["XMP:City"] == "Oslo"
        assert "AI" in str(tags["XMP:Credit"])
        assert tags["EXIF:Make"] == "Camera"
        assert tags["ICC_Profile:ProfileDescription"] == "Display P3"
        if kind != ".tif":
            assert tags["EXIF:GPSLatitude"] == pytest.approx(48 + 8 / 60 + 15 / 3600)
        if output.suffix == kind and kind in (".jpg", ".png"):
            assert tags["EXIF:Orientation"] == 6
        if kind in (".tif", ".avif") or output.suffix == ".tif":
            continue  # a TIFF has no thumbnail, and Pillow writes none into an AVIF
        assert "EXIF:ThumbnailImage" in tags


@pytest.mark.parametrize("kind", KINDS)
def test_exiftool_finds_no_place_when_it_was_to_go(kind: str, tmp_path: Path) -> None:
    photo = load(tmp_path, kind, source(kind))
    outputs = [tmp_path / f"plain{kind}", tmp_path / f"edited{kind}"]
    write_photo(photo, outputs[0], provenance=None, strip="gps")
    write_photo(edited(photo), outputs[1], provenance=None, strip="gps")
    for tags in exiftool(*outputs):
        assert not [name for name in tags if "GPS" in name] and "ExifTool:Error" not in tags
        assert "XMP:City" not in tags and tags["XMP:Rating"] == 4
