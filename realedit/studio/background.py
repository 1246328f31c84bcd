"""Threads beside the one that edits: looking for faces, inverting, rendering."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

Job = Callable[[], None]


class Cancelled(Exception):
    """Nobody waits for the job any more."""


class Calm:
    """Whether nobody waits for an answer right now: long work waits until then between its steps."""

    def __init__(self) -> None:
        self._busy = 0
        self._change = threading.Condition()

    @contextmanager
    def broken(self) -> Iterator[None]:
        """For as long as the block runs somebody waits for an answer."""
        with self._change:
            self._busy += 1
        try:
            yield
        finally:
            with self._change:
                self._busy -= 1
                self._change.notify_all()

    def wait(self) -> None:
        """Until it is calm."""
        with self._change:
            self._change.wait_for(lambda: self._busy == 0)


class Line:
    """Jobs one after the other in a thread of their own. A job with a name takes the place of one of that
    name that waits still."""

    def __init__(self, name: str, *, threads: int, on_error: Callable[[Exception], None]) -> None:
        self._jobs: deque[tuple[str | None, Job]] = deque()
        self._news = threading.Condition()
        self._threads, self._on_error = threads, on_error
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def add(self, job: Job, *, name: str | None = None, first: bool = False) -> None:
        """One more; first: before those that wait."""
        with self._news:
            if name is not None:
                for item in [each for each in self._jobs if each[0] == name]:
                    self._jobs.remove(item)
            (self._jobs.appendleft if first else self._jobs.append)((name, job))
            self._news.notify()

    def drop(self, name: str) -> None:
        """Forget those of a name that wait."""
        with self._news:
            for item in [each for each in self._jobs if each[0] == name]:
                self._jobs.remove(item)

    def _run(self) -> None:
        import torch

        torch.set_num_threads(self._threads)
        while True:
            with self._news:
                self._news.wait_for(lambda: bool(self._jobs))
                _, job = self._jobs.popleft()
            try:
                job()
            except Cancelled:
                pass
            except Exception as error:  # told to the person; the thread goes on
                log.debug("a job of the studio failed", exc_info=error)
                self._on_error(error)
