"""A worker's own side: a process that loads the model once and does what it is handed."""

import contextlib
import logging
import os
import pickle
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path

from realedit.batch.work import OnStage, Said, Stage, Task, Work, attempts


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
    relay = _Relay(pipe)
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.handlers[:], root.level = [relay], logging.INFO
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # one sentence of ours says what is damaged
    try:
        run = work.open(threads)
    except BaseException as error:
        relay.send(Broken(_pickled(error)))
        return
    relay.send(Ready())
    while True:
        try:
            tasks = pipe.recv()
        except (EOFError, OSError):
            return
        for event in attempts(run, tasks, relay.teller):
            relay.send(event)
            relay.task = None


class _Relay(logging.Handler):
    """The way to the engine, for messages of the log too: only there it is known where they should go."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe, self._turn = pipe, threading.Lock()
        self.task: int | None = None  # whose stage was told last

    def teller(self, task: Task) -> OnStage:
        """Tells a task's stages."""
        return _Told(self, task.id)

    def send(self, message: object) -> None:
        """One at a time: a photo's preview may be drawn in another thread."""
        with self._turn:
            self._pipe.send(message)

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`; what is said while no photo is in work is nobody's."""
        if self.task is not None:
            with contextlib.suppress(OSError):
                once = getattr(record, "once", False)
                self.send(Said(self.task, record.levelno, record.getMessage(), once))


class _Told:
    """Sends stages, and steps within them at most a few times a second."""

    def __init__(self, relay: _Relay, number: int) -> None:
        self._relay, self._id = relay, number
        self._name, self._last = "", 0.0

    def __call__(self, name: str, index: int, total: int) -> None:
        self._relay.task = self._id
        now = time.monotonic()
        if name != self._name or now - self._last > 0.5:
            self._name, self._last = name, now
            self._relay.send(Stage(self._id, name, index, total))


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
