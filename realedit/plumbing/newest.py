"""Work on the newest of what comes, in a thread beside: what comes too fast is dropped, never queued."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """Calls `work` with what was offered last, whenever it has time; the last one always is worked on.

    interval: seconds from one beginning to the next, at least. name: of the thread. Use as a context manager
    and `offer`, which returns at once. What `work` raises is raised again where the context ends.
    """

    def __init__(self, work: Callable[[T], object], *, interval: float = 0.0, name: str = "newest") -> None:
        self._work, self._interval = work, interval
        self._news = threading.Condition()
        self._item: T | None = None
        self._ending = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> "Newest[T]":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._news:
            self._ending = True
            self._news.notify()
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def offer(self, item: T) -> None:
        """Something newer."""
        with self._news:
            self._item = item
            self._news.notify()

    def _run(self) -> None:
        try:
            while (item := self._next()) is not None:
                begun = time.monotonic()
                self._work(item)
                with self._news:
                    self._news.wait_for(lambda: self._ending, begun + self._interval - time.monotonic())
        except BaseException as error:  # told where the context ends
            self._error = error

    def _next(self) -> T | None:
        with self._news:
            self._news.wait_for(lambda: self._ending or self._item is not None)
            item, self._item = self._item, None
            return item
