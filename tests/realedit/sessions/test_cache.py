"""The user's cache of inversions: what is asked again is not computed again; nothing else is taken for it."""

import dataclasses
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
import torch

import checkpoints
from checkpoints.models import listing, verify
from checkpoints.testing import random_checkpoint
from inversion import InversionSettings, Step
from realedit.drag import DragStep
from realedit.editing.request import EditRequest
from realedit.errors import OutputError
from realedit.pipeline import edit
from realedit.sessions import cache
from realedit.sessions.cache import DAY, CacheSettings
from realedit.sessions.session import Session
from tests.realedit.samples import box_checkpoint, picture, png, random_session, save_model

pytestmark = pytest.mark.usefixtures("small_paste")


def _find(session: Session) -> list[Session]:
    return list(cache.find(session.photo_sha256, session.model_sha256, session.settings))


@pytest.fixture
def request_of(tmp_path: Path) -> EditRequest:
    photo = png(tmp_path / "photo.png", picture())
    save_model(box_checkpoint(seed=3), tmp_path / "model.safetensors")
    return EditRequest(
        photo=photo,
        output=tmp_path / "out.png",
        drags=(((40.0, 40.0), (46.0, 40.0)),),
        model=str(tmp_path / "model.safetensors"),
        quality="draft",
        changes=(
            ("projection.steps", "3"),
            ("tuning.steps", "2"),
            ("tuning.l2", "1"),
            ("tuning.first_resolution", "8"),
        ),
    )


def _run(request: EditRequest) -> tuple[list[str], bytes]:
    """The stages that took steps, and the output."""
    stages: list[str] = []

    def on_step(step: Step | DragStep) -> bool:
        stages.append("drag" if isinstance(step, DragStep) else step.stage)
        return len(stages) < 12

    edit(request, on_step=on_step)
    return sorted(set(stages)), request.output.read_bytes()


def test_a_second_edit_inverts_nothing_and_gives_the_same_bytes(request_of: EditRequest) -> None:
    first = _run(dataclasses.replace(request_of, cache=False))
    assert first[0] == ["drag", "project", "tune"] and not cache.entries()
    kept = _run(request_of)
    assert kept[0] == ["drag", "project", "tune"] and len(cache.entries()) == 1
    again = _run(request_of)
    assert again[0] == ["drag"] and len(again[1]) > 100


def test_the_photo_counts_and_not_its_name(request_of: EditRequest, tmp_path: Path) -> None:
    _run(request_of)
    moved = tmp_path / "moved.png"
    shutil.copy(request_of.photo, moved)
    session = edit(dataclasses.replace(request_of, photo=moved, output=tmp_path / "b.png")).faces[0].session
    assert session.photo_path == moved and len(cache.entries()) == 1
    png(moved, picture(seed=1))
    assert "project" in _run(dataclasses.replace(request_of, photo=moved))[0]
    assert len(cache.entries()) == 2


def test_other_settings_seeds_and_models_are_other_entries() -> None:
    session = random_session(1)
    cache.keep(session)
    assert len(_find(session)) == 1
    for other in (
        dataclasses.replace(session, photo_sha256="0" * 64),
        dataclasses.replace(session, model_sha256="0" * 64),
        dataclasses.replace(session, settings=dataclasses.asdict(InversionSettings(seed=99))),
    ):
        assert not _find(other)


def test_what_was_dragged_is_not_kept() -> None:
    session = random_session(1)
    cache.keep(session)
    (found,) = _find(session)
    assert found.history == () and found.masks == {}
    assert found.pivot is not None and session.pivot is not None
    assert torch.equal(found.pivot, session.pivot) and torch.equal(found.pivot, found.current)
    assert set(found.tuning) == set(session.tuning)


def test_faces_of_one_photo_are_kept_apart() -> None:
    session = random_session(1)
    for face in (0, 1):
        cache.keep(dataclasses.replace(session, face=face))
    assert sorted(found.face or 0 for found in _find(session)) == [0, 1]


