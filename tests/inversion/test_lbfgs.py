"""L-BFGS over rows: it finds minima, rows do not know of each other, and nonsense is stepped back from."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from inversion.lbfgs import Lbfgs


def _rosenbrock(x: Tensor) -> Tensor:
    """A curved valley with its floor at ones: [N, D] -> [N]."""
    return (100 * (x[:, 1::2] - x[:, ::2] ** 2) ** 2 + (1 - x[:, ::2]) ** 2).sum(1)


def _minimise(start: Tensor, steps: int, function: Callable[[Tensor], Tensor] = _rosenbrock) -> Lbfgs:
    search = Lbfgs(start, history=50)
    for _ in range(steps):
        trial = search.trial.clone().requires_grad_(True)
        loss = function(trial)
        (gradient,) = torch.autograd.grad(loss.sum(), trial)
        search.tell(loss.detach(), gradient)
    return search


def _start(rows: int = 3) -> Tensor:
    return torch.randn(rows, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_the_floor_of_a_curved_valley_is_found() -> None:
    found = _minimise(_start(), 150)
    assert torch.allclose(found.best, torch.ones_like(found.best), atol=1e-3)
    assert float(found.best_loss.max()) < 1e-6


def test_rows_are_minimised_each_on_its_own() -> None:
    together = _minimise(_start(), 30).best
    for row in range(3):
        assert torch.allclose(_minimise(_start()[row : row + 1], 30).best[0], together[row])


def test_the_best_never_gets_worse_and_belongs_to_its_loss() -> None:
    losses = [_minimise(_start(), steps).best_loss for steps in range(1, 25)]
    assert all(bool((later <= earlier).all()) for earlier, later in itertools.pairwise(losses))
    found = _minimise(_start(), 24)
    assert torch.equal(_rosenbrock(found.best), found.best_loss)


def test_places_without_a_loss_are_stepped_back_from() -> None:
    def walled(x: Tensor) -> Tensor:  # no number beyond 2
        return torch.where(
            x.max(1).values > 2, torch.full_like(x[:, 0], torch.nan), (x - 1.9).square().sum(1)
        )

    found = _minimise(torch.zeros(1, 4, dtype=torch.float64), 40, walled)
    assert bool(found.best.isfinite().all()) and float(found.best_loss) < 1e-6


def test_a_flat_function_stays_where_it_is() -> None:
    found = _minimise(torch.ones(1, 4), 5, lambda x: (x * 0).sum(1))
    assert torch.equal(found.best, torch.ones(1, 4))
