"""How long the stages of an edit take."""

import time
from collections.abc import Callable


class Laps:
    """Seconds by name: each call begins a stage, and ends the one before. A stage may come again."""

    def __init__(self, on_begin: Callable[[str], None] | None = None) -> None:
        """on_begin: gets the name of a stage when it begins."""
        self.seconds: dict[str, float] = {}
        self._on_begin = on_begin
        self._name: str | None = None
        self._since = 0.0

    def __call__(self, name: str) -> None:
        """The stage of this name begins now."""
        self.end()
        self._name = name
        if self._on_begin is not None:
            self._on_begin(name)

    def end(self) -> None:
        """The stage that was begun last ends now."""
        now = time.perf_counter()
        if self._name is not None:
            self.add(self._name, now - self._since)
        self._name, self._since = None, now

    def add(self, name: str, seconds: float) -> None:
        """A stage took these seconds more."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
