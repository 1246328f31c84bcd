"""Pivotal tuning: the generator's weights move a little so that the pivot shows the crop.

Roich et al. 2021 (PTI, arXiv 2106.05744): eq. 2 for the reconstruction, eq. 4 and 5 for the locality
regularisation. Here the fine blocks alone are tuned, so that the coarse ones, which decide the motion, run
once; and L-BFGS, in units that make the loss bend alike in all directions, takes the place of Adam. So the
loss must stay the same: the locality's codes are drawn once.
"""

import copy
import math
from collections import defaultdict
from collections.abc import Generator as Steps
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from checkpoints import Checkpoint, Generator
from checkpoints.layers import ModulatedConv
from inversion.conditioning import Moments, Units
from inversion.folded import Seen, folded_block
from inversion.journal import Journal
from inversion.likeness import Likeness
from inversion.perceptual import PerceptualLoss, resize_valid, weighted_mean
from inversion.regularisers import CodeSpace
from inversion.settings import Precision, TuningSettings
from inversion.step import Step
from inversion.synthesis import SEEN, chosen_dtype, run_blocks, seen_and_full
from inversion.weights import WeightSearch


def tuned_copy(generator: Generator) -> Generator:
    """A second generator with weights of its own, to be tuned; the first stays as it is."""
    return copy.deepcopy(generator)


def first_tuned(generator: Generator, settings: TuningSettings) -> int:
    """The first resolution that is tuned: the settings', but no less than the upper two blocks of a small
    generator."""
    return min(settings.first_resolution, min(generator.resolution, SEEN) // 2)


def tunable(generator: Generator, first: int, last: int) -> dict[str, Tensor]:
    """The weights tuning may move: the synthesis blocks of resolution `first` to `last`, by state-dict name.

    Not how strong the noise is, and not what makes styles: at one latent the convolutions' weights can do
    the same.
    """
    chosen: dict[str, Tensor] = {}
    for name, tensor in generator.named_parameters():
        network, _, rest = name.partition(".b")
        inside = network == "synthesis_network" and first <= int(rest.split(".")[0]) <= last
        if inside and not name.endswith(("noise_strength", "affine.weight", "affine.bias")):
            chosen[name] = tensor
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
    precision: Precision = "float32",
) -> Steps[Step, None, None]:
    """Tune `generator` (a `tuned_copy` of the checkpoint's) in place until the pivot's picture is like the
    crop.

    pivot `[1, num_ws, w_dim]`; crop `[1, 3, R, R]` in [-1, 1]; valid `[1, 1, R, R]`. Yields a `Step` per
    evaluation. label `[1, c_dim]` where the generator is conditional. Whenever the iterator ends or is
    closed, the generator has the best weights so far, and they are not trainable.
    """
    first = first_tuned(generator, settings)
    task = _Task(checkpoint, generator, pivot, crop, valid, loss, settings, label, seed, precision)
    index = 0
    for size, steps in seen_and_full(generator.resolution, settings.steps):
        if not steps:
            continue
        task.look_at(size)
        tensors = list(tunable(generator, first, size).values())
        units = task.units(tensors, settings.damping)
        for value, terms in _search(task, tensors, units, steps, settings):
            index += 1
            yield Step("tune", index, settings.steps, value, terms, pivot)
            if terms[loss.name] < settings.target:
                return


def _search(
    task: "_Task",
    tensors: Sequence[Tensor],
    units: Sequence[Units | None],
    steps: int,
    settings: TuningSettings,
) -> Steps[tuple[float, dict[str, float]], None, None]:
    """Move `tensors` in place, in their units; each step's loss and its parts."""
    search = WeightSearch(task, tensors, units, settings)
    fast = math.ceil(settings.fast * steps)  # steps whose activations have the fast dtype
    for tensor in tensors:
        tensor.requires_grad_(True)
    try:
        for is_fast, count in ((True, fast), (False, steps - fast)):
            if count <= 0:
                continue
            if task.set_fast(is_fast):
                search.again()
            # what was recorded has the dtype of its steps
            for numbers, _ in Journal(tensors[0].device).played(search.evaluate, count):
                yield numbers[-1], dict(zip(search.names, numbers, strict=False))
    finally:
        search.settle()
        for tensor in tensors:
            tensor.requires_grad_(False)


@dataclass(frozen=True)
class _Pair:
    """A latent `[1, num_ws, w_dim]`, what the blocks that are not tuned make of it (None where all are), and
    what its picture should be where `valid` is 1.
    """

    ws: Tensor
    start: tuple[Tensor, Tensor] | None
    target: Tensor
    valid: Tensor


