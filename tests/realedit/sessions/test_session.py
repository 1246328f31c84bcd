"""A session's folder: what goes in comes out, nobody else reads it, damage is told and not guessed over."""

import dataclasses
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from alignment import Alignment
from inversion import InversionSettings
from realedit.editing.kept import check_belongs, same_settings
from realedit.errors import OutputError, ResourceError, SessionError
from realedit.sessions.folders import check_folder
from realedit.sessions.session import Session, to_picture, to_tensor
from tests.realedit.samples import box_checkpoint, photo_of, picture, random_session

FILES = {"session.json", "crop.png", "latents.safetensors", "tuned.safetensors", "history.jsonl"}


def _assert_equal(one: Any, other: Any, where: str) -> None:
    """Equal and of the same type and dtype, all the way down."""
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            _assert_equal(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype and np.array_equal(one, other), where
    elif isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype and torch.equal(one, other), where
    else:
        assert one == other, where


def _assert_same(one: Session, other: Session) -> None:
    for field in dataclasses.fields(Session):
        _assert_equal(getattr(one, field.name), getattr(other, field.name), field.name)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**30), tuned=st.booleans(), landmarks=st.booleans(), inverted=st.booleans())
def test_what_is_saved_is_what_is_loaded(
    seed: int, tuned: bool, landmarks: bool, inverted: bool, tmp_path: Path
) -> None:
    session = random_session(seed, tuned=tuned, landmarks=landmarks)
    if not inverted:
        session = dataclasses.replace(session, pivot=None, current=None, tuning={}, history=(), masks={})
    folder = tmp_path / f"{seed}-{tuned}-{landmarks}-{inverted}"
    session.save(folder)
    _assert_same(Session.load(folder), session)


def test_the_folder_holds_what_the_design_names(tmp_path: Path) -> None:
    session = random_session(1)
    session.save(tmp_path / "session")
    assert {path.name for path in (tmp_path / "session").iterdir()} == FILES | set(session.masks)
    header = json.loads((tmp_path / "session" / "session.json").read_text())
    assert header["schema"] == 1
    assert header["photo_sha256"] == session.photo_sha256 and header["model_sha256"] == session.model_sha256
    assert len((tmp_path / "session" / "history.jsonl").read_text().splitlines()) == 2


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX's")
def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    wide = tmp_path / "was open"
    wide.mkdir(mode=0o755)
    wide.chmod(0o755)
    for folder in (tmp_path / "new", wide):
        random_session(2).save(folder)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for path in folder.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_names_may_be_of_any_language(tmp_path: Path) -> None:
    folder = tmp_path / "Sitzung Ωμέγα 写真 🙂"
    random_session(3).save(folder)
    assert Session.load(folder).photo_path == Path("/photos/Zoë und Jürgen 山.jpg")


def test_a_later_session_replaces_the_earlier_one(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    random_session(4).save(folder)
    later = random_session(5, tuned=False)
    later.save(folder)
    _assert_same(Session.load(folder), later)
    assert not (folder / "tuned.safetensors").exists()


def test_a_session_without_inversion_leaves_no_latents_of_another(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    random_session(4).save(folder)
    bare = dataclasses.replace(random_session(5), pivot=None, current=None, tuning={}, history=(), masks={})
    bare.save(folder)
    _assert_same(Session.load(folder), bare)


def test_from_start_forgets_the_drags_and_nothing_else(tmp_path: Path) -> None:
    session = random_session(6)
    fresh = session.from_start()
    assert fresh.history == () and fresh.masks == {} and fresh.current is session.pivot
    assert fresh.tuning is session.tuning
    session.save(tmp_path / "session")
    fresh.save(tmp_path / "session")
    _assert_same(Session.load(tmp_path / "session"), fresh)


def test_a_folder_that_is_not_there_or_empty_holds_no_session(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(SessionError, match=r"holds no session; make one with: realedit invert") as error:
            Session.load(folder)
        assert str(folder) in str(error.value)


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("damage", ["missing", "empty", "half", "noise", "text"])
def test_damage_is_one_sentence_with_the_folder(name: str, damage: str, tmp_path: Path) -> None:
    folder = tmp_path / "session"
    session = random_session(7)
    session.save(folder)
    path = folder / name
    whole = path.read_bytes()
    harmless = {
        ("tuned.safetensors", "missing"),
        ("latents.safetensors", "missing"),
        ("history.jsonl", "empty"),
    }
    if damage == "missing":
        path.unlink()
    else:
        noise = np.random.default_rng(1).integers(0, 256, len(whole), dtype=np.uint8).tobytes()
        path.write_bytes(
            {"empty": b"", "half": whole[: len(whole) // 2], "noise": noise, "text": b"hm"}[damage]
        )
    if (name, damage) in harmless:  # a state that a session may be in
        Session.load(folder)
        return
    with pytest.raises(SessionError) as error:
        Session.load(folder)
    message = str(error.value)
    assert str(folder) in message and "\n" not in message
    assert "invert" in message, "says what to do"


def test_a_missing_mask_is_damage(tmp_path: Path) -> None:
    session = random_session(8)
    session.save(tmp_path / "session")
    (tmp_path / "session" / next(iter(session.masks))).unlink()
    with pytest.raises(SessionError, match="damaged"):
        Session.load(tmp_path / "session")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(name=st.sampled_from(sorted(FILES)), place=st.floats(0, 0.999), bit=st.integers(0, 7))
def test_a_flipped_bit_is_told_or_harmless_but_never_another_error(
    name: str, place: float, bit: int, tmp_path: Path
) -> None:
    folder = tmp_path / "session"
    random_session(9).save(folder)
    path = folder / name
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    path.write_bytes(bytes(content))
    try:
        Session.load(folder)
    except SessionError as error:
        assert "\n" not in str(error)
    path.unlink()


def _header(change: Callable[[dict[str, Any]], None], folder: Path) -> None:
    path = folder / "session.json"
    header = json.loads(path.read_text())
    change(header)
    path.write_text(json.dumps(header))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda header: header.update(schema=99), "schema 99"),
        (lambda header: header.pop("model_sha256"), "model_sha256"),
        (lambda header: header.update(more=1), "more"),
        (lambda header: header.update(seed="one"), "seed"),
        (lambda header: header["alignment"].update(side=-1), "side"),
        (lambda header: header["alignment"].pop("angle"), "angle"),
    ],
)
def test_a_header_that_says_nonsense_is_refused(
    change: Callable[[dict[str, Any]], None], said: str, tmp_path: Path
) -> None:
    folder = tmp_path / "session"
    random_session(10).save(folder)
    _header(change, folder)
    with pytest.raises(SessionError, match=said):
        Session.load(folder)


def test_latents_that_are_not_both_there_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    random_session(11).save(folder)
    save_file({"pivot": torch.zeros(1, 4, 8)}, folder / "latents.safetensors")
    with pytest.raises(SessionError, match="pivot and current"):
        Session.load(folder)


def test_places_where_no_session_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "holiday.jpg").write_bytes(b"precious")
    for folder, said in [
        (tmp_path / "file", "is a file"),
        (tmp_path / "none" / "deep", "no folder"),
        (tmp_path / "album", "holds other files"),
    ]:
        with pytest.raises(OutputError, match=said):
            check_folder(folder)
        with pytest.raises(OutputError, match=said):
            random_session(12).save(folder)
    assert [p.name for p in (tmp_path / "album").iterdir()] == ["holiday.jpg"]
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "new", tmp_path / "empty"):
        check_folder(folder)
    random_session(12).save(tmp_path / "new")
    check_folder(tmp_path / "new")


