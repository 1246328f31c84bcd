"""A model that is loaded once and used for many photos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checkpoints import Checkpoint

DEFAULT = "face128"


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A generator in memory. name: as it was asked for, a known name or a file. checkpoint: its networks and
    what is known about it. device: as it was asked for."""

    name: str
    checkpoint: Checkpoint
    device: str = "auto"

    @property
    def domain(self) -> str:
        """What it draws: `face`, `cat`, ... or `unknown`."""
        return self.checkpoint.domain

    @property
    def of_faces(self) -> bool:
        """Whether the squares that it sees are found by faces; of photos of anything else it sees the largest
        centred one."""
        return self.checkpoint.alignment == "ffhq"

    @property
    def resolution(self) -> int:
        """The side of its pictures, in pixels."""
        return self.checkpoint.generator.resolution

    @property
    def licence(self) -> str:
        """The licence of its weights."""
        return self.checkpoint.licence

    @property
    def motions(self) -> tuple[str, ...]:
        """The motions it knows, which recipes may name."""
        codes = self.checkpoint.codes
        return () if codes is None or codes.motions is None else codes.motions.names

    def __repr__(self) -> str:
        return f"<Model {self.name}, {self.domain}, {self.resolution} px>"


def load_model(name: str | Path = DEFAULT, *, device: str = "auto") -> Model:
    """Load a model by name (`realedit models list`), or from its file.

    device: `auto` (CUDA, then MPS, then the CPU), `cpu`, `cuda`, `cuda:N` or `mps`. Raises UnknownModelError,
    CheckpointError, UsageError for a device that is not there.
    """
    import checkpoints
    from realedit.plumbing.devices import choose_device

    return Model(str(name), checkpoints.load(str(name), device=choose_device(device)), device)


def loaded(model: str | Path | Model, device: str) -> Model:
    """The model itself, or the one of that name."""
    return model if isinstance(model, Model) else load_model(model, device=device)
