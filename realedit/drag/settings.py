"""Settings of the drag by the paper's symbols, and their lengths on a given generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from realedit.errors import UsageError

if TYPE_CHECKING:
    from checkpoints import Generator


@dataclass(frozen=True, kw_only=True)
class DragSettings:
    """DragGAN's settings (Pan et al. 2023, arXiv 2305.10973, section 3 and 4).

    Lengths are pixels of a 512-pixel crop; `Lengths.of` scales them to a generator.

    mask_weight: lambda, the weight of what must not move.
    r1, r2: radius of the patch that is supervised and tracked, and of the tracking search.
    shift: how far a patch is asked to move per step.
    until: a handle has arrived when it is this near its target.
    max_steps: at most this many.
    learning_rate: a step's length, root mean square in units of the codes' spread per dimension.
    layers: W+ layers that move, from the first on; None takes the checkpoint's advice or a third.
    patience: steps without progress after which the drag ends as stalled.
    motions: names of motions that the drag goes along instead of down its slope, as far as the handles ask,
    where the checkpoint knows them and they bring the handles nearer.
    amounts: how much of each of these motions to go, whatever the handles ask; only where the checkpoint
    knows all of them.
    """

    mask_weight: float = 1.0
    r1: float = 3.0
    r2: float = 6.0
    shift: float = 1.0
    until: float = 1.0
    max_steps: int = 300
    learning_rate: float = 0.02
    layers: int | None = None
    patience: int = 40
    motions: tuple[str, ...] = ()
    amounts: tuple[float, ...] = ()


LEEWAY = 0.5  # cells: how much farther than it is asked to a handle may go for its features to be at hand


@dataclass(frozen=True)
class Lengths:
    """The settings' lengths in feature cells, no less than features can tell: two cells for r1, one and a
    half for r2, one for the shift. `until` is as asked; features tell no less than `enough`, a quarter of a
    cell, so nearer than that a drag goes on only while it gets nearer.
    """

    r1: float
    r2: float
    shift: float
    until: float
    enough: float

    @property
    def reach(self) -> float:
        """How far from where a handle was features are computed: it is searched there, and then supervised
        where it is found. If that is too far away, they are computed anew.
        """
        return self.r1 + max(self.r2, self.shift + LEEWAY)

    @property
    def stride(self) -> float:
        """How far a handle should go in a step at most: half as far as it is searched."""
        return self.r2 / 2

    @property
    def rim(self) -> float:
        """A handle that goes farther than this in a step is at the rim of where it is searched."""
        return self.r2 - 0.25

    @classmethod
    def of(cls, settings: DragSettings, cells: int) -> Lengths:
        """For feature maps of `cells` x `cells` over the whole crop."""
        scale = cells / 512
        return cls(
            r1=max(2.0, settings.r1 * scale),
            r2=max(1.5, settings.r2 * scale),
            shift=max(1.0, settings.shift * scale),
            until=settings.until * scale,
            enough=max(0.25, settings.until * scale),
        )


def moving_layers(settings: DragSettings, generator: Generator, advice: int | None = None) -> int:
    """How many W+ layers move: the settings' number, else the checkpoint's advice, else a third.

    Raises UsageError for more than the generator has.
    """
    if settings.layers is not None and settings.layers > generator.num_ws:
        raise UsageError(f"the model has {generator.num_ws} layers, so {settings.layers} cannot move")
    return settings.layers or advice or max(1, round(generator.num_ws / 3))


def feature_resolution(resolution: int) -> int:
    """Cells per side of the supervised features: those after the sixth block, or half the picture if that is
    less."""
    return max(4, min(128, resolution // 2))
