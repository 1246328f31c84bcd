"""Workers on a Ray cluster (`pip install 'realedit[ray]'`): one actor per GPU or group of cores.

Ray finds them places and says when one died; which photo is tried again, and how often, is the ledger's
affair on the driver. A photo goes to an actor as a path where the actor sees both folders, else as bytes.
"""

import contextlib
import math
import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realedit.batch.actor import Answer, Editor
from realedit.batch.job import Scope
from realedit.batch.work import Event, Stopped, Task, Trouble, Work, no_room
from realedit.errors import EXPECTED, ResourceError, UsageError
from realedit.plumbing.files import write_bytes

START_LIMIT = 600.0  # seconds for an actor to find a place and load the model
_SLICE = 0.2


@dataclass
class _Seat:
    """One actor. shared: whether it sees the driver's folders; None until it has begun."""

    actor: Any
    asked: Any
    deadline: float
    shared: bool | None = None
    node: str = ""
    tasks: tuple[Task, ...] = ()
    answer: Any = None
    stale: bool = False


class RayPool:
    """A `Pool` of Ray actors."""

    def __init__(
        self,
        work: Work,
        *,
        address: str | None = None,
        workers: int | None = None,
        shared: tuple[Path, Path] | None = None,
        cores: int | None = None,
        gpus: bool = True,
    ) -> None:
        """address: of a cluster, None: one on this machine; workers: actors, None: one per GPU, else one per
        `cores` cores (None: 4, or all of a smaller node). More workers than GPUs share them evenly; gpus:
        whether they compute on any. shared: a folder that actors must see, and one with
        a file of the driver's; None: photos go as bytes. Raises UsageError without Ray or cluster."""
        try:
            import ray
        except ImportError as error:
            raise UsageError("Ray is missing; run: pip install 'realedit[ray]'") from error
        self._ray = ray
        self._started_ray = not ray.is_initialized()
        if self._started_ray:
            try:
                ray.init(address=address, log_to_driver=False, include_dashboard=False, logging_level="error")
            except Exception as error:
                raise UsageError(f"no Ray cluster at {address or 'this machine'}: {error}") from error
        self._work = work
        self._folder = self._mark = Path(os.devnull)  # which nobody sees as a folder
        self._content = secrets.token_bytes(16)
        if shared is not None:
            self._folder, self._mark = shared[0], shared[1] / f"ray-{os.getpid()}"
            write_bytes(self._mark, self._content)
        alive = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        self._resources, count = shares(alive, cores=cores, workers=workers, gpus=gpus)
        self._failed_starts = 0
        self._seats = [self._seated() for _ in range(count)]

    @property
    def workers(self) -> int:
        """See `Pool`."""
        return len(self._seats)

    @property
    def free(self) -> int:
        """Actors that have loaded the model and have no task; one that does not yet takes none, since it may
        have no place in the cluster."""
        return sum(not seat.tasks and seat.shared is not None for seat in self._seats)

    def submit(self, tasks: Sequence[Task]) -> None:
        """See `Pool`."""
        seat = next(seat for seat in self._seats if not seat.tasks and seat.shared is not None)
        seat.tasks = tuple(tasks)
        seat.deadline = time.monotonic() + sum(task.seconds for task in tasks)
        if seat.shared:
            seat.answer = seat.actor.at.remote(seat.tasks)
            return
        seat.answer = seat.actor.sent.remote(seat.tasks, [_content(task.photo) for task in tasks])

    def wait(self, seconds: float, wake: int | None = None) -> Iterator[Event]:
        """See `Pool`; Ray cannot wait for a descriptor, so it is looked at several times a second."""
        until = time.monotonic() + seconds
        while True:
            pending = [seat.answer or seat.asked for seat in self._seats if seat.tasks or seat.shared is None]
            left = max(0.0, min(_SLICE, until - time.monotonic()))
            if pending:
                self._ray.wait(pending, num_returns=1, timeout=left)
            else:
                time.sleep(left)
            events = [event for place in range(len(self._seats)) for event in self._heard(place)]
            if events or time.monotonic() >= until or (wake is not None and _readable(wake)):
                yield from events
                return
            if any(not seat.tasks and seat.shared is not None for seat in self._seats):
                return

    def renew(self, work: Work) -> None:
        """See `Pool`."""
        self._work = work
        for place, seat in enumerate(self._seats):
            seat.stale = True
            if not seat.tasks:
                self._replace(place)

    def close(self) -> None:
        """See `Pool`; a cluster that was started for this pool ends with it."""
        for seat in self._seats:
            with contextlib.suppress(Exception):
                self._ray.kill(seat.actor)
        self._seats = []
        if self._folder != self._mark:
            self._mark.unlink(missing_ok=True)
        if self._started_ray:
            self._ray.shutdown()

    def _seated(self) -> _Seat:
        threads = math.ceil(self._resources["num_cpus"])
        remote = self._ray.remote(max_restarts=0, max_task_retries=0, **self._resources)(Editor)
        actor = remote.remote()
        asked = actor.begin.remote(self._work, threads, self._folder, self._mark, self._content)
        return _Seat(actor, asked, time.monotonic() + START_LIMIT)

    def _replace(self, place: int) -> None:
        with contextlib.suppress(Exception):
            self._ray.kill(self._seats[place].actor)
        self._seats[place] = self._seated()

    def _heard(self, place: int) -> Iterator[Event]:
        """What one actor answered, or that it or its node died, or that it is late."""
        seat = self._seats[place]
        reference = seat.answer if seat.tasks else seat.asked if seat.shared is None else None
        if reference is None:
            return
        done, _ = self._ray.wait([reference], timeout=0)
        if not done:
            if time.monotonic() > seat.deadline:
                yield from self._gone(place, Trouble.HUNG, "it took longer than its time limit")
            return
        try:
            answer = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise _cause(error) from error
        except self._ray.exceptions.ActorUnavailableError:
            # a worker's own death is reported by its node at once; here the node is silent, long before
            # Ray misses enough of its heartbeats to call it dead
            yield from self._gone(place, Trouble.LOST, "its node cannot be reached")
            return
        except self._ray.exceptions.RayError as error:
            yield from self._gone(place, Trouble.CRASHED, f"the worker ended: {_first_line(error)}")
            return
        if not seat.tasks:
            seat.node, seat.shared = answer
            self._failed_starts = 0
            return
        tasks, seat.tasks, seat.answer = seat.tasks, (), None
        yield from _received(tasks, answer)
        if seat.stale:
            self._replace(place)

    def _gone(self, place: int, trouble: Trouble, reason: str) -> Iterator[Event]:
        """Replace an actor; a photo is not to blame for a node that went away."""
        seat = self._seats[place]
        if seat.shared is None:
            if trouble is Trouble.HUNG and any(each.shared is not None for each in self._seats):
                seat.deadline = math.inf  # the others do the work; a node may still come
                return
            self._failed_starts += 1
            if trouble is Trouble.HUNG or self._failed_starts > 2 + len(self._seats):
                raise ResourceError(
                    f"no Ray actor with {self._resources} can begin: {reason}; use fewer --workers"
                )
        elif trouble is not Trouble.LOST and not self._alive(seat.node):
            trouble, reason = Trouble.LOST, "its node went away"
        self._replace(place)
        for task in seat.tasks:
            yield Stopped(task.id, trouble, reason)

    def _alive(self, node: str) -> bool:
        return any(each["Alive"] for each in self._ray.nodes() if each["NodeID"] == node)


