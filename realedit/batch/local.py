"""Workers on this machine: processes, each with the model loaded once, that may die without harm."""

import contextlib
import multiprocessing
import os
import pickle
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from realedit.batch.work import Event, Finished, Said, Stage, Stopped, Task, Trouble, Work
from realedit.batch.worker import Broken, Ready, serve
from realedit.errors import ResourceError

START_LIMIT = 300.0  # seconds to load a model
SEEN = "CUDA_VISIBLE_DEVICES"  # the GPUs that a process sees, by number or name
_STARTS = 3  # deaths before the first task after which it is not the photo's fault


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    deadline: float
    ready: bool = False
    tasks: list[Task] = field(default_factory=list)  # handed to it and not ended
    stale: bool = False  # its work is not the present one, or its memory is in pieces

    def allow(self) -> None:
        """The time of what it has in hand begins."""
        self.deadline = time.monotonic() + sum(task.seconds for task in self.tasks)


class LocalPool:
    """A `Pool` of spawned processes on this machine, each started when there is a task for it."""

    def __init__(self, work: Work, workers: int, *, threads: int, gpus: Sequence[str] = ()) -> None:
        """workers: at most; threads: per worker. gpus: shared out among them, each sees one; none: every
        worker sees what this process does."""
        self._context = multiprocessing.get_context("spawn")
        self._work, self._threads = work, threads
        self._failed_starts = 0
        self._most = workers
        self._gpus = gpus
        self._workers: list[_Worker] = []

    @property
    def workers(self) -> int:
        """See `Pool`."""
        return self._most

    @property
    def free(self) -> int:
        """Workers without tasks, or not started yet."""
        return self._most - sum(bool(worker.tasks) for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """The processes' numbers."""
        return [worker.process.pid for worker in self._workers if worker.process.pid is not None]

    def submit(self, tasks: Sequence[Task]) -> None:
        """See `Pool`; a worker that still loads its model gets them when it is ready."""
        worker = next((worker for worker in self._workers if not worker.tasks), None)
        if worker is None:
            worker = self._started(len(self._workers))
            self._workers.append(worker)
        worker.tasks = list(tasks)
        if worker.ready:
            self._send(worker)

    def wait(self, seconds: float, wake: int | None = None) -> Iterator[Event]:
        """See `Pool`."""
        now = time.monotonic()
        deadlines = [worker.deadline for worker in self._workers if worker.tasks or not worker.ready]
        seconds = max(0.0, min([seconds, *(deadline - now for deadline in deadlines)]))
        sources: list[Connection | int] = [worker.pipe for worker in self._workers]
        sources += [worker.process.sentinel for worker in self._workers]
        if wake is not None:
            sources.append(wake)
        wait(sources, seconds)
        for place, worker in enumerate(self._workers):
            yield from self._heard(place, worker)

    def renew(self, work: Work) -> None:
        """See `Pool`: idle workers are replaced now, busy ones after their tasks."""
        self._work = work
        for place, worker in enumerate(self._workers):
            worker.stale = True
            if not worker.tasks:
                self._replace(place)

    def close(self) -> None:
        """See `Pool`."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join(5)
            worker.pipe.close()
        self._workers = []

    def _heard(self, place: int, worker: _Worker) -> Iterator[Event]:
        """What one worker said, or that it died or is late."""
        dead = not worker.process.is_alive()  # before the pipe is read: what it said first is not lost
        try:
            while worker.pipe.poll():
                yield from self._message(place, worker, worker.pipe.recv())
        except (EOFError, OSError):
            worker.process.join(5)
            dead = True
        if self._workers[place] is not worker:
            return
        if dead:
            yield from self._ended(place, worker, Trouble.CRASHED, _death(worker.process))
        elif (worker.tasks or not worker.ready) and time.monotonic() > worker.deadline:
            worker.process.kill()
            seconds = sum(task.seconds for task in worker.tasks) if worker.ready else START_LIMIT
            yield from self._ended(
                place, worker, Trouble.HUNG, f"it took longer than the time limit of {seconds:.0f} s"
            )

    def _message(self, place: int, worker: _Worker, message: object) -> Iterator[Event]:
        if isinstance(message, Stage | Said):
            yield message
        elif isinstance(message, Finished | Stopped):
            worker.tasks = [task for task in worker.tasks if task.id != message.id]
            worker.allow()
            if isinstance(message, Stopped) and message.trouble is Trouble.MEMORY:
                worker.stale = True  # a new process has it whole again
            yield message
            if worker.stale and not worker.tasks:
                self._replace(place)
        elif isinstance(message, Ready):
            worker.ready = True
            self._failed_starts = 0
            if worker.tasks:
                self._send(worker)
        elif isinstance(message, Broken):
            raise pickle.loads(message.error)

    def _ended(self, place: int, worker: _Worker, trouble: Trouble, reason: str) -> Iterator[Event]:
        """Put a new worker in the place of one that died or hung."""
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= _STARTS:
                raise ResourceError(f"the workers cannot start: {reason}; try fewer --workers")
            trouble = Trouble.LOST
        self._replace(place)
        for task in worker.tasks:
            yield Stopped(task.id, trouble, reason)

    def _send(self, worker: _Worker) -> None:
        worker.allow()
        try:
            worker.pipe.send(worker.tasks)
        except OSError:  # it has just died; the next wait says so
            worker.deadline = time.monotonic()

    def _started(self, place: int) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=serve, args=(theirs, self._work, self._threads), name="realedit-worker", daemon=True
        )
        try:
            with _seeing(self._gpus[place % len(self._gpus)] if self._gpus else None):
                process.start()
        except OSError as error:
            raise ResourceError(f"no worker can be started ({error}); try fewer --workers") from error
        theirs.close()
        return _Worker(process, ours, time.monotonic() + START_LIMIT)

    def _replace(self, place: int) -> None:
        old = self._workers[place]
        old.process.kill()
        old.process.join(5)
        old.pipe.close()
        self._workers[place] = self._started(place)


@contextlib.contextmanager
def _seeing(gpu: str | None) -> Iterator[None]:
    """Processes that start meanwhile see that GPU alone; None: what this one sees."""
    before = os.environ.get(SEEN)
    if gpu is not None:
        os.environ[SEEN] = gpu
    try:
        yield
    finally:
        if before is not None:
            os.environ[SEEN] = before
        elif gpu is not None:
            del os.environ[SEEN]


def _death(process: SpawnProcess) -> str:
    code = process.exitcode
    if code is not None and code < 0:
        try:
            return f"the worker was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"the worker was ended by signal {-code}"
    return f"the worker ended with code {code}"
