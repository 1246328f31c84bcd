"""What the worker does: drags, history, masks; work that outlives it; exports like the command line's."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from realedit.cli.main import cli
from realedit.errors import UsageError
from realedit.studio.messages import (
    Aim,
    Configure,
    Drop,
    Export,
    GoTo,
    Move,
    Press,
    Put,
    Redo,
    Release,
    Start,
    Stop,
    Undo,
)  # fmt: skip
from tests.realedit.studio.working import Desk, photo, tiny

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    _hurry(monkeypatch)
    return _prepared(tmp_path)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Path]]:
    """A desk whose photo was dragged, for tests that only take things away from it; and its folder."""
    folder = tmp_path_factory.mktemp("edited")
    with pytest.MonkeyPatch.context() as patched:
        _hurry(patched)
        made = _prepared(folder)
        _pull(made)
        yield made, folder


def _prepared(folder: Path) -> Desk:
    made = Desk(folder / "work", tiny(folder))
    made.opened(photo(folder))
    made.do(Configure(reach="head", steps=4))
    return made


def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inversions of two steps: what they find does not matter here."""
    from inversion import InversionSettings, ProjectionSettings, TuningSettings

    def preset(quality: str, *, seed: int = 0, label: str | None = None) -> InversionSettings:
        tuning = TuningSettings(steps=0 if quality == "draft" else 2)
        return InversionSettings(
            projection=ProjectionSettings(steps=2), tuning=tuning, seed=seed, label=label
        )

    monkeypatch.setattr(InversionSettings, "preset", staticmethod(preset))


def _pull(desk: Desk, *, by: float = 6.0) -> None:
    desk.do(Press(48, 40, 1), *(Move(48 + by * i / 4, 40, 1 + i) for i in (1, 2, 3, 4)), Release())


def test_the_face_follows_the_hand_and_letting_go_is_one_change(desk: Desk) -> None:
    _pull(desk)
    work = desk.engine.work
    assert work is not None and (len(work.labels), work.at) == (1, 1)
    (drag,) = work.session.history
    assert drag.handles == [(48.0, 40.0)]
    assert drag.targets == [(54.0, 40.0)]
    assert max(each["number"] for each in desk.pictures) == 5, "a picture answers the last move"
    assert all(len(each["at"]) == 4 for each in desk.pictures)


def test_a_press_alone_changes_nothing(desk: Desk) -> None:
    desk.do(Press(48, 40, 1), Release())
    assert desk.engine.work is not None and desk.engine.work.session.changes == ()


def test_a_stop_ends_the_drag_where_it_is(desk: Desk) -> None:
    desk.do(Press(48, 40, 1), Move(60, 40, 2), Stop())
    work = desk.engine.work
    assert work is not None
    assert work.session.changes[0].drags[0].ending == "stopped"


def test_undo_redo_and_going_back(desk: Desk) -> None:
    for by in (4.0, 6.0, 8.0):
        _pull(desk, by=by)
    work = desk.engine.work
    assert work is not None
    after = [work.to(at).session.state for at in range(4)]
    assert [len(each.history) for each in after] == [0, 1, 2, 3]
    desk.do(Undo(), Undo())
    assert desk.engine.work is not None and desk.engine.work.session.history == after[1].history
    desk.do(Redo())
    assert desk.engine.work.at == 2
    desk.do(GoTo(0), Undo())
    assert desk.engine.work.at == 0
    desk.do(GoTo(3))
    now = desk.engine.work.session.state
    assert now.current is not None and after[3].current is not None
    assert now.current.equal(after[3].current)
    desk.do(GoTo(1))
    _pull(desk)
    assert (len(desk.engine.work.session.changes), desk.engine.work.at) == (2, 2), "what was undone is gone"


def test_points_are_set_moved_removed_and_dragged(desk: Desk) -> None:
    desk.do(
        Put((40, 40), (44, 40)), Put((60, 30), (60, 36)), Aim(0, "target", 46, 41), Aim(1, "handle", 58, 30)
    )
    work = desk.engine.work
    assert work is not None
    assert [(each.handle, each.target) for each in work.points] == [
        ((40, 40), (46, 41)),
        ((58, 30), (60, 36)),
    ]
    desk.do(Drop(1), Aim(7, "handle", 0, 0), Start())
    work = desk.engine.work
    assert work is not None
    assert work.session.changes[0].drags[0].targets == [(46.0, 41.0)]
    assert work.points[0].handle == work.session.changes[0].drags[0].reached[0], "the handle is where it went"
    desk.do(Start())
    assert desk.engine.work is not None
    assert len(desk.engine.work.session.changes) == 2, "and goes on from there"
    desk.do(Drop())
    with pytest.raises(UsageError, match="no point"):
        desk.do(Start())


