"""Projection: crop -> latent, by optimising W+ at a fixed generator.

As in Abdal et al. 2019 (Image2StyleGAN, arXiv 1904.03189) and Karras et al. 2020 (arXiv 1912.04958, appendix
D), with the encoder's guess as the start, the first steps on the generator's lower-resolution partial sums,
the noise fixed, and L-BFGS instead of Adam. A batch of pictures is searched for side by side.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from checkpoints import Checkpoint
from checkpoints.layers import ModulatedConv
from inversion.journal import Journal
from inversion.likeness import Likeness
from inversion.perceptual import PerceptualLoss, resize_valid, weighted_mean
from inversion.regularisers import CodeSpace
from inversion.resident import search_from
from inversion.settings import Precision, ProjectionSettings
from inversion.step import Step
from inversion.synthesis import chosen_dtype, run_blocks, seen_and_full


@torch.no_grad()
def starting_latent(checkpoint: Checkpoint, crop: Tensor, label: Tensor | None = None) -> Tensor:
    """The encoder's guess for `crop` `[N, 3, R, R]` in [-1, 1], or the mean code, of `label` `[1, c_dim]`
    where there is one: `[N, num_ws, w_dim]`.
    """
    if checkpoint.encoder is not None:
        guess: Tensor = checkpoint.encoder(crop)
        return guess.clone()
    generator = checkpoint.generator
    mean = generator.w_avg if label is None else generator.mean_w(label)
    return mean.reshape(1, 1, -1).repeat(len(crop), generator.num_ws, 1)


def project(
    checkpoint: Checkpoint,
    crop: Tensor,
    valid: Tensor,
    loss: PerceptualLoss,
    settings: ProjectionSettings,
    *,
    start: Tensor | None = None,
    precision: Precision = "float32",
) -> Iterator[Step]:
    """Optimise W+ until the picture of the latent is like the crop.

    crop `[N, 3, R, R]` in [-1, 1]; valid `[N, 1, R, R]`, 1 where the photo has pixels. Yields a `Step` after
    every evaluation, with the best latents so far; the last one holds the result. Every row ends where it
    would by itself. `start` defaults to `starting_latent`.
    """
    codes = CodeSpace.of(checkpoint)
    latent = starting_latent(checkpoint, crop) if start is None else start.clone()
    dtype = chosen_dtype(precision, crop.device)
    index = 0
    for resolution, steps in schedule(checkpoint.generator.resolution, settings):
        task = _Task(checkpoint, latent, crop, valid, loss, settings, codes, dtype, resolution)
        watches = [Plateau(settings.plateau, settings.patience) for _ in crop]
        searched = torch.ones(len(crop), dtype=torch.bool)  # rows that still get better
        for seen in task.steps(steps):
            index += 1
            latent = torch.where(searched.to(latent.device)[:, None, None], seen.best, latent)
            yield Step("project", index, settings.steps, seen.total, seen.terms, latent)
            stalled = [watch.stalled(each) for watch, each in zip(watches, seen.losses, strict=True)]
            searched &= ~torch.tensor(stalled)
            if not bool(searched.any()):
                break


@dataclass(frozen=True)
class _Seen:
    """One evaluation: the loss and its parts, of all rows the mean; the best latents `[N, num_ws, w_dim]` so
    far and their losses."""

    total: float
    terms: dict[str, float]
    best: Tensor
    losses: list[float]


class _Task:
    """The search at one resolution. What it reads and writes stays where it is in memory, so that on a GPU
    its steps are recorded once and replayed (`checkpoints.replay`), a few before anything is read.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        latent: Tensor,
        crop: Tensor,
        valid: Tensor,
        loss: PerceptualLoss,
        settings: ProjectionSettings,
        codes: CodeSpace,
        dtype: torch.dtype,
        resolution: int,
    ) -> None:
        self.generator, self.loss, self.settings, self.codes = checkpoint.generator, loss, settings, codes
        self.dtype, self.resolution, self.shape = dtype, resolution, latent.shape
        self.target = F.adaptive_avg_pool2d(crop, resolution)
        self.counts = resize_valid(valid, (resolution, resolution))
        self.likeness = (
            Likeness.to(checkpoint, self.target, self.counts, dtype) if settings.likeness else None
        )
        self.search = search_from(
            latent.flatten(1) / codes.scale, history=settings.history, first_fall=settings.first_fall
        )
        self.names: list[str] = []
        self.layers = [each for each in self.generator.modules() if isinstance(each, ModulatedConv)]
        self.held: list[object] = []

    def steps(self, count: int) -> Iterator[_Seen]:
        """`count` evaluations."""
        for report, best in Journal(self.target.device).played(self.evaluate, count):
            terms, losses = report[: len(self.names)], report[1 + len(self.names) :]
            named = dict(zip(self.names, terms, strict=True))
            yield _Seen(report[len(self.names)], named, best.reshape(self.shape), losses)

    def evaluate(self, journal: Journal) -> None:
        """One evaluation and what the search makes of it."""
        trial = (self.search.trial.reshape(self.shape) * self.codes.scale).requires_grad_(True)
        with torch.enable_grad():
            _, image = run_blocks(self.generator, trial, dtype=self.dtype, upto=self.resolution)
            terms = _terms(
                image, trial, self.target, self.counts, self.loss, self.likeness, self.settings, self.codes
            )
            each = torch.stack(list(terms.values()))  # [T, N]
            total = each.sum(0)
            (gradient,) = torch.autograd.grad(total.sum(), trial)
        self.names = list(terms)
        # a recording reads weights where they were prepared, whoever has them prepared anew meanwhile
        self.held = [layer.held for layer in self.layers]
        each, total = each.detach(), total.detach()
        self.search.tell(total, gradient.flatten(1) * self.codes.scale)
        report = torch.cat([each.mean(1), total.mean()[None], self.search.best_loss])
        journal.write(report, self.search.best * self.codes.scale)


def schedule(size: int, settings: ProjectionSettings) -> list[tuple[int, int]]:
    """Resolutions and their steps: half of what is looked at, what is looked at, and the full size."""
    (seen, fine), full = seen_and_full(size, settings.steps)
    coarse = int(settings.steps * settings.coarse) if seen >= 64 else 0
    parts = [(seen // 2, coarse), (seen, fine - coarse), full]
    return [(resolution, steps) for resolution, steps in parts if steps > 0]


def _terms(
    image: Tensor,
    latent: Tensor,
    crop: Tensor,
    valid: Tensor,
    loss: PerceptualLoss,
    likeness: Likeness | None,
    settings: ProjectionSettings,
    codes: CodeSpace,
) -> dict[str, Tensor]:
    """The weighted parts of the loss, `[N]` each."""
    terms = {
        loss.name: loss(image, crop, valid),
        "l2": settings.l2 * weighted_mean((image - crop).square(), valid),
        "whitened": settings.whitened * codes.whitened(latent),
        "spread": settings.spread * codes.spread(latent),
    }
    if likeness is not None:
        terms["likeness"] = settings.likeness * likeness(image)
    return terms


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
