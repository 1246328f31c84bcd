"""Units for convolution weights in which a loss bends alike in all directions.

What a weight does depends on what its convolution reads: channels that go together, and neighbouring pixels,
which are nearly the same, make some changes of the weights a hundred times more visible than others. The
second moments of the input say how much: they are the input's factor of the Kronecker-factored curvature of
Martens and Grosse (2015, arXiv 1503.05671; for convolutions Grosse and Martens 2016, arXiv 1602.01407), here
itself a product of one matrix for the channels and one for the taps of the kernel.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from checkpoints.layers import ModulatedConv, upsample_image
from checkpoints.synthesis import SynthesisLayer

SAMPLED = 32  # channels that the taps' moments are taken of


@dataclass(frozen=True)
class Units:
    """A symmetric map of a weight's changes `[O, I, k, k]`: channels `[I, I]`, taps `[k k, k k]`."""

    channels: Tensor
    taps: Tensor

    def __call__(self, change: Tensor) -> Tensor:
        """`[O, I, k, k]` of any layout -> the same, contiguous."""
        flat = change.reshape(*change.shape[:2], -1)  # [O, I, k k]
        return torch.einsum("oik,ij->ojk", flat @ self.taps, self.channels).reshape(change.shape)


class Moments:
    """The second moments of what a layer's convolution reads, over all maps that were added."""

    def __init__(self) -> None:
        self.channels: Tensor | float = 0.0  # [I, I]
        self.taps: Tensor | float = 0.0  # [k k, k k]

    @torch.no_grad()
    def add(self, layer: ModulatedConv, x: Tensor) -> None:
        """x `[1, I, h, w]`: modulated, before the doubling."""
        x = x.float()
        flat = x[0].flatten(1)  # [I, h w]
        few = x[:, :: -(-x.shape[1] // SAMPLED)]
        if isinstance(layer, SynthesisLayer) and layer.up:
            few = upsample_image(few, layer.resample_filter)
        self.channels = self.channels + flat @ flat.T
        self.taps = self.taps + _taps(few, layer.weight.shape[-1])

    def units(self, damping: float) -> Units:
        """damping: added to the moments, as a share of their mean eigenvalue."""
        assert isinstance(self.channels, Tensor) and isinstance(self.taps, Tensor), "nothing was added"
        return Units(_inverse_root(self.channels, damping), _inverse_root(self.taps, damping))


def _taps(x: Tensor, size: int) -> Tensor:
    """Second moments of the taps of a size x size kernel over x `[1, C, h, w]`: `[size^2, size^2]`.

    They depend on how far two taps are apart alone, so every distance is taken once.
    """
    height, width = x.shape[2:]
    found: dict[tuple[int, int], Tensor] = {}
    for dy in range(size):
        for dx in range(1 - size, size):
            moved = F.pad(x, (max(0, -dx), max(0, dx), 0, dy))[..., dy:, max(0, dx) :]
            found[dy, dx] = found[-dy, -dx] = (x * moved[..., :height, :width]).sum()
    places = [(i, j) for i in range(size) for j in range(size)]
    return torch.stack([torch.stack([found[k - i, m - j] for k, m in places]) for i, j in places])


def _inverse_root(moments: Tensor, damping: float) -> Tensor:
    """The inverse square root of a symmetric positive matrix, scaled to a mean eigenvalue of one."""
    scaled = (moments / moments.diagonal().mean().clamp_min(1e-30)).cpu()
    values, vectors = torch.linalg.eigh(scaled)
    root = (vectors * (values.clamp_min(0) + damping).rsqrt()) @ vectors.T
    found: Tensor = root.to(moments.device)
    return found
