"""What a worker does, behind a protocol: photos in, for each an output and an outcome out, or a trouble.

The engine, the local workers and the Ray actors know nothing of faces; the real work is in `edits`.
"""

import errno
import logging
import os
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from realedit.batch.job import Scope

log = logging.getLogger(__name__)

NOWHERE = Path()
"""Stands for photo and output in the request that all photos share."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One photo for one attempt. output: a file in a folder of the attempt's own, which nobody else uses.

    seconds: how long the attempt may take.
    """

    id: int
    photo: Path
    output: Path
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a finished task says. content: SHA-256 of the photo's bytes as they were read; sha256: of the
    output, read back and decoded after it was written; timings: seconds by stage."""

    content: str
    sha256: str
    timings: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)


class Trouble(StrEnum):
    """Why a task did not finish; what follows from it is the engine's affair."""

    UNREADABLE = "unreadable"  # the photo cannot be decoded, perhaps not yet
    GONE = "gone"  # the photo is no longer there
    REFUSED = "refused"  # an expected error, no face for example: the same the next time
    CRASHED = "crashed"  # the worker died
    HUNG = "hung"  # the time limit passed
    MEMORY = "memory"
    BUG = "bug"  # an exception nobody expected
    LOST = "lost"  # the worker's machine went away: not the photo's fault
    OUTPUT = "output"  # the output could not be written: full or read-only disk


BLAMED = frozenset({Trouble.CRASHED, Trouble.HUNG, Trouble.MEMORY, Trouble.BUG})
"""Troubles that count as an attempt of the photo."""


@dataclass(frozen=True)
class Stage:
    """A task is at `index` of `total` steps of a stage."""

    id: int
    name: str
    index: int = 0
    total: int = 0


@dataclass(frozen=True)
class Finished:
    """A task came to its end."""

    id: int
    outcome: Outcome


@dataclass(frozen=True)
class Stopped:
    """A task did not. reason: one sentence; detail: a traceback, where there is one; scope: whose failure it
    is, should the photo be given up for it."""

    id: int
    trouble: Trouble
    reason: str
    detail: str = ""
    scope: Scope = Scope.CONTENT


@dataclass(frozen=True)
class Said:
    """A message of the log while a task was worked on; level: as in `logging`; once: it is not the photo's,
    and the same for all."""

    id: int
    level: int
    text: str
    once: bool = False


Event = Stage | Said | Finished | Stopped
OnStage = Callable[[str, int, int], None]


class Run(Protocol):
    """Work with its model loaded. What `prepare` returns is the work's own affair."""

    def prepare(self, task: Task, on_stage: OnStage) -> Any:
        """What is done to a photo before its own turn: read it, find its faces."""

    def share(self, prepared: Sequence[Any]) -> Sequence[Any]:
        """What several prepared photos do better side by side; each as it is then. Where it raises, `finish`
        does it."""

    def finish(self, prepared: Any) -> Outcome:
        """All the rest of one photo, up to its output read back."""


class Work(Protocol):
    """What is sent to workers: small and picklable; heavy things are loaded by `open`, once per worker."""

    @property
    def key(self) -> str:
        """A digest of everything but the photo that the output depends on."""

    def beside(self, output: Path) -> tuple[Path, ...]:
        """The files that come with an output, in its folder: comparisons."""

    def open(self, threads: int) -> Run:
        """Load the model, to compute with that many threads. Raises the expected errors."""


class Pool(Protocol):
    """Workers, wherever they are."""

    @property
    def workers(self) -> int:
        """How many there are at most."""

    @property
    def free(self) -> int:
        """How many of them may be handed tasks now."""

    def submit(self, tasks: Sequence[Task]) -> None:
        """Hand tasks, one at least, to a free worker. Should it die or hang, all that are not finished are
        stopped with the same trouble."""

    def wait(self, seconds: float, wake: int | None = None) -> Iterator[Event]:
        """What happened, as soon as anything did, `wake` (a file descriptor) can be read, or the time is
        over. Raises the error with which workers cannot be started."""

    def renew(self, work: Work) -> None:
        """Do other work from the next task on."""

    def close(self) -> None:
        """End every worker at once."""


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def no_room(error: BaseException) -> bool:
    """Whether an error, or what caused it, is a full or read-only disk."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, OSError):
        seen = seen.__cause__
    return seen is not None and seen.errno in _NO_ROOM


def attempts(
    run: Run, tasks: Sequence[Task], on_stage: Callable[[Task], OnStage]
) -> Iterator[Finished | Stopped]:
    """Run tasks and turn whatever they raise into troubles: all are prepared and share what they can, then
    one after the other is finished. on_stage: to tell the stages of a task."""
    prepared: dict[Task, Any] = {}
    for task in tasks:
        try:
            prepared[task] = run.prepare(task, on_stage(task))
        except Exception as error:
            yield _stopped(error, task)
    if len(prepared) > 1:
        try:
            prepared = dict(zip(prepared, run.share(list(prepared.values())), strict=True))
        except Exception as error:  # each by itself will say whose fault it was
            log.warning("what %d photos should share is done for each: %s", len(prepared), error)
    for task in tasks:
        if task not in prepared:
            continue
        try:
            outcome = run.finish(prepared.pop(task))
        except Exception as error:
            yield _stopped(error, task)
        else:
            said = tuple(warning.replace(_own(task), "") for warning in outcome.warnings)
            yield Finished(task.id, replace(outcome, warnings=said))


def _own(task: Task) -> str:
    """The attempt's own folder, which no sentence names: nobody meets it."""
    return f"{task.output.parent}{os.sep}"


def _stopped(error: Exception, task: Task) -> Stopped:
    trouble, reason = _trouble(error, task)
    detail = "".join(traceback.format_exception(error))
    return Stopped(task.id, trouble, reason.replace(_own(task), ""), detail, _scope(error))


def _scope(error: BaseException) -> Scope:
    """Whose an error is: what the file system said of a name or of rights, and what is wrong with the
    output's place, is the photo's; the rest would happen to every copy of its content."""
    from realedit.errors import OutputError

    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OutputError) or (isinstance(seen, OSError) and seen.errno is not None):
            return Scope.PHOTO
        seen = seen.__cause__
    return Scope.CONTENT


def _trouble(error: Exception, task: Task) -> tuple[Trouble, str]:
    from realedit.errors import EXPECTED, PhotoError, RealeditError  # here: they bring torch along

    if not task.photo.exists():
        return Trouble.GONE, f"{task.photo} is no longer there"
    if isinstance(error, PhotoError):
        return Trouble.UNREADABLE, str(error)
    if isinstance(error, MemoryError | RealeditError) and _out_of_memory(error):
        return Trouble.MEMORY, f"not enough memory for {task.photo}"
    if isinstance(error, OSError | RealeditError) and no_room(error):
        return Trouble.OUTPUT, str(error)
    if isinstance(error, EXPECTED):
        return Trouble.REFUSED, str(error)
    if "out of memory" in str(error).lower() or "can't allocate memory" in str(error).lower():
        return Trouble.MEMORY, f"not enough memory for {task.photo}"
    return Trouble.BUG, f"{type(error).__name__}: {error}"


def _out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError)
