"""What the studio is started with."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """folder: where work is kept. threads: for what nobody waits for with a hand on the face."""

    folder: Path
    model: str = "face128"
    device: str = "auto"
    threads: int = 1


@dataclass(frozen=True, kw_only=True)
class StudioSettings:
    """photos: to open at the start. output: where exports go instead of the browser's downloads."""

    engine: EngineSettings
    photos: tuple[Path, ...] = ()
    output: Path | None = None