def shares(
    nodes: Sequence[Mapping[str, float]], *, cores: int | None, workers: int | None, gpus: bool
) -> tuple[dict[str, float], int]:
    """What an actor asks for, and how many there are, by the resources of the nodes (`CPU`, `GPU`).

    More workers than GPUs get shares of them of one size, so many to a GPU as it takes; a share that is none
    of a whole, such as 2/3, would leave a third of every GPU to nobody.
    """
    there = int(sum(node.get("GPU", 0) for node in nodes)) if gpus else 0
    if there:
        each = math.ceil((workers or there) / there)
        return {"num_cpus": 1, "num_gpus": 1 / each}, workers or there
    smallest = min(int(node.get("CPU", 0)) or 1 for node in nodes)
    share = cores or min(4, smallest)
    return {"num_cpus": share}, workers or max(1, sum(int(node.get("CPU", 0)) // share for node in nodes))


def _content(photo: Path) -> bytes | None:
    """A photo's bytes; None where it cannot be read any more."""
    try:
        return photo.read_bytes()
    except OSError:
        return None


def _received(tasks: Sequence[Task], answers: Sequence[Answer]) -> Iterator[Event]:
    """The events of tasks; files that were sent are written first."""
    named = {task.id: task for task in tasks}
    for event, files in answers:
        output = named[event.id].output
        try:
            for name, content in files.items():
                write_bytes(output.with_name(name), content)
        except OSError as error:
            trouble = Trouble.OUTPUT if no_room(error) else Trouble.REFUSED
            yield Stopped(event.id, trouble, f"cannot write {output}: {error.strerror}", scope=Scope.PHOTO)
        else:
            yield event


def _cause(error: Any) -> Exception:
    """The expected error in an actor, as the driver should raise it."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, EXPECTED):
        return cause
    return ResourceError(f"a Ray actor cannot work: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _readable(descriptor: int) -> bool:
    import select

    return bool(select.select([descriptor], [], [], 0)[0])
