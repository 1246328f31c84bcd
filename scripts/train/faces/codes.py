"""Codes of photographs, as the projection finds them."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

import inversion
from checkpoints import Checkpoint
from inversion import InversionSettings
from realedit.sessions.session import to_tensor
from train.faces.dataset import Faces


def squares(faces: Faces, indices: Sequence[int], size: int) -> tuple[Tensor, Tensor]:
    """Crops `[N, 3, size, size]` in [-1, 1] and their weights `[N, 1, size, size]`."""
    pairs = [faces.square(i, size) for i in indices]
    crops = torch.cat([to_tensor(crop, torch.device("cpu")) for crop, _ in pairs])
    valid = torch.from_numpy(np.stack([valid for _, valid in pairs]).astype(np.float32))[:, None]
    return crops, valid


def projected(
    checkpoint: Checkpoint, faces: Faces, indices: Sequence[int], *, quality: str = "draft", batch: int = 8
) -> Tensor:
    """The codes that the projection finds, `[N, num_ws, w_dim]`; about 2 seconds of a core each."""
    settings = InversionSettings.preset(quality)
    loss = inversion.choose(settings.perceptual, checkpoint)
    found = []
    for first in range(0, len(indices), batch):
        crops, valid = squares(faces, indices[first : first + batch], checkpoint.generator.resolution)
        latent = inversion.starting_latent(checkpoint, crops)
        steps = inversion.project(
            checkpoint, crops, valid, loss, settings.projection, start=latent, precision=settings.precision
        )
        for step in steps:
            latent = step.latent
        found.append(latent.detach())
        print(f"projected {first + len(crops)} of {len(indices)}", flush=True)
    return torch.cat(found)
