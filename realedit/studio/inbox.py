"""What the worker is asked for, in order; what a moving hand says counts only as far as it is new."""

import threading
from collections import deque
from collections.abc import Callable

from realedit.studio.messages import Apply, Commands, Move, Press, Release, Stop

Task = Callable[[], None]
"""Something that a thread beside found out, to be taken in between two commands."""


class Inbox:
    """A queue of commands and tasks for one reader."""

    def __init__(self) -> None:
        self._items: deque[Commands | Task] = deque()
        self._news = threading.Condition()

    def put(self, item: Commands | Task) -> None:
        """One more."""
        with self._news:
            self._items.append(item)
            self._news.notify()

    def get(self) -> Commands | Task:
        """The next; waits for it. Of several strengths of one recipe that wait, the last is the next."""
        with self._news:
            self._news.wait_for(lambda: bool(self._items))
            item = self._items.popleft()
            while isinstance(item, Apply) and self._items and isinstance(self._items[0], Apply):
                item = self._items.popleft()
            return item

    def hand(self, *, wait: bool) -> Move | Release | Stop | None:
        """What the hand does now: its end if it ended, else the newest place; None where it does nothing new.
        Other commands stay for later. wait: until there is something."""
        with self._news:
            while True:
                found = self._hand()
                if found is not None or not wait:
                    return found
                self._news.wait()

    def _hand(self) -> Move | Release | Stop | None:
        newest: Move | None = None
        for item in list(self._items):
            if isinstance(item, Press):
                break
            if isinstance(item, (Release, Stop)):
                if newest is not None:  # first where it went, then that it let go
                    return newest
                self._items.remove(item)
                return item
            if isinstance(item, Move):
                self._items.remove(item)
                newest = item
        return newest

    def put_back(self, item: Commands | Task) -> None:
        """First again."""
        with self._news:
            self._items.appendleft(item)
            self._news.notify()

    def stopped(self) -> bool:
        """Whether a stop waits; it is taken."""
        with self._news:
            for item in self._items:
                if isinstance(item, Stop):
                    self._items.remove(item)
                    return True
        return False

    def newer(self, kind: type[Commands]) -> bool:
        """Whether a command of a kind waits."""
        with self._news:
            return any(isinstance(item, kind) for item in self._items)
