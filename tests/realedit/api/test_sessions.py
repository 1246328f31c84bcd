"""Sessions: inverted once, dragged many times, live targets, undo, previews, carried over, kept."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import realedit
from checkpoints import Checkpoint
from realedit.errors import OutsideError, SessionError, UsageError
from tests.realedit.cli.running import call
from tests.realedit.samples import PUSH, box_checkpoint, picture, png, save_model

pytestmark = pytest.mark.usefixtures("small_paste")

QUICK = {"projection.steps": 2, "tuning.steps": 3}
SETTINGS = realedit.DragSettings(max_steps=6)
FIRST, SECOND = ((40.0, 40.0), (46.0, 40.0)), ((44.0, 30.0), (44.0, 26.0))


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return box_checkpoint(seed=3)


@pytest.fixture
def model(checkpoint: Checkpoint, tmp_path: Path) -> realedit.Model:
    return realedit.load_model(save_model(checkpoint, tmp_path / "model.safetensors"))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return png(tmp_path / "photo.png", picture())


@pytest.fixture
def session(photo: Path, model: realedit.Model) -> Iterator[realedit.Session]:
    with realedit.Session.open(photo, model=model, inversion=QUICK) as opened:
        yield opened


def _drag(session: realedit.Session, *ways: object) -> realedit.Dragging:
    return session.drag(list(ways), reach="all", settings=SETTINGS)


def _pixels(session: realedit.Session) -> np.ndarray:  # type: ignore[type-arg]
    return np.array(session.result().pixels)


def test_a_drag_is_steps_and_gives_the_bytes_of_an_edit(
    session: realedit.Session, photo: Path, model: realedit.Model, tmp_path: Path
) -> None:
    steps = list(_drag(session, FIRST))
    assert [step.index for step in steps] == list(range(1, len(steps) + 1)) and steps[-1].ending != "running"
    edited = realedit.edit(photo, drags=[FIRST], reach="all", settings=SETTINGS, inversion=QUICK, model=model)
    assert session.result().encode(".png") == edited.encode(".png")
    assert session.history == edited.report.faces[0].session.history


def test_a_folder_goes_on_in_the_command_line_and_back(
    session: realedit.Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = str(tmp_path / "kept")
    _drag(session, FIRST).run()
    session.save(kept)
    told = call(["paste", kept, "-o", str(tmp_path / "pasted.png")], monkeypatch, capsys)
    assert told.code == 0, told.err
    assert (tmp_path / "pasted.png").read_bytes() == session.result().encode(".png")
    more = ["drag", kept, "--drag", "44,30:44,26", "--reach", "all", "--max-steps", "6"]
    told = call(more, monkeypatch, capsys)
    assert told.code == 0, told.err
    _drag(session, SECOND).run()
    again = realedit.Session.load(kept)
    assert again.history == session.history and np.array_equal(_pixels(again), _pixels(session))
    assert again.undo() and not again.history and again.redo() and len(again.history) == 2


def test_undo_and_redo_go_over_drags_and_a_new_one_ends_redo(session: realedit.Session) -> None:
    plain = _pixels(session)
    assert not session.undo() and not session.can_undo
    _drag(session, FIRST).run()
    one = _pixels(session)
    _drag(session, SECOND).run()
    two = _pixels(session)
    assert session.undo() and np.array_equal(_pixels(session), one)
    assert session.undo() and np.array_equal(_pixels(session), plain)
    assert session.go(2) and np.array_equal(_pixels(session), two)
    assert not session.go(3) and session.go(1) and session.can_redo
    _drag(session, SECOND).run()
    assert not session.redo() and np.array_equal(_pixels(session), two), "the same drag again"


def test_leaving_the_loop_pauses_and_what_comes_next_ends_the_drag(session: realedit.Session) -> None:
    drag = _drag(session, FIRST)
    for step in drag:
        if step.index == 2:
            break
    assert not drag.over and not drag.ended
    third = next(iter(drag))
    assert third.index == 3
    (kept,) = session.history
    assert drag.ended and kept.steps == 3 and kept.ending == "stopped" and drag.step() is None
    assert session.undo() and not session.history


def test_a_drag_that_nobody_iterates_does_nothing(session: realedit.Session) -> None:
    _drag(session, FIRST)
    assert session.history == () and not session.can_undo


def test_targets_move_while_a_drag_goes_on_and_after_it_arrived(session: realedit.Session) -> None:
    drag = _drag(session, (FIRST[0], FIRST[0]))
    assert [step.ending for step in drag] == ["nothing"] and drag.over
    for x in (42.0, 44.0):
        drag.aim([(x, 40.0)])
        assert not drag.over
        assert drag.step() is not None
        assert drag.targets.tolist() == [[x, 40.0]]
    before = drag.handles.copy()
    for _ in drag:
        pass
    assert drag.over and not np.array_equal(drag.handles, FIRST[0])
    (kept,) = session.history
    assert kept.handles == [FIRST[0]] and kept.targets == [(44.0, 40.0)], (
        "from where it began to where it went"
    )
    assert kept.steps > 2 and len(before) == 1
    with pytest.raises(UsageError, match="1 handles"):
        _drag(session, FIRST).aim([(1.0, 2.0), (3.0, 4.0)])


def test_a_target_that_leaves_the_square_is_brought_to_its_edge(session: realedit.Session) -> None:
    drag = _drag(session, FIRST)
    drag.aim([(1000.0, 40.0)])
    ((x, y),) = drag.targets
    assert session.square.contains([(x, y)])[0] and x > 80 and y == 40
    with pytest.raises(OutsideError, match="outside"):
        session.drag([((500.0, 40.0), (46.0, 40.0))])


def test_a_preview_is_the_paste_and_follows_a_drag_under_way(session: realedit.Session) -> None:
    still = session.preview()
    assert still.changed is None and still.scale == 1 and still.pixels.shape == (80, 96, 3)
    drag = _drag(session, FIRST)
    drag.step()
    under_way = session.preview()
    assert under_way.changed is not None and not drag.ended, "previews do not end it"
    drag.run()
    np.testing.assert_array_equal(session.preview().pixels, session.result().pixels)
    small = session.preview(48)
    assert small.pixels.shape == (40, 48, 3) and small.scale == 0.5 and small.changed is not None
    assert session.drawn().shape == (32, 32, 3) and session.drawn(16).shape == (16, 16, 3)


def test_a_recipe_is_a_drag_too(session: realedit.Session, tmp_path: Path) -> None:
    file = tmp_path / "push.toml"
    file.write_text(PUSH)
    session.recipe(file, 0.5).run()
    (drag,) = session.history
    assert drag.reach == "all" and drag.targets[0][0] > drag.handles[0][0]
    _drag(session, SECOND).run()
    ((first, second),) = session.result().made.recipes
    assert first is not None and first.recipe.name == "push" and first.strength == 0.5 and second is None
    assert session.undo()
    again = tmp_path / "again.toml"
    again.write_text(session.to_recipe("again"))
    assert session.undo()
    session.recipe(again).run()
    assert np.allclose(session.history[0].targets, drag.targets, atol=0.1)
    with pytest.raises(UsageError, match="smile"):
        session.recipe("smile")


def test_what_was_dragged_in_a_draft_is_carried_over(photo: Path, model: realedit.Model) -> None:
    draft = realedit.Session.open(photo, model=model, inversion={**QUICK, "tuning.steps": 0}, record=True)
    better = realedit.Session.open(photo, model=model, inversion=QUICK, record=True)
    plain = better.drawn().copy()
    _drag(draft, FIRST).run()
    _drag(draft, SECOND).run()
    draft.undo()
    better.carry(draft)
    assert better.history == draft.history and better.can_redo and better.can_undo
    assert not np.array_equal(better.drawn(), plain)
    assert better.state.tuning and better.result().changed is not None
    assert better.undo()
    np.testing.assert_array_equal(better.drawn(), plain)
    other = realedit.Session.open(photo, model=model, inversion=QUICK, box=(0, 0, 40, 40))
    with pytest.raises(SessionError, match="same face"):
        other.carry(draft)


def test_a_session_shows_its_drags_as_a_time_lapse(
    photo: Path, model: realedit.Model, tmp_path: Path
) -> None:
    session = realedit.Session.open(photo, model=model, inversion=QUICK, record=True)
    _drag(session, FIRST).run()
    _drag(session, SECOND).run()
    session.undo()
    result = session.result()
    assert {step.index for step in result.made.steps} == set(range(1, session.history[0].steps + 1))
    assert result.timelapse(tmp_path / "drag.webp").stat().st_size > 0


def test_a_session_is_of_one_face(photo: Path, model: realedit.Model) -> None:
    with pytest.raises(UsageError, match="one face"):
        realedit.Session.open(photo, model=model, face="all")
