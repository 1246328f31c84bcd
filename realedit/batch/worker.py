"""A worker's own side: a process that loads the model once and does one task after the other."""

import contextlib
import os
import pickle
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path

from realedit.batch.work import Stage, Work, attempt


@dataclass(frozen=True)
class Ready:
    """The model is loaded."""


@dataclass(frozen=True)
class Broken:
    """The worker cannot start: the pickled error."""

    error: bytes


def serve(pipe: Connection, work: Work, threads: int) -> None:
    """Do tasks until the pipe is closed. Signals are the engine's affair, not the worker's."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _end_with_parent()
    _go_first()
    try:
        run = work.open(threads)
    except BaseException as error:
        pipe.send(Broken(_pickled(error)))
        return
    pipe.send(Ready())
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(attempt(run, task, _Told(pipe, task.id)))


class _Told:
    """Sends stages, and steps within them at most a few times a second."""

    def __init__(self, pipe: Connection, number: int) -> None:
        self._pipe, self._id = pipe, number
        self._name, self._last = "", 0.0

    def __call__(self, name: str, index: int, total: int) -> None:
        now = time.monotonic()
        if name != self._name or now - self._last > 0.5:
            self._name, self._last = name, now
            self._pipe.send(Stage(self._id, name, index, total))


def _end_with_parent() -> None:
    """Nobody waits for a result when the parent is gone, even by SIGKILL."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _go_first() -> None:
    """Ask Linux to end this process before the engine when memory runs out."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900")


def _pickled(error: BaseException) -> bytes:
    """The error as the engine will raise it."""
    try:
        content = pickle.dumps(error)
        pickle.loads(content)
        return content
    except Exception:
        from realedit.errors import RealeditError

        return pickle.dumps(RealeditError(f"a worker cannot start: {type(error).__name__}: {error}"))
