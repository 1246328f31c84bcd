"""Pivotal tuning: the generator's weights move a little so that the pivot shows the crop.

Roich et al. 2021 (PTI, arXiv 2106.05744): eq. 2 for the reconstruction, eq. 4 and 5 for the locality
regularisation.
"""

import copy
from collections.abc import Generator as Steps

import torch
from torch import Tensor

from checkpoints import Checkpoint, Generator
from inversion.perceptual import PerceptualLoss, weighted_mean
from inversion.regularisers import CodeSpace
from inversion.settings import TuningSettings
from inversion.step import Step


def tuned_copy(generator: Generator) -> Generator:
    """A second generator with weights of its own, to be tuned; the first stays as it is."""
    return copy.deepcopy(generator)


def tunable(generator: Generator, first_resolution: int) -> dict[str, torch.nn.Parameter]:
    """The parameters tuning may move: the synthesis blocks from `first_resolution` on, by state-dict name."""
    chosen = {}
    for name, parameter in generator.named_parameters():
        if not name.startswith("synthesis_network."):
            continue
        block = next((part for part in name.split(".") if part[0] == "b" and part[1:].isdigit()), "b0")
        if int(block[1:]) >= first_resolution and "noise_strength" not in name:
            chosen[name] = parameter
    return chosen


def tune(
    checkpoint: Checkpoint,
    generator: Generator,
    pivot: Tensor,
    crop: Tensor,
    valid: Tensor,
    loss: PerceptualLoss,
    settings: TuningSettings,
    *,
    label: Tensor | None = None,
    seed: int = 0,
) -> Steps[Step, None, None]:
    """Tune `generator` (a `tuned_copy` of the checkpoint's) in place until the pivot's picture is like the
    crop.

    pivot `[1, num_ws, w_dim]`; crop `[1, 3, R, R]` in [-1, 1]; valid `[1, 1, R, R]`. Yields a `Step` per
    update. label `[1, c_dim]` where the generator is conditional. The weights are not trainable any more
    when the iterator ends or is closed.
    """
    parameters = tunable(generator, settings.first_resolution)
    for parameter in parameters.values():
        parameter.requires_grad_(True)
    optimiser = torch.optim.Adam(parameters.values(), lr=settings.learning_rate, betas=(0.9, 0.99))
    locality = _Locality(checkpoint, pivot, loss, settings, label, seed)
    try:
        for index in range(1, settings.steps + 1):
            _anneal(optimiser, settings, index)
            optimiser.zero_grad(set_to_none=True)
            image = generator.synthesis(pivot)
            perceptual = loss(image, crop, valid)
            terms = {loss.name: perceptual, "l2": settings.l2 * weighted_mean((image - crop).square(), valid)}
            if settings.locality and index % settings.locality_every == 0:
                terms["locality"] = settings.locality * locality(generator)
            total = torch.stack(list(terms.values())).sum()
            total.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            values = {name: float(term.detach()) for name, term in terms.items()}
            yield Step("tune", index, settings.steps, float(total.detach()), values, pivot)
            if float(perceptual.detach()) < settings.target:
                return
    finally:
        for parameter in parameters.values():
            parameter.requires_grad_(False)
            parameter.grad = None


class _Locality:
    """Eq. 4 and 5: codes near the pivot must look as they did before tuning."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        pivot: Tensor,
        loss: PerceptualLoss,
        settings: TuningSettings,
        label: Tensor | None,
        seed: int,
    ) -> None:
        self.checkpoint = checkpoint
        self.pivot = pivot
        self.loss = loss
        self.label = label
        self.radius = settings.locality_radius
        self.codes = CodeSpace.of(checkpoint)
        self.random = torch.Generator().manual_seed(seed)

    def __call__(self, generator: Generator) -> Tensor:
        original = self.checkpoint.generator
        z = torch.randn(1, original.z_dim, generator=self.random).to(self.pivot.device)
        with torch.no_grad():
            direction = original.mapping(z, self.label) - self.pivot  # [1, num_ws, w_dim]
            length = direction.norm(dim=-1, keepdim=True).clamp_min(1e-8)
            reach = self.radius * self.codes.scale * direction.shape[-1] ** 0.5
            near = self.pivot + direction / length * reach
            wanted = original.synthesis(near)
        image = generator.synthesis(near)
        everywhere = torch.ones_like(image[:, :1])
        return self.loss(image, wanted, everywhere) + (image - wanted).square().mean()


def _anneal(optimiser: torch.optim.Optimizer, settings: TuningSettings, index: int) -> None:
    """Linear fall to a tenth over the second half of the steps."""
    half = settings.steps / 2
    factor = 1.0 if index <= half else 1.0 - 0.9 * (index - half) / half
    for group in optimiser.param_groups:
        group["lr"] = settings.learning_rate * factor