def test_a_mask_holds_what_is_not_painted(desk: Desk, tmp_path: Path) -> None:
    painted = np.zeros((40, 48, 3), np.uint8)
    painted[:, 20:36] = 255
    source = cv2.imencode(".png", painted)[1].tobytes()
    id_ = desk.engine.shown
    assert id_ is not None
    assert desk.ask(lambda answer: desk.engine.strip.mask(id_, 0, source, answer))
    _pull(desk)
    work = desk.engine.work
    assert work is not None and work.mask is not None
    assert work.session.changes[0].drags[0].mask in work.session.state.masks
    desk.until(lambda: desk.engine.entry and desk.engine.entry.rendered == desk.engine.entry.revision)
    assert desk.engine.entry is not None and desk.engine.entry.result is not None
    result, before = desk.engine.entry.result.pixels, desk.engine.album.photo(id_).pixels
    still = work.mask < 128
    assert (result[still] == before[still]).all()


def test_work_outlives_the_worker(desk: Desk, tmp_path: Path) -> None:
    for by in (4.0, 7.0):
        _pull(desk, by=by)
    desk.do(Undo(), Put((30, 30), (33, 33)))
    before = desk.engine.work
    assert before is not None
    again = Desk(tmp_path / "work", tmp_path / "tiny.safetensors")
    after = again.engine.work
    assert after is not None and again.engine.shown == desk.engine.shown
    assert (after.at, after.points) == (1, before.points)
    assert [each.text for each in after.labels] == ["Drag", "Drag"]
    for at in range(3):
        one, other = before.to(at).session.state, after.to(at).session.state
        assert one.history == other.history
        assert one.current is not None and other.current is not None and one.current.equal(other.current)
    assert again.engine.strip is not None
    again.do(Redo())
    assert again.engine.work is not None and again.engine.work.at == 2


def test_a_better_inversion_takes_what_was_dragged_along(desk: Desk) -> None:
    _pull(desk)
    before = desk.engine.work
    assert before is not None
    desk.do(Configure(reach="head", steps=4, quality="best"))
    desk.until(lambda: desk.engine.work is not None and desk.engine.work.session.quality == "best")
    after = desk.engine.work
    assert after is not None
    old, new = before.session.state, after.session.state
    assert old.current is not None and old.pivot is not None and not old.current.equal(old.pivot)
    assert new.current is not None and new.pivot is not None
    assert (new.current - new.pivot).allclose(old.current - old.pivot, atol=1e-5)
    assert after.session.history == before.session.history


@pytest.mark.parametrize("extension", [".png", ".jpg"])
def test_exports_are_the_command_lines_bytes(
    edited: tuple[Desk, Path], tmp_path: Path, extension: str
) -> None:
    desk, folder = edited
    engine, id_ = desk.engine, desk.engine.shown
    assert id_ is not None
    name, ours, _ = desk.ask(lambda answer: engine.pictures.export(Export(id_, "photo", extension), answer))
    packed = desk.ask(lambda answer: engine.pictures.export(Export(id_, "session"), answer))[1]
    zipfile.ZipFile(io.BytesIO(packed)).extractall(tmp_path / "unpacked")
    assert name == f"photo0-edited{extension}"
    output = tmp_path / f"theirs{extension}"
    arguments = [
        "paste",
        str(tmp_path / "unpacked/session"),
        "--photo",
        str(folder / "photo0.png"),
        "-o",
        str(output),
    ]
    done = CliRunner().invoke(cli, [*arguments, "--device", "cpu"], catch_exceptions=False)
    assert done.exit_code == 0
    assert output.read_bytes() == ours


@pytest.mark.parametrize(
    ("kind", "extension", "style", "begins"),
    [
        ("compare", ".png", "side", b"\x89PNG"),
        ("compare", ".html", "slider", b"<!"),
        ("compare", ".gif", "wipe", b"GIF"),
        ("compare", ".jpg", "difference", b"\xff\xd8"),
        ("timelapse", ".gif", None, b"GIF"),
        ("recipe", ".toml", None, b"name"),
    ],
)  # fmt: skip
def test_everything_can_be_taken_away(
    edited: tuple[Desk, Path], kind: str, extension: str, style: str | None, begins: bytes
) -> None:
    desk, _ = edited
    id_ = desk.engine.shown
    assert id_ is not None
    asked = Export(id_, kind, extension, style)  # type: ignore[arg-type]
    name, content, _ = desk.ask(lambda answer: desk.engine.pictures.export(asked, answer))
    assert content.startswith(begins) and name.endswith(extension)


def test_an_untouched_photo_is_exported_as_it_is(desk: Desk, tmp_path: Path) -> None:
    id_ = desk.engine.shown
    assert id_ is not None
    _, content, _ = desk.ask(lambda answer: desk.engine.pictures.export(Export(id_, "photo", ".png"), answer))
    assert content == (tmp_path / "photo0.png").read_bytes()


def test_the_same_photo_is_opened_once(desk: Desk, tmp_path: Path) -> None:
    source = (tmp_path / "photo0.png").read_bytes()
    id_ = desk.ask(lambda answer: desk.engine.strip.add(source, "other.png", answer))
    assert id_ == desk.engine.shown
    assert len(desk.engine.album.entries) == 1


def test_the_folder_is_its_owners_alone(desk: Desk, tmp_path: Path) -> None:
    _pull(desk)
    for path in [tmp_path / "work", *(tmp_path / "work").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
