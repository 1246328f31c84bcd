"""What a task's errors mean, and how they are worded."""

import errno
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from realedit.batch.work import Finished, OnStage, Outcome, Stopped, Task, Trouble, attempts
from realedit.errors import NoFaceError, OutputError, PhotoError, ResourceError
from tests.realedit.batch.fake import photo


@pytest.fixture
def task(tmp_path: Path) -> Task:
    staged = tmp_path / "out" / ".realedit-1-00"
    staged.mkdir(parents=True)
    return Task(id=1, photo=photo(tmp_path / "a.jpg"), output=staged / "a.jpg", seconds=1)


class Doing:
    """A `Run` that does one thing at the end, and perhaps another side by side."""

    def __init__(self, finish: Callable[[Task], Outcome], share: Callable[[], None] = lambda: None) -> None:
        self._finish, self._share = finish, share

    def prepare(self, task: Task, on_stage: OnStage) -> Task:
        return task

    def share(self, prepared: Sequence[Task]) -> Sequence[Task]:
        self._share()
        return prepared

    def finish(self, prepared: Task) -> Outcome:
        return self._finish(prepared)


def only(finish: Callable[[Task], Outcome], task: Task) -> Finished | Stopped:
    (event,) = attempts(Doing(finish), [task], lambda _: lambda *_: None)
    return event


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (PhotoError("cut"), Trouble.UNREADABLE),
        (NoFaceError("no face"), Trouble.REFUSED),
        (MemoryError(), Trouble.MEMORY),
        (caused(ResourceError("large"), MemoryError()), Trouble.MEMORY),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), Trouble.MEMORY),
        (OSError(errno.ENOSPC, "full"), Trouble.OUTPUT),
        (caused(OutputError("full"), OSError(errno.EROFS, "read-only")), Trouble.OUTPUT),
        (OutputError("a bad name"), Trouble.REFUSED),
        (ValueError("a bug"), Trouble.BUG),
    ],
)
def test_what_an_error_means(task: Task, error: Exception, trouble: Trouble) -> None:
    def run(task: Task) -> Outcome:
        raise error

    event = only(run, task)
    assert isinstance(event, Stopped) and (event.id, event.trouble) == (1, trouble) and event.detail
    task.photo.unlink()
    event = only(run, task)
    assert isinstance(event, Stopped) and event.trouble is Trouble.GONE


def test_the_folder_of_an_attempt_is_named_in_no_sentence(task: Task) -> None:
    def warns(task: Task) -> Outcome:
        return Outcome(content="", sha256="", warnings=(f"{task.output}: encoded anew",))

    def fails(task: Task) -> Outcome:
        raise OutputError(f"cannot write {task.output}")

    finished, stopped = (only(run, task) for run in (warns, fails))
    assert isinstance(finished, Finished) and finished.outcome.warnings == ("a.jpg: encoded anew",)
    assert isinstance(stopped, Stopped) and stopped.reason == "cannot write a.jpg"


def test_photos_that_cannot_share_are_done_one_by_one(task: Task, caplog: pytest.LogCaptureFixture) -> None:
    def share() -> None:
        raise MemoryError("too many at once")

    other = replace(task, id=2)
    done: list[int] = []

    def finish(task: Task) -> Outcome:
        done.append(task.id)
        return Outcome(content="", sha256="")

    with caplog.at_level(logging.WARNING):
        events = list(attempts(Doing(finish, share), [task, other], lambda _: lambda *_: None))
    assert [type(event) for event in events] == [Finished, Finished] and done == [1, 2]
    assert "too many at once" in caplog.text
