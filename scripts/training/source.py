"""The faces on the device they are trained on."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .augment import Batch, Jitter, crop_batch
from .dataset import Faces
from .recogniser import chip_transforms


@dataclass(frozen=True, eq=False)
class Source:
    """The faces on the device, and the affines of their chips."""

    pixels: Tensor
    valid: Tensor
    chips: Tensor

    @classmethod
    def of(cls, faces: Faces, *, held_out: bool, device: torch.device) -> "Source":
        chosen = faces.indices(held_out=held_out)
        return cls(
            torch.from_numpy(faces.pixels[chosen]).to(device),
            torch.from_numpy(faces.valid[chosen]).to(device),
            chip_transforms(faces.landmarks[chosen]).to(device),
        )

    def __len__(self) -> int:
        return len(self.pixels)

    def batch(self, chosen: Tensor, size: int, jitter: Jitter | None, rng: torch.Generator) -> Batch:
        chosen = chosen.to(self.pixels.device)
        return crop_batch(self.pixels[chosen], self.valid[chosen], self.chips[chosen], size, jitter, rng)
