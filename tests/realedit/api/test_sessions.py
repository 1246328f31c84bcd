"""Sessions: inverted once, dragged many times, live targets, undo, pictures, carried over, kept, restored."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

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


def test_live_pictures_show_the_part_around_the_face(session: realedit.Session) -> None:
    live = session.live(scale=0.5)
    left, top, right, bottom = live.box
    assert (left, top) >= (0, 0) and (right, bottom) <= session.photo_size
    corners = session.square.corners()
    assert (corners.min(0).clip(0) >= (left, top)).all() and (corners.max(0) <= (right + 1, bottom + 1)).all()
    assert abs(live.size[0] - (right - left) / 2) <= 1
    still = live(session.state)
    assert still.changed is None and np.array_equal(still.pixels, live.before)
    drag = _drag(session, FIRST)
    drag.step()
    seen = [live(session.state)]
    drag.run()
    seen.append(live(session.state))
    for each in seen:
        assert each.changed is not None and each.box == live.box and each.pixels.shape == live.before.shape
    assert not np.array_equal(seen[0].pixels, seen[1].pixels), "the drag went on"
    whole = seen[1].in_photo((0, 0, *live.size))
    assert whole == pytest.approx(live.box)
    on_black = realedit.Photo.from_array(np.zeros((80, 96, 3), np.uint8))
    assert not session.live(photo=on_black).before.any()


def test_every_place_in_the_history_has_a_small_picture(session: realedit.Session) -> None:
    _drag(session, FIRST).run()
    small = [session.thumbnail(at, side=24) for at in (0, 1)]
    assert all(max(each.shape[:2]) == 24 for each in small)
    assert not np.array_equal(*small)
    session.undo()
    assert np.array_equal(session.thumbnail(1, side=24), small[1]), "what was undone is shown too"
    with pytest.raises(UsageError, match="1 changes"):
        session.thumbnail(2)


def test_a_face_is_found_first_and_inverted_when_that_is_wanted(
    session: realedit.Session, photo: Path, model: realedit.Model
) -> None:
    found = realedit.Session.open(
        photo.read_bytes(), model=model, cache=False, invert=False, place=photo, quality="draft"
    )
    assert not found.inverted and found.quality == "draft" and found.photo_path == photo
    with pytest.raises(SessionError, match="no inversion"):
        _drag(found, FIRST).step()
    found = found.copy()
    told: list[realedit.Step] = []

    def cancel(step: object) -> bool:
        assert isinstance(step, realedit.Step)
        told.append(step)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        found.invert(inversion=QUICK, cache=False, on_step=cancel)
    assert len(told) == 1 and not found.inverted
    done = found.invert(inversion=QUICK, cache=False)
    assert done.inverted and (done.quality, done.seed) == ("standard", 0) and not found.inverted
    for each in (done, session):
        _drag(each, FIRST).run()
    assert done.history == session.history and np.array_equal(_pixels(done), _pixels(session))


def test_a_copy_goes_its_own_way(session: realedit.Session) -> None:
    _drag(session, FIRST).run()
    other = session.copy()
    assert other.history == session.history and np.array_equal(_pixels(other), _pixels(session))
    _drag(other, SECOND).run()
    assert (len(other.changes), len(session.changes)) == (2, 1)
    assert session.undo() and other.at == 2 and not session.history


def test_a_session_at_rest_gives_the_same(
    session: realedit.Session, photo: Path, model: realedit.Model
) -> None:
    _drag(session, FIRST).run()
    before = _pixels(session)
    session.rest()
    assert np.array_equal(_pixels(session), before)
    _drag(session, SECOND).run()
    assert len(session.history) == 2
    nowhere = realedit.Session.open(photo.read_bytes(), model=model, inversion=QUICK)
    nowhere.rest()
    assert nowhere.photo.size == (96, 80), "what cannot be read again is not let go of"


def test_changes_are_kept_elsewhere_and_put_back(session: realedit.Session, photo: Path) -> None:
    mask = np.zeros((80, 96), np.uint8)
    mask[:, :60] = 255
    _drag(session, FIRST).run()
    session.drag([SECOND], mask=mask, reach="all", settings=SETTINGS).run()
    session.undo()
    first, second = session.changes
    assert session.at == 1 and first.drags == session.history and len(second.masks) == 1
    again = session.invert(inversion=QUICK)
    again.restore([first, second], 1)
    assert again.at == 1 and again.can_redo and np.array_equal(_pixels(again), _pixels(session))
    assert again.redo() and session.redo()
    assert again.history == session.history and np.array_equal(_pixels(again), _pixels(session))
    again.restore([])
    assert not again.changes and _pixels(again).tolist() == realedit.open(photo).pixels.tolist()
    for wrong, at, said in (
        (replace(first, latent=torch.zeros(1, 2, 3)), None, "latent is"),
        (replace(second, masks={}), None, "no mask"),
        (first, 2, "2 of 1 changes"),
    ):
        with pytest.raises(SessionError, match=said):
            session.restore([wrong], at)
    assert len(session.history) == 2, "what does not fit changes nothing"


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
    early = realedit.Session.open(photo, model=model, cache=False, invert=False)
    better.carry(early)
    assert not better.changes
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


def test_what_was_not_recorded_is_dragged_once_more_for_a_time_lapse(
    session: realedit.Session, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no steps"):
        realedit.timelapse([session], tmp_path / "still.gif")
    _drag(session, FIRST).run()
    before = session.history
    path = realedit.timelapse([session, session.copy()], tmp_path / "drag.gif")
    assert path.read_bytes().startswith(b"GIF") and session.history == before


def test_a_session_is_of_one_face(photo: Path, model: realedit.Model) -> None:
    with pytest.raises(UsageError, match="one face"):
        realedit.Session.open(photo, model=model, face="all")
