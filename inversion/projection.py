"""Projection: crop -> latent, by optimising W+ at a fixed generator.

As in Abdal et al. 2019 (Image2StyleGAN, arXiv 1904.03189) and Karras et al. 2020 (arXiv 1912.04958, appendix
D), with the encoder's guess as the start, most steps on the generator's lower-resolution partial sums, and
the noise fixed.
"""

import math
from collections import deque
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from checkpoints import Checkpoint
from inversion.perceptual import PerceptualLoss, resize_valid, weighted_mean
from inversion.regularisers import CodeSpace
from inversion.settings import ProjectionSettings
from inversion.step import Step


@torch.no_grad()
def starting_latent(checkpoint: Checkpoint, crop: Tensor, label: Tensor | None = None) -> Tensor:
    """The encoder's guess for `crop` `[1, 3, R, R]` in [-1, 1], or the mean code, of `label` `[1, c_dim]`
    where
    there is one: `[1, num_ws, w_dim]`.
    """
    if checkpoint.encoder is not None:
        guess: Tensor = checkpoint.encoder(crop)
        return guess.clone()
    generator = checkpoint.generator
    mean = generator.w_avg if label is None else generator.mean_w(label)
    return mean.reshape(1, 1, -1).repeat(1, generator.num_ws, 1)


def project(
    checkpoint: Checkpoint,
    crop: Tensor,
    valid: Tensor,
    loss: PerceptualLoss,
    settings: ProjectionSettings,
    *,
    start: Tensor | None = None,
) -> Iterator[Step]:
    """Optimise W+ until the picture of the latent is like the crop.

    crop `[1, 3, R, R]` in [-1, 1]; valid `[1, 1, R, R]`, 1 where the photo has pixels. Yields a `Step` after
    every update; the last one holds the result. `start` defaults to `starting_latent`.
    """
    generator = checkpoint.generator
    codes = CodeSpace.of(checkpoint)
    latent = (starting_latent(checkpoint, crop) if start is None else start.clone()).requires_grad_(True)
    optimiser = torch.optim.Adam([latent], lr=settings.learning_rate * codes.scale, betas=(0.9, 0.95))
    coarse_steps = int(settings.steps * settings.coarse) if generator.resolution >= 64 else 0
    watch = Plateau(settings.plateau, settings.patience)
    best, best_loss = latent.detach().clone(), math.inf
    for index in range(1, settings.steps + 1):
        fine = index > coarse_steps
        resolution = generator.resolution if fine else generator.resolution // 2
        _set_rate(optimiser, settings.learning_rate * codes.scale * _ramp(index, settings.steps))
        optimiser.zero_grad(set_to_none=True)
        terms = _terms(checkpoint, latent, crop, valid, loss, settings, codes, resolution)
        total = torch.stack(list(terms.values())).sum()
        value = float(total.detach())
        if fine and value < best_loss:
            best, best_loss = latent.detach().clone(), value
        total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        stop = fine and watch.stalled(value)
        last = stop or index == settings.steps
        current = best if last and math.isfinite(best_loss) else latent.detach().clone()
        yield Step(
            "project", index, settings.steps, value, {k: float(v.detach()) for k, v in terms.items()}, current
        )
        if last:
            return


def _terms(
    checkpoint: Checkpoint,
    latent: Tensor,
    crop: Tensor,
    valid: Tensor,
    loss: PerceptualLoss,
    settings: ProjectionSettings,
    codes: CodeSpace,
    resolution: int,
) -> dict[str, Tensor]:
    """The weighted parts of the loss at one resolution."""
    image = checkpoint.generator.image_at(latent, resolution)
    if resolution != crop.shape[-1]:
        crop = F.adaptive_avg_pool2d(crop, resolution)
        valid = resize_valid(valid, (resolution, resolution))
    return {
        loss.name: loss(image, crop, valid),
        "l2": settings.l2 * weighted_mean((image - crop).square(), valid),
        "whitened": settings.whitened * codes.whitened(latent),
        "spread": settings.spread * codes.spread(latent),
    }


class Plateau:
    """Says when a falling series has stopped falling: less than `share` over `patience` values."""

    def __init__(self, share: float, patience: int) -> None:
        self.share = share
        self.values: deque[float] = deque(maxlen=max(patience, 2))

    def stalled(self, value: float) -> bool:
        """Take one more value; True when the newer half is not lower than the older half by `share`."""
        self.values.append(value)
        if len(self.values) < (self.values.maxlen or 0):
            return False
        half = len(self.values) // 2
        values = list(self.values)
        older, newer = sum(values[:half]) / half, sum(values[-half:]) / half
        return newer > older * (1 - self.share)


def _ramp(index: int, steps: int) -> float:
    """Learning-rate factor: up over the first 5 %, cosine down over the last 40 %."""
    done = index / max(steps, 1)
    up = min(1.0, done / 0.05)
    down = min(1.0, (1 - done) / 0.4)
    return up * (0.5 - 0.5 * math.cos(math.pi * max(down, 0.05)))


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate
