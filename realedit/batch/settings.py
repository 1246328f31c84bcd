"""How a folder is worked through."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Done:
    """What happens to an original whose output was verified. folder: where `move` puts it."""

    mode: Literal["keep", "move", "delete"] = "keep"
    folder: Path | None = None


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """Times in seconds.

    once: end when everything that was found is worked off. attempts: of a photo whose worker dies or hangs.
    time_limit: of one attempt. patience: how long a file that cannot be decoded must rest before it is given
    up. existing: what to do with a photo whose output is there: ask the ledger, skip it, or make it again.
    remake: make again what the ledger calls done when its output is missing. grace: how long photos in work
    may take after the first signal. rescan, poll: how often to look through the folder, with and without
    events. queue: photos that are hashed and wait for a worker at most. together: photos that a worker is
    handed at once at most, for what it does better side by side.
    """

    once: bool = True
    attempts: int = 3
    time_limit: float = 900.0
    patience: float = 0.0
    existing: Literal["ledger", "skip", "force"] = "ledger"
    remake: bool = True
    done: Done = field(default_factory=Done)
    grace: float = 60.0
    rescan: float = 30.0
    poll: float = 2.0
    queue: int = 64
    together: int = 1
