"""What a drag is made of: values that are replaced, never changed, so that undo can keep them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

Ending = Literal["running", "arrived", "stalled", "steps", "nothing"]


@dataclass(frozen=True)
class DragStep:
    """One step of a drag.

    index counts from 1. motion and held are the loss's two terms: what the handles still ask for, and how
    far what the mask holds has changed; loss is their weighted sum. handles `[K, 2]` are tracked positions
    in crop pixels; distances `[K]` to the targets, crop pixels. ending says why this was the last step, or
    `running`. latent is the W+ reached, `[1, num_ws, w_dim]`.
    """

    index: int
    total: int
    loss: float
    motion: float
    held: float
    handles: NDArray[np.float64]
    distances: NDArray[np.float64]
    ending: Ending
    latent: Tensor


@dataclass(frozen=True)
class Place:
    """A latent, and where its handles are, `[K, 2]` in cells, on the CPU."""

    latent: Tensor
    handles: Tensor


@dataclass(frozen=True)
class State:
    """Where a drag is, where it should go, and what it compares with.

    targets `[K, 2]` in cells, on the CPU; templates `[K, P, C]`: the patches around the handles when they
    were put there;
    vague `[K]`: whether those hardly differ from what is beside them, so that the handles cannot be tracked.
    movable `[1, 1, r, r]`: the mask; original `[1, C, r, r]`: the features that it holds.
    """

    place: Place
    targets: Tensor
    templates: Tensor
    vague: Tensor
    movable: Tensor | None = None
    original: Tensor | None = None

    @property
    def distances(self) -> Tensor:
        """Of the handles to their targets, `[K]` in cells."""
        away: Tensor = (self.targets - self.place.handles).norm(dim=-1)
        return away

    @property
    def left(self) -> float:
        """How far the handles are from their targets, root mean square, in cells: what a drag makes small."""
        return float(self.distances.square().mean().sqrt())