class _Task:
    """The loss of the generator as its weights are now."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        generator: Generator,
        pivot: Tensor,
        crop: Tensor,
        valid: Tensor,
        loss: PerceptualLoss,
        settings: TuningSettings,
        label: Tensor | None,
        seed: int,
        precision: Precision,
    ) -> None:
        self.checkpoint, self.generator, self.loss, self.settings = checkpoint, generator, loss, settings
        self.fast, self.dtype = chosen_dtype(precision, pivot.device), torch.float32
        first = first_tuned(generator, settings)
        self.below = max((r for r in generator.channels if r < first), default=0)
        self.full = [_Pair(pivot, self._start(pivot), crop, valid)]
        self.size = generator.resolution
        if settings.locality and settings.steps:
            for code in _codes_near(checkpoint, pivot, settings, label, seed):
                start = self._start(code)
                with torch.no_grad():
                    wanted = self._image(code, start)
                self.full.append(_Pair(code, start, wanted, torch.ones_like(valid)))
        self.pairs = self.full

    def look_at(self, size: int) -> None:
        """Compare at `size` pixels from now on."""
        self.size = size
        self.pairs = [
            replace(
                each,
                target=F.adaptive_avg_pool2d(each.target, size),
                valid=resize_valid(each.valid, (size, size)),
            )
            for each in self.full
        ]
        pivot = self.pairs[0]
        self.likeness = (
            Likeness.to(self.checkpoint, pivot.target, pivot.valid, self.fast)
            if self.settings.likeness
            else None
        )

    @torch.no_grad()
    def _start(self, ws: Tensor) -> tuple[Tensor, Tensor] | None:
        """What the blocks that are not tuned make of `ws`, None where all are tuned."""
        if not self.below:
            return None
        return run_blocks(self.generator, ws, dtype=torch.float32, upto=self.below)

    def _image(self, ws: Tensor, start: tuple[Tensor, Tensor] | None, seen: Seen | None = None) -> Tensor:
        return run_blocks(
            self.generator, ws, dtype=self.dtype, upto=self.size, above=self.below, given=start,
            run=partial(folded_block, gradients=self.fast, seen=seen),
        )[1]  # fmt: skip

    @torch.no_grad()
    def units(self, tensors: Sequence[Tensor], damping: float) -> list[Units | None]:
        """The units of what is tuned, from what convolutions read now; None for what has none."""
        moments: dict[Tensor, Moments] = defaultdict(Moments)

        def see(layer: ModulatedConv, x: Tensor) -> None:
            moments[layer.weight].add(layer, x)

        for each in self.full:
            self._image(each.ws, each.start, see)
        return [moments[tensor].units(damping) if tensor in moments else None for tensor in tensors]

    def set_fast(self, fast: bool) -> bool:
        """Compute in the fast dtype, or in float32; True where that is another one than before."""
        before, self.dtype = self.dtype, self.fast if fast else torch.float32
        return self.dtype != before

    def terms(self) -> dict[str, Tensor]:
        """The weighted parts of the loss, scalars."""
        (pivot, *near) = self.pairs
        image = self._image(pivot.ws, pivot.start)
        terms = {
            self.loss.name: self.loss(image, pivot.target, pivot.valid).mean(),
            "l2": self.settings.l2 * weighted_mean((image - pivot.target).square(), pivot.valid).mean(),
        }
        if self.likeness is not None:
            terms["likeness"] = self.settings.likeness * self.likeness(image).mean()
        if near:
            drawn = ((self._image(each.ws, each.start), each) for each in near)
            far = [self.loss(image, each.target, each.valid).mean() for image, each in drawn]
            terms["locality"] = self.settings.locality * torch.stack(far).mean()
        return terms


@torch.no_grad()
def _codes_near(
    checkpoint: Checkpoint, pivot: Tensor, settings: TuningSettings, label: Tensor | None, seed: int
) -> list[Tensor]:
    """Eq. 4: codes at a fixed distance from the pivot, towards random ones, `[1, num_ws, w_dim]` each."""
    generator, random = checkpoint.generator, torch.Generator().manual_seed(seed)
    reach = settings.locality_radius * CodeSpace.of(checkpoint).scale * generator.w_dim**0.5
    codes = []
    for _ in range(settings.locality_codes):
        z = torch.randn(1, generator.z_dim, generator=random).to(pivot.device)
        direction = generator.mapping(z, label) - pivot  # [1, num_ws, w_dim]
        codes.append(pivot + direction * (reach / direction.norm(dim=-1, keepdim=True).clamp_min(1e-8)))
    return codes
