"""Nobody learns from a stripped photo where it was taken; ExifTool looks where it is installed."""

import json
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from realedit.photos import Provenance, Strip, read_photo, write_photo
from tests.realedit.photos import hiding
from tests.realedit.photos.carriers import KINDS
from tests.realedit.photos.hiding import KEPT, TOKENS, Hiding
from tests.realedit.photos.metadata.test_metadata import edited

HIDINGS = list(hiding.hidings())
needs_exiftool = pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="exiftool (libimage-exiftool-perl) is not installed"
)


@dataclass(frozen=True)
class Written:
    """A file that was written from a photo with a place in it."""

    path: Path
    warnings: tuple[str, ...]


def identity(one: Hiding) -> str:
    return f"{one.name}{one.kind}"


def others(kind: str) -> str:
    """Another format; each is the other one of some format."""
    return KINDS[(KINDS.index(kind) + 1) % len(KINDS)]


def write(one: Hiding, folder: Path, strip: Strip, *, edit: bool, kind: str) -> Written:
    source = folder / f"{one.name}-source{one.kind}"
    source.write_bytes(one.data)
    photo = read_photo(source)
    output = folder / f"{one.name}-{one.kind[1:]}-{strip}-{'edited' if edit else 'plain'}{kind}"
    report = write_photo(edited(photo) if edit else photo, output, provenance=Provenance(), strip=strip)
    return Written(output, report.warnings)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Written]]:
    """Every hiding, stripped of its place: edited, not edited, in another format; and edited as it is."""
    found: dict[str, dict[str, Written]] = {}
    for one in HIDINGS:
        folder = tmp_path_factory.mktemp(one.name)
        found[identity(one)] = {
            "edited": write(one, folder, "gps", edit=True, kind=one.kind),
            "plain": write(one, folder, "gps", edit=False, kind=one.kind),
            "other": write(one, folder, "gps", edit=True, kind=others(one.kind)),
            "all": write(one, folder, "all", edit=False, kind=one.kind),
            "kept": write(one, folder, "none", edit=True, kind=one.kind),
            "source": Written(folder / f"{one.name}-source{one.kind}", ()),
        }
    return found


@pytest.fixture(scope="module")
def shown(written: dict[str, dict[str, Written]]) -> dict[Path, dict[str, object]]:
    """What ExifTool finds in each file."""
    paths = [each.path for group in written.values() for each in group.values()]
    command = ["exiftool", "-json", "-a", "-G1", "-s", "-ee", "-U", "-@", "-"]
    done = subprocess.run(
        command, input="\n".join(map(str, paths)), capture_output=True, text=True, timeout=300, check=False
    )
    return {Path(tags["SourceFile"]): tags for tags in json.loads(done.stdout)}


def places_in(tags: dict[str, object]) -> list[str]:
    """What of ExifTool's tags names a place."""
    names = ("GPS", "City", "Location", "Country", "Latitude", "Longitude", "State", "Coverage", "Geo")
    found = [f"{tag}: {value}" for tag, value in tags.items() if any(each in tag for each in names)]
    texts = {tag: str(value) for tag, value in tags.items() if not tag.startswith(("System:", "SourceFile"))}
    return found + [f"{tag}: {text}" for tag, text in texts.items() if any(token in text for token in TOKENS)]


@needs_exiftool
@pytest.mark.parametrize("one", HIDINGS, ids=identity)
def test_the_place_is_there_to_be_found(
    one: Hiding, written: dict[str, dict[str, Written]], shown: dict[Path, dict[str, object]]
) -> None:
    source = written[identity(one)]["source"].path
    hidden = any(token.encode() in one.data for token in TOKENS) or b"Munich" in one.data
    assert places_in(shown[source]) or hidden or one.name == "exif-thumbnail"


@needs_exiftool
@pytest.mark.parametrize("one", HIDINGS, ids=identity)
def test_exiftool_finds_no_place_in_a_stripped_photo(
    one: Hiding, written: dict[str, dict[str, Written]], shown: dict[Path, dict[str, object]]
) -> None:
    for way in ("edited", "plain", "other", "all"):
        tags = shown[written[identity(one)][way].path]
        assert places_in(tags) == [], way
        assert "ExifTool:Error" not in tags, way


@pytest.mark.parametrize("one", HIDINGS, ids=identity)
def test_no_byte_of_a_stripped_photo_names_a_place(
    one: Hiding, written: dict[str, dict[str, Written]]
) -> None:
    latitude = (48, 1, 8, 1, 1392, 100)
    coded = [struct.pack(f"{order}6I", *latitude) for order in "<>"]
    for way in ("edited", "plain", "other", "all"):
        data = written[identity(one)][way].path.read_bytes()
        for token in TOKENS:
            assert token.encode() not in data and token.encode("utf-16-le") not in data, (way, token)
        assert not any(each in data for each in coded), way


@needs_exiftool
@pytest.mark.parametrize("one", HIDINGS, ids=identity)
def test_what_is_no_place_stays(
    one: Hiding, written: dict[str, dict[str, Written]], shown: dict[Path, dict[str, object]]
) -> None:
    group = written[identity(one)]
    before = json.dumps(shown[group["source"].path])
    for way in ("edited", "plain", "other"):
        after = json.dumps(shown[group[way].path])
        lost = [each for each in KEPT if each in before and each not in after]
        told = " ".join(group[way].warnings)
        assert not lost or "cannot hold" in told, (way, lost)


@needs_exiftool
@pytest.mark.parametrize("one", [one for one in HIDINGS if not one.untrue], ids=identity)
def test_without_strip_an_edit_keeps_the_place(
    one: Hiding, written: dict[str, dict[str, Written]], shown: dict[Path, dict[str, object]]
) -> None:
    group = written[identity(one)]
    before, after = places_in(shown[group["source"].path]), places_in(shown[group["kept"].path])
    if before:
        assert {each.split(": ", 1)[1] for each in before} <= {each.split(": ", 1)[1] for each in after}
    else:  # in a part that ExifTool cannot read
        data = group["kept"].path.read_bytes()
        assert any(token.encode() in data for token in TOKENS)


@pytest.mark.parametrize("one", HIDINGS, ids=identity)
def test_an_unedited_picture_is_not_coded_again(one: Hiding, written: dict[str, dict[str, Written]]) -> None:
    group = written[identity(one)]
    before = read_photo(group["source"].path)
    for way in ("plain", "all"):
        after = read_photo(group[way].path)
        np.testing.assert_array_equal(after.stored, before.stored)
        assert after.metadata.icc == before.metadata.icc and after.orientation == before.orientation
        assert not any("anew" in warning for warning in group[way].warnings)


def test_what_went_is_told_by_name(written: dict[str, dict[str, Written]]) -> None:
    told = {name: " ".join(group["plain"].warnings) for name, group in written.items()}
    assert "the maker note" in told["exif-maker-note.jpg"]
    assert "APP6 (GoPro)" in told["jpeg-segment.jpg"]
    assert "motion photo" in told["jpeg-motion-photo.jpg"] and "gain map" in told["jpeg-gain-map.jpg"]
    assert "the PNG chunk noTe" in told["png-chunk.png"] and "the WebP chunk NOTE" in told["webp-chunk.webp"]
    assert "a second EXIF block" in told["png-second-exif.png"]
    assert "a motion photo's video" in told["iso-video.heic"]
    assert "a motion photo's video" in " ".join(written["iso-video.avif"]["kept"].warnings)
    assert told["exif-gps.jpg"] == "" and told["xmp-city.heic"] == ""