def test_entries_are_their_owners_alone() -> None:
    cache.keep(random_session(1))
    (entry,) = cache.entries()
    for path in (cache.sessions_folder(), entry.path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in entry.path.iterdir())


def test_the_longest_unused_go_first() -> None:
    sessions = [random_session(seed) for seed in (1, 2, 3)]
    for session in sessions:
        cache.keep(session)
    for age, session in zip((5, 200, 10), sessions, strict=True):
        name = cache.key(session.photo_sha256, session.model_sha256, session.settings)
        (path,) = cache.sessions_folder().glob(f"{name}-*")
        os.utime(path, (1e9 - age * DAY, 1e9 - age * DAY))
    sizes = {entry.path: entry.size for entry in cache.entries()}
    assert cache.evict(CacheSettings(max_age=90), now=1e9) == 1, "too old"
    largest = max(sizes.values())
    assert cache.evict(CacheSettings(max_bytes=largest), now=1e9) == 1, "too much"
    assert _find(sessions[0]) and not _find(sessions[2])


def test_use_keeps_an_entry_young() -> None:
    session = random_session(1)
    cache.keep(session)
    (entry,) = cache.entries()
    os.utime(entry.path, (1.0, 1.0))
    assert _find(session)
    assert cache.entries()[0].used > 1e9


def test_an_entry_without_one_of_its_files_is_deleted() -> None:
    session = random_session(1)
    cache.keep(session)
    (entry,) = cache.entries()
    (entry.path / "crop.png").unlink()
    assert not _find(session) and not cache.entries()


def test_a_damaged_entry_is_told_and_deleted(caplog: pytest.LogCaptureFixture) -> None:
    session = random_session(1)
    cache.keep(session)
    (entry,) = cache.entries()
    (entry.path / "latents.safetensors").write_bytes(b"nonsense")
    assert not _find(session)
    assert "not used and deleted" in caplog.text and not cache.entries()


def test_a_cache_that_cannot_be_written_costs_a_warning_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("REALEDIT_CACHE", str(tmp_path / "file"))
    cache.keep(random_session(1))
    assert "not kept" in caplog.text
    with pytest.raises(OutputError, match="Not a directory"):
        cache.entries()


def test_clearing_leaves_nothing() -> None:
    for seed in (1, 2):
        cache.keep(random_session(seed))
    count, size = cache.clear()
    assert count == 2 and size > 1000 and cache.entries() == []
    assert cache.clear() == (0, 0)


def test_what_is_no_entry_stays() -> None:
    cache.keep(random_session(1))
    for name in ("2024-holidays", ".hidden"):
        (cache.sessions_folder() / name).mkdir()
        (cache.sessions_folder() / name / "photo.jpg").write_bytes(b"precious")
    (cache.sessions_folder() / "notes.txt").write_bytes(b"precious")
    assert len(cache.entries()) == 1
    assert cache.evict(CacheSettings(max_bytes=0)) == 1
    cache.clear()
    assert len(list(cache.sessions_folder().rglob("*"))) == 5


def test_one_of_several_faces_is_looked_for_again(request_of: EditRequest) -> None:
    from realedit.editing.plan import serves

    session = dataclasses.replace(random_session(1), settings=dataclasses.asdict(InversionSettings()))
    x, y = session.alignment.centre
    request_of = dataclasses.replace(request_of, drags=(((x, y), (x, y)),))
    alone, several = (dataclasses.replace(session, faces=count) for count in (1, 2))

    def answers(session: Session, request: EditRequest) -> bool:
        return serves(session, InversionSettings(), request, random_checkpoint(8))

    assert answers(alone, request_of)
    assert not answers(several, request_of)
    assert answers(several, dataclasses.replace(request_of, faces=("0",)))
    assert not answers(alone, dataclasses.replace(request_of, box=(0, 0, 9, 9))), "a box is no face"


