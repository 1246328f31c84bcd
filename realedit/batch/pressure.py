"""Waiting for room: what cannot be written for now is kept by whoever has it, and tried again."""

from collections.abc import Callable
from typing import TypeVar

from realedit.batch.outputs import Outputs
from realedit.batch.work import no_room

T = TypeVar("T")

_FIRST_DELAY, _LAST_DELAY = 0.5, 30.0  # seconds between looks for room on the disk
_PROBE = 1 << 16


class NoRoomError(Exception):
    """The output cannot be written for now; size: bytes that there must be room for."""

    def __init__(self, reason: str, size: int) -> None:
        super().__init__(reason)
        self.size = size


class Pressure:
    """Whether the output can be written. A pause is said once, until a photo was written again."""

    def __init__(self, outputs: Outputs, written: Callable[[], int], say: Callable[[str, str], None]) -> None:
        """written: photos so far; say: takes a kind and a sentence."""
        self._outputs, self._written, self._say = outputs, written, say
        self._room: int | None = None  # bytes that must fit before work goes on
        self._held_at: int | None = None  # photos written when the pause was said
        self.delay = _FIRST_DELAY  # seconds until the next look for room

    @property
    def held(self) -> bool:
        """Whether work waits for room."""
        return self._room is not None

    def blocks(self, error: Exception) -> bool:
        """Whether an error means that nothing can be written for now, and not only this one file."""
        if isinstance(error, NoRoomError) or no_room(error):
            return True
        return isinstance(error, PermissionError) and not self._outputs.probe(_PROBE)

    def steadily(self, act: Callable[[], T]) -> T:
        """Do something with one photo; twice where a right was missing that is there by the time the disk is
        asked."""
        try:
            return act()
        except PermissionError as error:
            if self.blocks(error):
                raise
            return act()

    def hold(self, error: Exception) -> None:
        """Wait for room."""
        self._room = max(_PROBE, getattr(error, "size", 0))
        if self._held_at is None:
            self._held_at = self._written()
            self._say("paused", f"waiting for room: {error}")

    def look(self) -> None:
        """See whether there is room now; later and later."""
        self.delay = min(_LAST_DELAY, 2 * self.delay)
        if self._room is not None and self._outputs.probe(self._room):
            self._room = None

    def relieve(self) -> None:
        """Say that work goes on, once it did."""
        if self._held_at is not None and self._written() > self._held_at:
            self._held_at, self.delay = None, _FIRST_DELAY
            self._say("resumed", "there is room again")
