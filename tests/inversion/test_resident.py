"""The L-BFGS that asks the device for nothing finds what the other one finds."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from inversion.journal import Journal
from inversion.lbfgs import Lbfgs
from inversion.resident import ResidentLbfgs, search_from
from tests.asking import Unasked

RNG = torch.Generator().manual_seed(0)
BENDS = torch.logspace(-2, 1, 12)
START = torch.randn(3, 12, generator=RNG)


def _valley(x: Tensor) -> Tensor:
    """Narrow, curved, and with a wall where there is no loss."""
    found = (BENDS * x.square()).sum(1) + (x[:, 0] - x[:, 1].square()).square() + 0.1 * x[:, 2].pow(4)
    return torch.where(x.abs().amax(1) > 6, torch.nan, found)


def _played(
    kind: type[Lbfgs], steps: int, function: Callable[[Tensor], Tensor]
) -> tuple[list[Tensor], Lbfgs]:
    search = kind(START, history=5, first_fall=1.5)  # the first step is too long
    ways = []
    for index in range(steps):
        if index == steps // 2:
            search.again()
        x = search.trial.detach().clone().requires_grad_(True)
        loss = function(x)
        (gradient,) = torch.autograd.grad(loss.sum(), x)
        search.tell(loss.detach(), gradient)
        ways.append(search.best_loss.clone())
    return ways, search


@pytest.mark.parametrize("steps", [4, 16])
def test_its_steps_are_those_of_the_other(steps: int) -> None:
    """Its history of five pairs goes round."""
    (ours, resident), (theirs, plain) = (_played(kind, steps, _valley) for kind in (ResidentLbfgs, Lbfgs))
    for one, other in zip(ours, theirs, strict=True):
        assert torch.allclose(one, other, rtol=0.02, atol=1e-5)
    assert torch.allclose(resident.best, plain.best, atol=0.02)


def test_it_gets_where_it_should() -> None:
    assert float(_played(ResidentLbfgs, 60, _valley)[0][-1].max()) < 1e-3


def test_a_step_asks_for_nothing_and_stays_where_it_is() -> None:
    search = ResidentLbfgs(START, history=3)
    search.tell(_valley(START), START)
    held = ("best", "best_loss", "trial", "_gradient", "_direction", "_length", "_moves", "_bends", "_used")
    places = {name: getattr(search, name).data_ptr() for name in held}
    loss, gradient = _valley(search.trial), search.trial.clone()
    with Unasked():
        search.tell(loss, gradient)
        search.again()
    assert places == {name: getattr(search, name).data_ptr() for name in held}


def test_cpus_take_the_one_that_leaves_out_what_is_not_needed() -> None:
    assert type(search_from(START, history=3, first_fall=0.1)) is Lbfgs
    on_gpu = search_from(START.to("meta"), history=3, first_fall=0.1)
    assert type(on_gpu) is Lbfgs, "what records are NVIDIA's GPUs alone"


@pytest.mark.parametrize("many", [1, 4])
def test_a_journal_gives_every_step_once_however_many_are_made_at_a_time(many: int) -> None:
    journal, made = Journal(torch.device("cpu")), []
    journal.many = many

    def step(into: Journal) -> None:
        made.append(len(made))
        into.write(torch.tensor([float(len(made)), 7.0]), torch.full((2, 2), float(len(made))))

    found = list(journal.played(step, 10))
    assert len(made) == 10
    assert [numbers for numbers, _ in found] == [[float(i), 7.0] for i in range(1, 11)]
    assert [float(value[1, 1]) for _, value in found] == list(range(1, 11))
