"""Whether it is the same person, as a loss: what a face recognition network sees in both pictures.

An encoder with a face branch brings dlib's convolutions (`checkpoints.faces`). All of their maps are
compared: the descriptor alone comes nearer still, in pictures that are less like the photo
(docs/benchmarks/tried.md).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from checkpoints import Checkpoint
from checkpoints.faces import FaceBranch
from inversion.perceptual import within


@dataclass(frozen=True, eq=False)
class Likeness:
    """How unlike the target's face that of a picture is.

    target `[N, 3, H, W]` in [-1, 1]; valid `[N, 1, H, W]`, 1 where to compare; maps: what the network sees in
    the target; dtype: of the activations.
    """

    branch: FaceBranch
    target: Tensor
    valid: Tensor
    maps: tuple[Tensor, ...]
    dtype: torch.dtype

    @classmethod
    def to(
        cls, checkpoint: Checkpoint, target: Tensor, valid: Tensor, dtype: torch.dtype
    ) -> "Likeness | None":
        """None where the checkpoint's encoder has no face branch."""
        branch = None if checkpoint.encoder is None else checkpoint.encoder.face
        if branch is None:
            return None
        with torch.no_grad():
            return cls(branch, target, valid, _maps(branch, target, dtype), dtype)

    def __call__(self, image: Tensor) -> Tensor:
        """image `[N, 3, H, W]` in [-1, 1] -> each map's mean squared difference over the mean square of the
        target's, the mean over the maps `[N]`.
        """
        ours = _maps(self.branch, within(image, self.target, self.valid), self.dtype)
        pairs = zip(ours, self.maps, strict=True)
        apart = [(a - b).square().mean((1, 2, 3)) / b.square().mean((1, 2, 3)) for a, b in pairs]
        return torch.stack(apart).mean(0)


def _maps(branch: FaceBranch, image: Tensor, dtype: torch.dtype) -> tuple[Tensor, ...]:
    return tuple(each.float() for each in branch.trunk(branch.chips(image).to(dtype)))
