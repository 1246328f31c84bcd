"""The faces on the device they are trained on."""

from dataclasses import dataclass

import torch
from torch import Tensor

from train.faces.augment import Batch, Jitter, crop_batch
from train.faces.dataset import Faces
from train.faces.expressions import Cast, Expressions
from train.faces.recogniser import chip_transforms
from train.faces.seeing import close_ups


@dataclass(frozen=True, eq=False)
class Source:
    """The faces on the device, the affines of their chips and close-ups, of how many rare kinds each is
    (`[N]`), and what they need to be moved.
    """

    pixels: Tensor
    valid: Tensor
    chips: Tensor
    close_ups: Tensor
    rare: Tensor
    cast: Cast

    @classmethod
    def of(cls, faces: Faces, *, held_out: bool, device: torch.device) -> "Source":
        chosen = faces.indices(held_out=held_out)
        pixels = torch.from_numpy(faces.pixels[chosen])
        points = torch.from_numpy(faces.landmarks[chosen]) * 2 - 1
        return cls(
            pixels.to(device),
            torch.from_numpy(faces.valid[chosen]).to(device),
            chip_transforms(faces.landmarks[chosen]).to(device),
            close_ups(faces.landmarks[chosen]).to(device),
            torch.from_numpy(faces.kinds[chosen].sum(1)).float(),
            Cast.of(pixels.to(device), points.to(device)),
        )

    def __len__(self) -> int:
        return len(self.pixels)

    def draw(self, count: int, rare: float, rng: torch.Generator) -> Tensor:
        """Indices of `count` faces, with replacement: one of a rare kind `rare` times as often as one of
        none, one of two kinds `2 * rare - 1` times.
        """
        weights = 1 + (rare - 1) * self.rare
        return torch.multinomial(weights, count, replacement=True, generator=rng)

    def batch(
        self,
        chosen: Tensor,
        size: int,
        jitter: Jitter | None,
        rng: torch.Generator,
        expressions: Expressions | None = None,
    ) -> Batch:
        chosen = chosen.to(self.pixels.device)
        acting = None if expressions is None else self.cast.act(chosen, expressions, rng)
        return crop_batch(
            self.pixels[chosen],
            self.valid[chosen],
            self.chips[chosen],
            self.close_ups[chosen],
            size,
            jitter,
            rng,
            acting,
        )
