"""Options about where the photo may change, how it is marked and signed, and what is shown of the paste."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realedit import pipeline
from realedit.editing import arriving
from realedit.photos import Photo, read_photo
from realedit.photos.metadata.provenance import marked
from tests.realedit.cli.conftest import Shell
from tests.realedit.photos.builders import png_chunk, xmp
from tests.realedit.photos.certificates import signing_of_our_own
from tests.realedit.samples import png

pytestmark = pytest.mark.usefixtures("small_paste")

EDIT = ["edit", "photo.png", "-o", "out.png", "--drag=40,40:46,40", "--model=box.safetensors"]
QUICK = ["--quality=draft", "--max-steps=4", "--reach=all"]


def _changed(folder: Path) -> np.ndarray:
    before, after = (read_photo(folder / name).view() for name in ("photo.png", "out.png"))
    return np.asarray((before != after).any(-1))


def test_nothing_changes_outside_of_the_regions(shell: Shell) -> None:
    shell(*EDIT, *QUICK, "--region=20,20,30,25", "--region=60,30,10,12")
    changed = _changed(shell.folder)
    allowed = np.zeros_like(changed)
    allowed[20:45, 20:50] = allowed[30:42, 60:70] = True
    assert changed[20:45, 20:50].any() and not changed[~allowed].any()


def test_a_region_narrows_the_mask(shell: Shell) -> None:
    mask = np.zeros((80, 96), np.uint8)
    mask[:, :44] = 255
    png(shell.folder / "mask.png", mask)
    shell(*EDIT, *QUICK, "--region=20,20,50,40", "--mask=mask.png")
    changed = _changed(shell.folder)
    changed[20:60, 20:44] = False
    assert not changed.any()


@pytest.mark.parametrize(
    ("region", "word"),
    [("20,20,30", "X,Y,W,H"), ("a,b,c,d", "X,Y,W,H"), ("5,5,0,9", "empty"), ("300,5,9,9", "outside")],
)
def test_senseless_regions_are_refused(shell: Shell, region: str, word: str) -> None:
    assert word in shell(*EDIT, *QUICK, f"--region={region}", code=2).err
    assert not (shell.folder / "out.png").exists()


def test_the_pictures_of_the_paste_are_written(shell: Shell) -> None:
    shell(*EDIT, *QUICK, "--debug=pictures")
    names = {path.name for path in (shell.folder / "pictures").iterdir()}
    assert {"crop.png", "before.png", "after.png", "flow.png", "confidence.png", "mask.png"} <= names
    flow = read_photo(shell.folder / "pictures" / "flow.png").view()
    assert len(np.unique(flow.reshape(-1, 3), axis=0)) > 10, "directions are seen as colours"


def test_a_debug_folder_that_cannot_be_is_refused_before_the_work(shell: Shell) -> None:
    result = shell(*EDIT, *QUICK, "--debug=photo.png", code=2)
    assert "photo.png" in result.err and len(result.err.splitlines()) == 1


def test_a_visible_label_is_drawn_into_the_corner(shell: Shell) -> None:
    shell(*EDIT, *QUICK, "--region=20,20,30,25")
    assert not _changed(shell.folder)[60:, 50:].any()
    shell(*EDIT, *QUICK, "--region=20,20,30,25", "--label-visible")
    assert _changed(shell.folder)[60:, 50:].any()
    assert marked(read_photo(shell.folder / "out.png").metadata.xmp)


def test_an_edit_of_nothing_gets_no_label(shell: Shell) -> None:
    shell(
        "edit",
        "photo.png",
        "-o",
        "out.png",
        "--drag=40,40:40,40",
        "--model=box.safetensors",
        "--label-visible",
    )
    assert (shell.folder / "out.png").read_bytes() == (shell.folder / "photo.png").read_bytes()


def test_photos_above_the_limit_are_refused(shell: Shell) -> None:
    assert "96 x 80" in shell(*EDIT, *QUICK, "--max-pixels=7679", code=4).err
    shell(*EDIT, *QUICK, "--max-pixels=7680")


def test_half_a_signature_is_refused_before_the_work(shell: Shell) -> None:
    assert "both" in shell(*EDIT, *QUICK, "--c2pa-cert=cert.pem", code=2).err
    assert "--c2pa-cert" in shell(*EDIT, *QUICK, "--c2pa-timestamp=http://x", code=2).err
    pytest.importorskip("c2pa", reason="needs realedit[c2pa]")
    result = shell(*EDIT, *QUICK, "--c2pa-cert=cert.pem", "--c2pa-key=key.pem", code=2)
    assert "cert.pem" in result.err and not (shell.folder / "out.png").exists()


def test_the_users_certificate_signs_the_edited_photo(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    signing = signing_of_our_own(tmp_path / "keys")
    import c2pa

    signed = [f"--c2pa-cert={signing.certificate}", f"--c2pa-key={signing.key}"]
    shell(*EDIT, *QUICK, *signed)
    with c2pa.Reader(shell.folder / "out.png") as reader:
        assert reader.get_validation_state() == "Valid"
        manifest = reader.get_active_manifest()
    assert manifest is not None and manifest["signature_info"]["common_name"] == "Own"
    assert "compositeWithTrainedAlgorithmicMedia" in json.dumps(manifest["assertions"])
    (parent,) = manifest["ingredients"]
    assert parent["relationship"] == "parentOf" and parent["title"] == "photo.png"
    assert _changed(shell.folder).any() and marked(read_photo(shell.folder / "out.png").metadata.xmp)


def test_a_key_of_another_kind_is_refused_before_the_work(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keys").mkdir()
    signing = signing_of_our_own(tmp_path / "keys")
    monkeypatch.setattr(pipeline, "planned", lambda *_, **__: pytest.fail("the work began"))
    signed = [f"--c2pa-cert={signing.certificate}", f"--c2pa-key={signing.key}", "--c2pa-algorithm=ed25519"]
    result = shell(*EDIT, *QUICK, *signed, code=2)
    assert "cannot sign" in result.err and "own.key" in result.err and not (shell.folder / "out.png").exists()


@pytest.mark.filterwarnings("default:something old")
def test_warnings_of_libraries_go_where_messages_go(shell: Shell) -> None:
    def old(*arguments: Any, **options: Any) -> Photo:
        warnings.warn("something old", DeprecationWarning, stacklevel=1)
        return read_photo(*arguments, **options)

    shell.patch.setattr(arriving, "read_photo", old)
    result = shell(*EDIT, *QUICK, "--quiet", "--log-file=log.txt")
    assert result.err == "" and "something old" in (shell.folder / "log.txt").read_text()


WHERE = b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + xmp('photoshop:City="Oslo"', 'xmp:Rating="4"')


@pytest.mark.parametrize(
    ("options", "city", "rating"),
    [
        ([], True, True),
        (["--strip=none"], True, True),
        (["--strip=gps"], False, True),
        (["--strip=all"], False, False),
        (["--strip-gps"], False, True),
        (["--strip-gps", "--strip=all"], False, False),
    ],
)
@pytest.mark.parametrize("moves", [True, False])
def test_what_is_to_go_is_stripped(
    shell: Shell, options: list[str], city: bool, rating: bool, moves: bool
) -> None:
    photo = shell.folder / "photo.png"
    data = photo.read_bytes()
    photo.write_bytes(data[:-12] + png_chunk(b"iTXt", WHERE) + data[-12:])
    drag = "--drag=40,40:46,40" if moves else "--drag=40,40:40,40"
    shell("edit", "photo.png", "-o", "out.png", drag, "--model=box.safetensors", *QUICK, *options)
    packet = read_photo(shell.folder / "out.png").metadata.xmp or b""
    assert (b"Oslo" in packet, b"Rating" in packet, marked(packet)) == (city, rating, moves)
    assert _changed(shell.folder).any() == moves


def test_an_unknown_part_to_strip_is_refused(shell: Shell) -> None:
    assert "'none', 'gps', 'all'" in shell(*EDIT, *QUICK, "--strip=xmp", code=2).err


@pytest.mark.parametrize("command", ["edit", "paste", "batch", "watch"])
def test_the_old_spelling_is_not_shown(shell: Shell, command: str) -> None:
    shown = shell(command, "--help").out
    assert "--strip [none|gps|all]" in shown and "--strip-gps" not in shown
