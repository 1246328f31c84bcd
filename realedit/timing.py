"""How long the stages of an edit take."""

import time


class Laps:
    """Seconds by name: each call gives the time since the last one, or since the beginning, to a name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def __call__(self, name: str) -> None:
        """The stage of this name ends now."""
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now
