"""A session's drags as a recipe: the same points on the same face, and the file that says so."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alignment import Alignment
from alignment.geometry import ffhq_square
from realedit.errors import SessionError
from realedit.geometry.reach import Parts
from realedit.recipes import Frame, frame_for, load, parse, place, shipped
from realedit.recipes.recording import recorded, to_toml
from realedit.sessions.session import Drag, Session
from tests.realedit.cli.running import call
from tests.realedit.recipes.faces import landmarks
from tests.realedit.samples import random_session

TURN = Alignment(centre=(310.0, 240.0), side=420.0, angle=0.4)
FACE = TURN.to_photo(landmarks(), 200)


def _session(*drags: Drag, **changes: Any) -> Session:
    made = dataclasses.replace(random_session(1), landmarks=FACE, alignment=ffhq_square(FACE), masks={})
    return dataclasses.replace(made, history=drags, **changes)


def _drag(*ways: tuple[Any, Any], reach: Any = "local") -> Drag:
    starts, ends = ([tuple(map(float, point)) for point in points] for points in zip(*ways, strict=True))
    return Drag(starts, ends, ends, 5, "arrived", reach)


def test_a_recorded_recipe_is_the_same_edit_on_the_same_face() -> None:
    ways = [(FACE[48] + (-2, 1), FACE[48] + (-10, 2)), (FACE[8], FACE[8] + (0, 9))]
    recipe = parse(to_toml(recorded(_session(_drag(*ways, reach="face")), "My Smile")).encode(), "x.toml")
    assert recipe.name == "my-smile" and recipe.where == "face"
    assert [point.at for point in recipe.points] == ["mouth.left_corner", "jaw.chin"]
    assert recipe.points[1].offset == (0, 0)
    assert place(recipe, Frame.of_face(FACE)) == pytest.approx(np.array(ways), abs=0.02)


def test_it_follows_another_face() -> None:
    recipe = recorded(_session(_drag((FACE[54], FACE[54] + 0.1 * (FACE[54] - FACE[48])))), "wider")
    ((handle, target),) = place(recipe, Frame.of_face(landmarks()))
    assert handle == pytest.approx(landmarks()[54]) and target - handle == pytest.approx([4, 0], abs=0.01)


def test_drags_that_go_on_from_each_other_are_one_movement() -> None:
    one, two, three = FACE[30], FACE[30] + (6, 0), FACE[30] + (9, 5)
    recipe = recorded(_session(_drag((one, two)), _drag((two, three), (FACE[8], FACE[8]), reach="head")), "n")
    assert len(recipe.points) == 2 and recipe.where == "head"
    assert place(recipe, Frame.of_face(FACE))[0] == pytest.approx(np.array([one, three]), abs=0.02)


def test_masks_of_recipes_stay() -> None:
    reaches = Parts(regions=("mouth",), margin=0.1), Parts(regions=("mouth", "jaw"), margin=0.3)
    drags = [_drag((FACE[k], FACE[k] + 1), reach=reach) for k, reach in zip((8, 57), reaches, strict=True)]
    assert recorded(_session(*drags), "a").where == Parts(regions=("mouth", "jaw"), margin=0.3)


def test_without_a_face_points_are_shares_of_the_square() -> None:
    square = Alignment(centre=(50, 50), side=80, angle=0.3)
    start, end = square.to_photo([(0.25, 0.75), (0.5, 0.5)], 1)
    session = _session(_drag((start, end), reach="all"), landmarks=None, alignment=square)
    recipe = parse(to_toml(recorded(session, "a")).encode(), "a.toml")
    assert recipe.units == "box" and recipe.points[0].at == pytest.approx((0.25, 0.75))
    placed = place(recipe, frame_for(recipe, None, square, "cat"))
    assert placed[0] == pytest.approx(np.array([start, end]), abs=0.02)


@pytest.mark.parametrize("name", shipped())
def test_every_recipe_can_be_written_and_read_back(name: str) -> None:
    recipe = load(name)
    assert parse(to_toml(recipe).encode(), "a.toml") == recipe


def test_the_command_writes_a_recipe_and_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    _session(_drag((FACE[30], FACE[30] + 5))).save(tmp_path / "kept")
    monkeypatch.chdir(tmp_path)
    done = call(["recipes", "record", "kept", "-o", "mine.toml"], monkeypatch, capfd)
    assert done.code == 0 and done.out.startswith("mine.toml\nmine: ") and "nose.tip" in done.out
    checked = call(["recipes", "check", "mine.toml"], monkeypatch, capfd)
    assert checked.code == 0 and load("mine.toml").digest in checked.out
    for arguments, said in (
        (["kept", "-o", "mine.txt"], "mine.txt"),
        (["gone", "-o", "mine.toml"], "gone"),
        (["kept", "-o", "none/mine.toml"], "none"),
    ):
        refused = call(["recipes", "record", *arguments], monkeypatch, capfd)
        assert refused.code == 2 and said in refused.err
    listed = call(["recipes", "list"], monkeypatch, capfd)
    assert [line.split()[0] for line in listed.out.splitlines()] == list(shipped())
    assert "mouth.left_corner: -0.1, +0.08" in call(["recipes", "show", "smile"], monkeypatch, capfd).out


def test_nothing_dragged_is_nothing_to_record() -> None:
    with pytest.raises(SessionError, match="nothing was dragged"):
        recorded(_session(), "a")
