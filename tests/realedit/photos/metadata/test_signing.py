"""C2PA: the output is signed with the user's certificate and names the photo as its parent."""

import json
import sys
from pathlib import Path

import pytest

from realedit.errors import UsageError
from realedit.photos import Photo, Provenance, Signing, check_signing, read_photo, write_photo
from tests.realedit.photos import builders as make
from tests.realedit.photos.certificates import signing_of_our_own


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Signing:
    return signing_of_our_own(tmp_path_factory.mktemp("keys"))


def edited(folder: Path, name: str, data: bytes) -> Photo:
    (folder / name).write_bytes(data)
    photo = read_photo(folder / name)
    return photo.with_block((2, 2, 30, 30), 255 - photo.view((2, 2, 30, 30)))


@pytest.mark.parametrize("extension", [".jpg", ".png", ".tif", ".webp", ".avif", ".heic"])
def test_the_signature_is_valid_and_says_what_was_done(
    signing: Signing, extension: str, tmp_path: Path
) -> None:
    import c2pa

    photo = edited(tmp_path, "photo.jpg", make.jpeg())
    output = tmp_path / f"out{extension}"
    write_photo(photo, output, provenance=Provenance(), signing=signing)
    with c2pa.Reader(output) as reader:
        assert reader.get_validation_state() == "Valid"
        manifest = reader.get_active_manifest()
    assert manifest is not None
    actions = [a for x in manifest["assertions"] if "actions" in x["label"] for a in x["data"]["actions"]]
    assert {a["action"] for a in actions} == {"c2pa.opened", "c2pa.edited"}
    assert "compositeWithTrainedAlgorithmicMedia" in json.dumps(actions)
    assert [i["relationship"] for i in manifest["ingredients"]] == ["parentOf"]
    again = read_photo(output)
    assert again.width == photo.width and any("C2PA" in part for part in again.stale)


def test_a_signed_photo_that_is_edited_again_loses_its_seal_with_a_warning(
    signing: Signing, tmp_path: Path
) -> None:
    write_photo(
        edited(tmp_path, "photo.png", make.png(make.picture())),
        tmp_path / "a.png",
        provenance=None,
        signing=signing,
    )
    photo = edited(tmp_path, "b.png", (tmp_path / "a.png").read_bytes())
    assert any("C2PA" in w for w in write_photo(photo, tmp_path / "c.png", provenance=None).warnings)


def test_unusable_keys_are_named_and_leave_nothing(signing: Signing, tmp_path: Path) -> None:
    photo = edited(tmp_path, "photo.jpg", make.jpeg())
    (tmp_path / "bad.pem").write_text("no key")
    for bad in (
        Signing(tmp_path / "none.pem", signing.key),
        Signing(signing.certificate, tmp_path / "bad.pem"),
    ):
        with pytest.raises(UsageError, match=r"none\.pem|bad\.pem"):
            write_photo(photo, tmp_path / "out.jpg", provenance=None, signing=bad)
        with pytest.raises(UsageError, match=r"none\.pem|bad\.pem"):
            check_signing(bad)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.pem", "photo.jpg"]


def test_without_the_extra_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    photo = edited(tmp_path, "photo.jpg", make.jpeg())
    with pytest.raises(UsageError, match=r"realedit\[c2pa\]"):
        write_photo(photo, tmp_path / "out.jpg", provenance=None, signing=Signing(Path("a"), Path("b")))