def _break(mode: str, place: Path) -> None:
    """Make the cache folder something that cannot be used."""
    shutil.rmtree(place)
    if mode == "a file":
        place.write_bytes(b"")
    elif mode == "a loop":
        place.symlink_to(place.name)
    elif mode == "a file within":
        place.mkdir()
        (place / "sessions").write_bytes(b"")
        (place / "models").write_bytes(b"")
    elif mode == "under a file":
        place.parent.joinpath("file").write_bytes(b"")
        place.symlink_to("file/cache")


def _denying(place: Path, real: Any) -> Any:
    def act(self: Path, *words: Any, **options: Any) -> Any:
        if self.is_relative_to(place):
            raise PermissionError(13, "Permission denied")
        return real(self, *words, **options)

    return act


@pytest.mark.parametrize("mode", ["a file", "a loop", "a file within", "under a file", "denied", "no home"])
def test_a_cache_that_cannot_be_used_costs_time_and_one_sentence(
    mode: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    place = tmp_path / "cache"
    place.mkdir()
    monkeypatch.setenv("REALEDIT_CACHE", str(place))
    _break(mode, place)
    if mode == "denied":
        for method in ("iterdir", "mkdir", "stat", "read_bytes"):
            monkeypatch.setattr(Path, method, _denying(place, getattr(Path, method)))
    if mode == "no home":
        monkeypatch.setenv("REALEDIT_CACHE", "~nobody-of-this-name/cache")
    session = random_session(1)
    for _ in range(2):
        assert _find(session) == [] and checkpoints.backbone("lpips-vgg") is None
        cache.keep(session)
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said.endswith("the work goes on without the cache.") and "damaged" not in said
    assert {row.place for row in listing()} == {"bundled", "known"}
    for ask in (cache.entries, cache.clear):
        with pytest.raises(OutputError):
            ask()
    with pytest.raises(checkpoints.CheckpointError) as error:
        verify()
    assert "damaged" not in str(error.value)


@pytest.mark.parametrize("home", [None, ""])
def test_without_a_home_the_cache_is_nowhere_and_not_in_a_folder_called_tilde(
    home: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REALEDIT_CACHE")
    monkeypatch.setattr(
        "checkpoints.cache.platformdirs.user_cache_path", lambda name: Path("~/.cache") / name
    )
    cache.keep(random_session(1))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutputError, match="REALEDIT_CACHE"):
        cache.entries()


def test_what_is_no_entry_is_neither_counted_nor_deleted(tmp_path: Path) -> None:
    session = random_session(1)
    cache.keep(session)
    (entry,) = cache.entries()
    folder = cache.sessions_folder()
    (folder / "my photos").mkdir()
    (folder / "my photos" / "a.jpg").write_bytes(b"mine")
    (folder / ".DS_Store").write_bytes(b"")
    (folder / f"{'0' * 32}-0").symlink_to(tmp_path)
    (folder / f"{'1' * 32}-0").write_bytes(b"a file")
    assert [each.path for each in cache.entries()] == [entry.path]
    assert cache.evict(CacheSettings(max_bytes=0)) == 1 and cache.clear()[0] == 0
    assert (folder / "my photos" / "a.jpg").read_bytes() == b"mine" and tmp_path.is_dir()


def test_an_entry_of_another_photo_is_not_taken_for_this_one() -> None:
    session, other = random_session(1), random_session(2)
    cache.keep(session)
    cache.keep(other)
    mine, foreign = (
        next(cache.sessions_folder().glob(f"{cache.key(s.photo_sha256, s.model_sha256, s.settings)}-*"))
        for s in (session, other)
    )
    shutil.rmtree(mine)
    foreign.rename(mine)
    assert _find(session) == [] and not mine.exists()


def test_an_entry_that_does_not_fit_the_model_is_inverted_anew(request_of: EditRequest) -> None:
    _run(request_of)
    (entry,) = cache.entries()
    whole = Session.load(entry.path)
    assert whole.pivot is not None
    dataclasses.replace(whole, pivot=whole.pivot[:, :2].clone(), current=whole.pivot[:, :2].clone()).save(
        entry.path
    )
    assert "project" in _run(request_of)[0]
