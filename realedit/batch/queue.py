"""The photos of this run that wait for a worker or are with one."""

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from realedit.batch.job import Job


@dataclass(frozen=True)
class Flight:
    """A job that is with a worker; staged: the file of its attempt; company: others were handed to the worker
    with it, and whatever ends the worker may be their fault."""

    job: Job
    staged: Path
    company: bool = False


@dataclass
class Queue:
    """Job numbers in the order of their turn; alone: jobs that failed in company, and are handed out without
    any until they end."""

    flying: dict[int, Flight] = field(default_factory=dict)
    alone: set[int] = field(default_factory=set)
    _order: deque[int] = field(default_factory=deque)
    _waiting: set[int] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._order)

    @property
    def first(self) -> int:
        """The job whose turn it is."""
        return self._order[0]

    def add(self, number: int, *, first: bool = False) -> None:
        """A job waits for its turn; nothing for one that waits already."""
        if number not in self._waiting:
            self._waiting.add(number)
            self._order.appendleft(number) if first else self._order.append(number)

    def pop(self) -> int:
        """The next job."""
        number = self._order.popleft()
        self._waiting.discard(number)
        return number

    def discard(self, number: int) -> None:
        """A job waits no longer."""
        if number in self._waiting:
            self._waiting.discard(number)
            self._order.remove(number)

    def busy(self, key: str) -> bool:
        """Whether a photo of this key is with a worker."""
        return any(flight.job.key == key for flight in self.flying.values())
