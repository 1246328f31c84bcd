"""A way of W+ along which any face does one thing, learned from photographs of people before and after it."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from checkpoints import Checkpoint
from inversion import CodeSpace
from inversion.perceptual import Pyramid
from train.faces.dataset import Faces

TRIMMED = 0.2  # of the pairs: those whose difference is least like the others' count for nothing in the mean
STEPS, BATCH, RATE = 140, 8, 0.02  # of the search for the way; its rate in units of the codes' spread
AMOUNT_RATE = 0.03
NEAR = 0.05  # weight of the squared distance from the mean difference, in units of the codes' spread
ALIKE = 0.01  # weight of the squared logarithm of how much of the way a person goes


@dataclass(frozen=True, eq=False)
class Pairs:
    """Projected codes `[N, L, D]` of people at rest and smiling, their crops `[N, 3, R, R]` in [-1, 1], where
    the smiling photo has pixels `[N, 1, R, R]`, and its landmarks `[N, 68, 2]` in pixels of the crop.
    """

    still: Tensor
    smiling: Tensor
    crops_still: Tensor
    crops_smiling: Tensor
    valid: Tensor
    landmarks: Tensor

    def __len__(self) -> int:
        return len(self.still)


def pairs_of(faces: Faces) -> list[tuple[int, int]]:
    """Indices of the photos of a person at rest (`NNN_03`) and smiling (`NNN_08-smiling`)."""
    at = {
        (folder, photo): i for i, (folder, photo) in enumerate(zip(faces.folders, faces.photos, strict=True))
    }
    return [
        (i, at[folder, f"{photo[:3]}_08-smiling"])
        for (folder, photo), i in at.items()
        if photo.endswith("_03") and (folder, f"{photo[:3]}_08-smiling") in at
    ]


def smile(checkpoint: Checkpoint, pairs: Pairs, *, layers: int, steps: int = STEPS) -> Tensor:
    """The way `[layers, D]` from rest to a smile: the mean difference of the codes, then searched for through
    the generator, so that faces at rest come as near as they can to the smiling photographs.
    """
    size = checkpoint.generator.resolution
    where = torch.stack([face_weight(marks, size) for marks in pairs.landmarks]) * pairs.valid
    start = trimmed_mean(pairs.smiling - pairs.still)[:layers]
    return searched(checkpoint, start, pairs.still, pairs.crops_smiling, where, steps=steps)


def trimmed_mean(differences: Tensor) -> Tensor:
    """The mean `[L, D]` of differences `[N, L, D]` without those that lie farthest from it."""
    mean = differences.mean(0)
    for _ in range(5):
        apart = (differences - mean).flatten(1).norm(dim=1)
        kept = apart.argsort()[: max(1, round(len(differences) * (1 - TRIMMED)))]
        mean = differences[kept].mean(0)
    return mean


def searched(
    checkpoint: Checkpoint,
    start: Tensor,
    still: Tensor,
    crops: Tensor,
    where: Tensor,
    *,
    steps: int,
    seed: int = 0,
) -> Tensor:
    """The way near `start` `[K, D]`, in the first K layers, that takes pictures of the codes `still`
    `[N, L, D]` nearest to `crops` `[N, 3, R, R]`, compared under weights `where` `[N, 1, R, R]`.

    How much of it each person goes is searched for as well; the mean over people is 1.
    """
    generator, distance = checkpoint.generator, Pyramid(levels=4, squared=False)
    scale, layers = CodeSpace.of(checkpoint).scale, len(start)
    way = start.clone().requires_grad_(True)
    logs = torch.zeros(len(still), requires_grad=True)  # of the amounts
    rates = (RATE * scale, AMOUNT_RATE)
    optimiser = torch.optim.Adam([{"params": [way]}, {"params": [logs]}])
    rng = torch.Generator().manual_seed(seed)
    for step in range(steps):
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
        chosen = torch.randperm(len(still), generator=rng)[:BATCH]
        moved = still[chosen].clone()
        moved[:, :layers] += (logs - logs.mean()).exp()[chosen, None, None] * way
        apart = distance(generator.synthesis(moved), crops[chosen], where[chosen]).mean()
        loss = apart + NEAR * ((way - start) / scale).square().mean() + ALIKE * logs.square().mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    amounts = (logs - logs.mean()).exp().detach()
    return way.detach() * float(amounts.mean())


def face_weight(landmarks: Tensor | Sequence[Sequence[float]], size: int) -> Tensor:
    """`[1, size, size]`: 1 on the face within its landmarks `[68, 2]` in pixels, soft at the border."""
    hull = cv2.convexHull(np.asarray(landmarks, np.float32)).astype(np.int32)
    mask = np.zeros((size, size), np.float32)
    cv2.fillConvexPoly(mask, hull, 1.0)
    mask = cv2.dilate(mask, np.ones((5, 5)))
    return torch.from_numpy(cv2.GaussianBlur(mask, (0, 0), size / 64))[None]
