"""Keeping a latent where the generator knows its way: near the codes of its training, and its layers near
each other.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from checkpoints import Checkpoint


@dataclass(frozen=True)
class CodeSpace:
    """Mean and principal axes of W, to measure distances in units of the codes' own spread.

    mean `[w_dim]`; components `[K, w_dim]`, orthonormal rows; std `[K]`; floor: the spread given to what the
    axes leave out, per dimension; scale: root mean square spread over all dimensions.
    """

    mean: Tensor
    components: Tensor
    std: Tensor
    floor: float
    scale: float

    @classmethod
    def of(cls, checkpoint: Checkpoint, *, samples: int = 4096, seed: int = 0) -> "CodeSpace":
        """From the checkpoint's stored axes, or from `samples` mapped normal vectors where it stores none."""
        generator = checkpoint.generator
        device = generator.w_avg.device
        if checkpoint.codes is not None:
            codes = checkpoint.codes
            mean, components, std = codes.mean.to(device), codes.components.to(device), codes.std.to(device)
        else:
            mean, components, std = _sampled_axes(checkpoint, samples, seed)
        # the rest of the space is at least as narrow as the narrowest axis
        floor = max(float(std.min()) * 0.5, 1e-4)
        scale = float((std.square().sum() / mean.numel()).sqrt())
        return cls(mean, components, std.clamp_min(floor), floor, max(scale, 1e-4))

    def whitened(self, ws: Tensor) -> Tensor:
        """Mean squared whitened distance per dimension of `[N, L, w_dim]`: `[N]` (1: as far as a usual
        code).
        """
        centred = ws - self.mean
        along = centred @ self.components.T  # [N, L, K]
        rest = (centred.square().sum(-1) - along.square().sum(-1)).clamp_min(0)  # [N, L]
        squared = (along / self.std).square().sum(-1) + rest / self.floor**2
        return squared.mean(-1) / ws.shape[-1]

    def spread(self, ws: Tensor) -> Tensor:
        """Mean squared distance of the layers from their mean, in the codes' spread: `[N]`."""
        return ((ws - ws.mean(1, keepdim=True)) / self.scale).square().mean((1, 2))


@torch.no_grad()
def _sampled_axes(checkpoint: Checkpoint, samples: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = checkpoint.generator
    device = generator.w_avg.device
    random = torch.Generator().manual_seed(seed)
    z = torch.randn(samples, generator.z_dim, generator=random).to(device)
    label = torch.zeros(samples, generator.c_dim, device=device) if generator.c_dim else None
    codes = generator.mapping(z, label)[:, 0]  # [samples, w_dim]
    mean = codes.mean(0)
    rank = min(codes.shape[1], samples - 1)
    _, singular, rows = torch.linalg.svd(codes - mean, full_matrices=False)
    return mean, rows[:rank], singular[:rank] / max(samples - 1, 1) ** 0.5
