"""What a task's errors mean, and how they are worded."""

import errno
from pathlib import Path

import pytest

from realedit.batch.work import Finished, Outcome, Stopped, Task, Trouble, attempt
from realedit.errors import NoFaceError, OutputError, PhotoError, ResourceError
from tests.realedit.batch.fake import photo


@pytest.fixture
def task(tmp_path: Path) -> Task:
    staged = tmp_path / "out" / ".realedit-1-00"
    staged.mkdir(parents=True)
    return Task(id=1, photo=photo(tmp_path / "a.jpg"), output=staged / "a.jpg", seconds=1)


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
    def run(task: Task, on_stage: object) -> Outcome:
        raise error

    event = attempt(run, task, lambda *_: None)
    assert isinstance(event, Stopped) and (event.id, event.trouble) == (1, trouble) and event.detail
    task.photo.unlink()
    event = attempt(run, task, lambda *_: None)
    assert isinstance(event, Stopped) and event.trouble is Trouble.GONE


def test_the_folder_of_an_attempt_is_named_in_no_sentence(task: Task) -> None:
    def warns(task: Task, on_stage: object) -> Outcome:
        return Outcome(content="", sha256="", warnings=(f"{task.output}: encoded anew",))

    def fails(task: Task, on_stage: object) -> Outcome:
        raise OutputError(f"cannot write {task.output}")

    finished, stopped = (attempt(run, task, lambda *_: None) for run in (warns, fails))
    assert isinstance(finished, Finished) and finished.outcome.warnings == ("a.jpg: encoded anew",)
    assert isinstance(stopped, Stopped) and stopped.reason == "cannot write a.jpg"
