"""C2PA: the output is signed with the user's certificate and names the photo as its parent."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from realedit.errors import UsageError
from realedit.photos import Photo, Provenance, Signing, read_photo, write_photo
from tests.realedit.photos import builders as make

EXTENSIONS = """keyUsage=critical,digitalSignature
extendedKeyUsage=emailProtection
basicConstraints=critical,CA:FALSE
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid,issuer
"""


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Signing:
    """A certificate of our own making, signed by an authority of our own making."""
    pytest.importorskip("c2pa", reason="needs realedit[c2pa]")
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("keys")
    (folder / "extensions").write_text(EXTENSIONS)
    curve = "ecparam -name prime256v1 -genkey -noout -out"
    for command in (
        f"{curve} authority.key",
        "req -x509 -new -key authority.key -subj /CN=Authority/O=Test -days 9 -out authority.pem",
        f"{curve} plain.key",
        "pkcs8 -topk8 -nocrypt -in plain.key -out own.key",
        "req -new -key own.key -subj /CN=Own/O=Test -out own.request",
        "x509 -req -in own.request -CA authority.pem -CAkey authority.key -CAcreateserial -days 5"
        " -extfile extensions -out own.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    chain = folder / "chain.pem"
    chain.write_bytes((folder / "own.pem").read_bytes() + (folder / "authority.pem").read_bytes())
    return Signing(chain, folder / "own.key")


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
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.pem", "photo.jpg"]


def test_without_the_extra_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    photo = edited(tmp_path, "photo.jpg", make.jpeg())
    with pytest.raises(UsageError, match=r"realedit\[c2pa\]"):
        write_photo(photo, tmp_path / "out.jpg", provenance=None, signing=Signing(Path("a"), Path("b")))
