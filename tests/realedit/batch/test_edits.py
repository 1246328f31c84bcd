"""The real edit behind `Run`, with a tiny random model: by itself and side by side."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from realedit.batch.edits import Editor, EditWork
from realedit.batch.work import Finished, Stopped, Task, Trouble, attempts
from realedit.editing import stages
from realedit.editing.request import EditRequest
from realedit.pipeline import edit
from realedit.recipes import Use, load
from tests.realedit.samples import PUSH, box_checkpoint, picture, png, save_model


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Editor:
    folder = tmp_path_factory.mktemp("edits")
    (folder / "push.toml").write_text(PUSH)
    save_model(box_checkpoint(seed=3), folder / "box.safetensors")
    request = EditRequest(
        photo=folder,
        output=folder,
        model=str(folder / "box.safetensors"),
        quality="draft",
        changes=(("projection.steps", "6"),),
        recipes=(Use(recipe=load(str(folder / "push.toml")), strength=1.0),),
        cache=False,
    )
    return EditWork.of(request).open(1)


@pytest.fixture
def inverted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many faces were inverted at a time."""
    sizes: list[int] = []
    together = stages.invert_together

    def counted(sessions: Sequence[Any], *args: Any, **options: Any) -> Any:
        sizes.append(len(sessions))
        return together(sessions, *args, **options)

    monkeypatch.setattr(stages, "invert_together", counted)
    return sizes


def tasks(folder: Path, seeds: Sequence[int]) -> list[Task]:
    made = []
    for seed in seeds:
        output = folder / f"out{seed}" / "photo.png"
        output.parent.mkdir()
        photo = png(folder / f"{seed}.png", picture(seed=seed))
        made.append(Task(id=seed, photo=photo, output=output, seconds=60))
    return made


def test_faces_of_several_photos_are_inverted_side_by_side(
    run: Editor, inverted: list[int], tmp_path: Path
) -> None:
    told: dict[int, list[str]] = {}

    def teller(task: Task) -> Any:
        return lambda name, index, total: told.setdefault(task.id, []).append(name)

    todo = tasks(tmp_path, [1, 2, 3])
    todo[1].photo.write_bytes(todo[1].photo.read_bytes()[:500])
    events = {event.id: event for event in attempts(run, todo, teller)}
    assert inverted == [2], "two at once, and none again"
    stopped = events.pop(2)
    assert isinstance(stopped, Stopped) and stopped.trouble is Trouble.UNREADABLE
    for number, event in events.items():
        assert isinstance(event, Finished)
        assert set(event.outcome.timings) == {
            *("read", "load", "align", "invert", "drag", "paste", "write", "identity", "look", "verify")
        }
        assert event.outcome.timings["invert"] > 0 and todo[number - 1].output.is_file()
        stages = list(dict.fromkeys(told[number]))
        assert stages[2:6] == ["align", "invert", "project", "drag"]


def test_a_photo_by_itself_is_edited_as_by_edit(run: Editor, inverted: list[int], tmp_path: Path) -> None:
    (task,) = tasks(tmp_path, [1])
    (event,) = attempts(run, [task], lambda _: lambda *_: None)
    assert isinstance(event, Finished) and inverted == [1]
    other = tmp_path / "other.png"
    edit(dataclasses.replace(run.work.request, photo=task.photo, output=other))
    assert other.read_bytes() == task.output.read_bytes()
