"""What the engine tells: one value per happening, and the counts so far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Counts:
    """Photos by what became of them in this run. found: seen in the folder; waiting: not at rest yet; ready:
    at rest, and not looked at yet."""

    found: int = 0
    done: int = 0
    copied: int = 0
    skipped: int = 0
    failed: int = 0
    quarantined: int = 0
    waiting: int = 0
    ready: int = 0
    queued: int = 0
    running: int = 0
    stopped: bool = False  # by a signal, before everything was done

    @property
    def finished(self) -> int:
        """Photos nothing more happens to."""
        return self.done + self.copied + self.skipped + self.failed + self.quarantined

    @property
    def left(self) -> int:
        """Photos that something may still happen to."""
        return self.queued + self.running + self.waiting + self.ready


@dataclass(frozen=True, kw_only=True)
class Happening:
    """kind: started, stage, done, copied, skipped, failed, quarantined, retry, waiting, gone, note, paused,
    resumed, stopping, reloaded, watching, counts (they changed) or summary. photo, output: paths; text: one
    sentence; data: what belongs to the kind."""

    kind: str
    counts: Counts
    id: int | None = None
    photo: Path | None = None
    output: Path | None = None
    text: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


Show = Callable[[Happening], None]
