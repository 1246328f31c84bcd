"""What a drag wants: its loss and the loss's slope, and how far the handles are."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from realedit.drag.maps import Sight
from realedit.drag.settings import Lengths
from realedit.drag.state import State
from realedit.drag.supervision import fixed_share, mask_term, motion


@dataclass(frozen=True)
class Goal:
    """targets `[K, 2]` in cells; templates `[K, P, C]`; fixed `[1, 1, r, r]`: what the mask holds, as weights
    that sum to one over all channels; original `[1, C, r, r]`: the features that it holds. All on the device.
    """

    targets: Tensor
    templates: Tensor
    fixed: Tensor | None
    original: Tensor | None

    @classmethod
    def of(cls, state: State) -> Self:
        """The state's."""
        fixed = None
        if state.movable is not None and state.original is not None:
            fixed = fixed_share(state.movable, state.original.shape[1])
        targets = state.targets.to(state.templates.device)
        return cls(targets, state.templates, fixed, None if fixed is None else state.original)

    def copy(self) -> "Goal":
        """With tensors of its own."""
        fixed, original = (None if each is None else each.clone() for each in (self.fixed, self.original))
        return Goal(self.targets.clone(), self.templates.clone(), fixed, original)

    def tensors(self) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        """All of it."""
        return self.targets, self.templates, self.fixed, self.original

    @torch.no_grad()
    def slope(
        self, sight: Sight, handles: Tensor, lengths: Lengths, mask_weight: float
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Loss and its terms motion and held `[3]`; the loss's gradient by the windows `[N, C, h, w]`, and by
        the held features. handles `[K, 2]` in cells.
        """
        patches = sight.maps.patches(handles, lengths.r1 + lengths.shift)
        r1, shift = lengths.r1, lengths.shift
        moved, cells = motion(patches, self.templates, handles, self.targets, r1=r1, shift=shift)
        gradient = sight.maps.back(patches, cells)
        if self.fixed is None or self.original is None or sight.maps.held is None:
            return torch.stack([moved, moved, torch.zeros_like(moved)]), gradient, None
        held, slope = mask_term(sight.maps.held, self.original, self.fixed)
        return torch.stack([moved + mask_weight * held, moved, held]), gradient, mask_weight * slope


@torch.no_grad()
def measure(before: Tensor, handles: Tensor, targets: Tensor) -> Tensor:
    """How far that of the handles `[K, 2]` went that went farthest, and their distances from the targets:
    root mean square, and the largest. `[3]`, in cells.
    """
    moved = torch.linalg.vector_norm(handles - before, dim=-1).amax()
    away = torch.linalg.vector_norm(targets - handles, dim=-1)
    left = torch.linalg.vector_norm(away) * len(away) ** -0.5
    return torch.stack([moved, left, away.amax()])
