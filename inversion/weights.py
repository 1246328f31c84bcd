"""Moving a generator's weights by L-BFGS, in units that make the loss bend alike in all directions."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from inversion.conditioning import Units
from inversion.journal import Journal
from inversion.lbfgs import Lbfgs
from inversion.resident import search_from
from inversion.settings import TuningSettings


class Task(Protocol):
    """The loss of the weights as they are now, by its parts."""

    def terms(self) -> dict[str, Tensor]: ...


class WeightSearch:
    """L-BFGS on `tensors`, in their units. On a GPU its steps ask for nothing, and stay where they are."""

    def __init__(
        self,
        task: Task,
        tensors: Sequence[Tensor],
        units: Sequence[Units | None],
        settings: TuningSettings,
    ) -> None:
        self.task, self.tensors, self.units, self.settings = task, tensors, units, settings
        self.base = [tensor.detach().clone() for tensor in tensors]
        self.names: list[str] = []
        self.scales: Tensor | None = None  # of each tensor
        self.search: Lbfgs | None = None

    def evaluate(self, journal: Journal) -> None:
        """One evaluation, and on to the next place."""
        with torch.enable_grad():
            terms = self.task.terms()
            each = torch.stack(list(terms.values()))
            total = each.sum(0)
            slopes = torch.autograd.grad(total, list(self.tensors))
        self.names = list(terms)
        gradients = [g if unit is None else unit(g) for g, unit in zip(slopes, self.units, strict=True)]
        if self.search is None or self.scales is None:
            self.scales = _scales(gradients)
            self.search = search_from(
                torch.zeros(1, sum(map(torch.numel, self.base)), device=total.device),
                history=self.settings.history,
                first_fall=self.settings.first_fall,
            )
        flat = torch.cat([(g * s).reshape(-1) for g, s in zip(gradients, self.scales, strict=True)])
        self.search.tell(total.detach()[None], flat[None])
        self._place(self.search.trial[0])
        report = torch.cat([each.detach(), total.detach()[None]])
        journal.write(report, total.detach())

    def again(self) -> None:
        """The loss is another one now, nearly the same."""
        if self.search is not None:
            self.search.again()
            self._place(self.search.trial[0])

    def settle(self) -> None:
        """Leave the best so far in the tensors."""
        if self.search is not None:
            self._place(self.search.best[0])

    @torch.no_grad()
    def _place(self, flat: Tensor) -> None:
        """Set every tensor to its base plus its part of the flat change `[D]`, which is in its units."""
        assert self.scales is not None
        parts = torch.split(flat, [tensor.numel() for tensor in self.tensors])
        everything = zip(self.tensors, self.base, self.units, self.scales, parts, strict=True)
        for tensor, start, unit, scale, part in everything:
            change = part.view(tensor.shape)
            tensor.copy_(start + scale * (change if unit is None else unit(change)))


def _scales(gradients: Sequence[Tensor]) -> Tensor:
    """Units for the tensors, their geometric mean one: what has a large gradient, or many elements that move
    together, gets small ones. `[number of tensors]`.

    Units that give every element the same gradient let the many weights of the coarse blocks overshoot; units
    that give every tensor the same gradient hold them back too much (docs/benchmarks/tried.md). These lie
    between.
    """
    sizes = torch.stack([g.square().mean().sqrt() * g.numel() ** 0.25 for g in gradients])
    used = sizes > 0
    logs = torch.where(used, sizes.clamp_min(1e-30).log(), 0.0)
    typical = (logs.sum() / used.sum().clamp_min(1)).exp()
    return torch.where(used, typical / sizes.clamp_min(1e-30), torch.zeros_like(sizes))
