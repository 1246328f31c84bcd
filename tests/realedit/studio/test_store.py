"""What the studio keeps, and what it makes of folders of before and of other models."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

import realedit
from realedit.api import Change, Drag
from realedit.studio.store import PhotoFile, Store
from realedit.studio.work import Label, Pair, Work
from tests.realedit.samples import box_checkpoint, picture, png, save_model

PHOTO = "0123456789abcdef01234567"
QUICK = {"projection.steps": 2, "tuning.steps": 2}


@pytest.fixture
def model(tmp_path: Path) -> realedit.Model:
    return realedit.load_model(save_model(box_checkpoint(32), tmp_path / "model.safetensors"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "work")
    source = png(tmp_path / "photo.png", picture()).read_bytes()
    made.add(PHOTO, source, PhotoFile("photo.png", realedit.open(source).sha256, (96, 80)))
    return made


@pytest.fixture
def session(store: Store, model: realedit.Model) -> realedit.Session:
    return realedit.Session.open(store.original(PHOTO), model=model, inversion=QUICK, cache=False)


def _drag(x: float) -> Drag:
    return Drag([(x, 40.0)], [(x + 4, 40.0)], [(x + 4, 40.0)], 3, "arrived", "all")


def test_changes_that_left_the_latent_alone_are_kept(
    store: Store, model: realedit.Model, session: realedit.Session
) -> None:
    pivot = session.state.pivot
    session.restore([Change((_drag(40.0),), pivot), Change((_drag(50.0),), pivot)], 1)
    work = Work(session, (Label("Drag"), Label("smile", "smile", 0.5)), points=(Pair((1, 2), (3, 4)),))
    store.save_work(PHOTO, 0, work)
    again = Store(store.folder).work(PHOTO, 0, model)
    assert again is not None
    assert (again.at, again.labels, again.points) == (1, work.labels, work.points)
    assert [each.drags for each in again.session.changes] == [each.drags for each in session.changes]
    current = again.session.state.current
    assert current is not None and pivot is not None and current.equal(pivot)


def test_a_folder_whose_changes_have_no_latents_is_read(
    store: Store, model: realedit.Model, session: realedit.Session
) -> None:
    """A change from before the inversion was kept without one, also after it."""
    moved = session.state.pivot
    assert moved is not None
    session.restore([Change((_drag(40.0),), None), Change((_drag(50.0),), moved + 1)])
    store.save_work(PHOTO, 0, Work(session, (Label("Drag"),) * 2))
    folder = store.folder / PHOTO / "0"
    kept = json.loads((folder / "work.json").read_bytes())
    assert set(kept) == {"changes", "at", "points", "quality"}
    assert set(kept["changes"][0]) == {"label", "drags", "latent", "recipe", "strength"}
    kept["changes"][0]["latent"] = False
    (folder / "work.json").write_text(json.dumps(kept))
    latents = load_file(folder / "latents.safetensors")
    del latents["0"]
    save_file(latents, folder / "latents.safetensors")
    work = Store(store.folder).work(PHOTO, 0, model)
    assert work is not None and work.at == 2
    for at, latent in ((2, moved + 1), (1, moved), (0, moved)):
        current = work.to(at).session.state.current
        assert current is not None and current.equal(latent)


def test_a_session_without_its_list_of_changes_is_one_change(
    store: Store, model: realedit.Model, session: realedit.Session
) -> None:
    session.restore([Change((_drag(40.0),), None), Change((_drag(50.0),), None)])
    store.save_work(PHOTO, 0, Work(session, (Label("Drag"),) * 2))
    (store.folder / PHOTO / "0" / "work.json").unlink()
    work = Store(store.folder).work(PHOTO, 0, model)
    assert work is not None and [each.text for each in work.labels] == ["recovered"]
    assert work.session.history == session.history and not work.to(0).edited


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_work_of_another_model_is_neither_used_nor_lost(
    store: Store, model: realedit.Model, session: realedit.Session, tmp_path: Path
) -> None:
    session.restore([Change((_drag(40.0),), None)])
    store.save_work(PHOTO, 0, Work(session, (Label("Drag"),)))
    checkpoint = replace(model.checkpoint, sha256="0" * 64)
    later = Store(store.folder)
    assert later.work(PHOTO, 0, realedit.Model("other", checkpoint)) is None
    assert later.faces(PHOTO) == [0], "nothing is touched before there is something new"
    later.save_mask(PHOTO, 0, None)
    assert later.faces(PHOTO) == []
    (store.folder / PHOTO / "0").rmdir()
    (store.folder / PHOTO / "0-unread-1").rename(store.folder / PHOTO / "0")
    work = Store(store.folder).work(PHOTO, 0, model)
    assert work is not None and work.session.history == session.history