def test_a_full_disk_while_saving_is_told_and_the_earlier_session_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "session"
    session = random_session(13)
    session.save(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ResourceError, match="the disk is full"):
            random_session(14).save(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_sessions_of_another_photo_or_model_are_refused(tmp_path: Path) -> None:
    checkpoint = box_checkpoint()
    photo = photo_of(picture())
    session = dataclasses.replace(
        random_session(15),
        photo_sha256=photo.sha256,
        photo_size=(photo.width, photo.height),
        model_sha256=checkpoint.sha256,
        crop=np.zeros((32, 32, 3), np.uint8),
        pivot=torch.zeros(1, checkpoint.generator.num_ws, checkpoint.generator.w_dim),
        tuning={},
    )
    check_belongs(session, photo, checkpoint, tmp_path)
    check_belongs(session, None, checkpoint, tmp_path)
    other = photo_of(picture(), source=b"other", path=Path("other.png"))
    with pytest.raises(SessionError, match=r"is of another photo .*Zoë.*use another folder for other\.png"):
        check_belongs(session, other, checkpoint, tmp_path)
    with pytest.raises(SessionError, match="was made with the model random, not with random32"):
        check_belongs(session, photo, box_checkpoint(seed=5), tmp_path)
    older = dataclasses.replace(session, model="random32", model_sha256="f" * 64)
    with pytest.raises(SessionError, match=r"other weights of random32.*edit the photo again"):
        check_belongs(older, photo, checkpoint, tmp_path)
    changes: list[tuple[dict[str, Any], str]] = [
        ({"crop": np.zeros((16, 16, 3), np.uint8)}, "its crop has 16 pixels, the model 32"),
        ({"pivot": torch.zeros(1, 3, 8)}, r"its latent is \(1, 3, 8\)"),
        ({"tuning": {"a.weight": torch.zeros(2).half()}}, "tuning does not fit this generator: a.weight"),
        ({"photo_size": (12, 9)}, "its photo has 12 x 9 pixels"),
        ({"alignment": Alignment(centre=(1e5, 0), side=10, angle=0)}, "its square lies outside of the photo"),
    ]
    for change, said in changes:
        with pytest.raises(SessionError, match=said):
            check_belongs(dataclasses.replace(session, **change), photo, checkpoint, tmp_path)


def test_settings_are_compared_as_stored(tmp_path: Path) -> None:
    session = random_session(16)
    session.save(tmp_path / "session")
    loaded = Session.load(tmp_path / "session")
    assert same_settings(loaded, InversionSettings(seed=16))
    assert not same_settings(loaded, InversionSettings(seed=17))
    assert not same_settings(loaded, InversionSettings.preset("draft", seed=16))


@given(seed=st.integers(0, 1000))
def test_crops_become_tensors_and_pictures_exactly(seed: int) -> None:
    crop = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    tensor = to_tensor(crop)
    assert tensor.shape == (1, 3, 8, 8) and tensor.dtype == torch.float32
    assert float(tensor.min()) >= -1 and float(tensor.max()) <= 1
    assert np.array_equal(np.rint(to_picture(tensor) * 255).astype(np.uint8), crop)


def test_pictures_are_clipped() -> None:
    shown = to_picture(torch.tensor([-3.0, 0.0, 3.0]).reshape(1, 3, 1, 1))
    assert shown.tolist() == [[[0, 0.5, 1]]]
