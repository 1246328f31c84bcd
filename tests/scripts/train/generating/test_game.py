"""The game between the generator and those who tell its pictures from photos."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from train.generating.game import Game
from train.generating.losses import discriminator_loss, gradient_penalty
from train.generating.networks import Details, make
from train.generating.settings import Settings, Weights
from train.generating.trainer import Trainer

from tests.scripts.train.samples import CPU, SHAPE, trainer


def _game(runner: Trainer) -> Game:
    assert runner.game is not None
    return runner.game


def test_both_sides_move_and_both_regularisers_come_in_their_turn() -> None:
    runner = trainer(adversarial=True)
    before = [p.detach().clone() for p in _game(runner).players.parameters()]
    terms = runner.advance()
    expected = {"details", "adversarial", "details_told", "adversarial_told", "details_r1", "adversarial_r1"}
    assert {*expected, "path"} <= set(terms)
    assert all(np.isfinite(value) for value in terms.values())
    after = _game(runner).players.parameters()
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert not {"details_r1", "adversarial_r1", "path"} & set(runner.advance())


def test_samples_follow_the_codes_once_when_the_game_begins(capsys: pytest.CaptureFixture[str]) -> None:
    runner = trainer(adversarial=True)
    before = copy.deepcopy(runner.nets.generator.mapping_network.state_dict())
    runner.begin_game(mapping_steps=4)
    assert "energy distance to the codes" in capsys.readouterr().out
    after, averaged = (nets.generator.mapping_network.state_dict() for nets in (runner.nets, runner.averaged))
    assert not torch.equal(before["fc0.weight"], after["fc0.weight"])
    assert all(torch.equal(each, averaged[name]) for name, each in after.items())
    runner.advance()
    runner.begin_game(mapping_steps=4)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("weight", [0.0, 0.05])
def test_the_whole_is_judged_only_where_it_has_a_weight(weight: float) -> None:
    encoder = make(SHAPE, None, 0).encoder
    settings = Settings(weights=Weights(adversarial=weight), shape=SHAPE, dtype="float32")
    scores = Game(encoder, settings, CPU).scores(
        torch.rand(4, 3, 32, 32), torch.Generator().manual_seed(0), torch.float32
    )
    assert {name: tuple(each.shape) for name, each in scores.items()} == (
        {"details": (4, 64), "adversarial": (4, 1)} if weight else {"details": (4, 64)}
    )


def test_the_generators_part_counts_by_its_weights_and_does_not_teach_the_other_side() -> None:
    encoder = make(SHAPE, None, 0).encoder
    settings = Settings(weights=Weights(details=0.1), shape=SHAPE, dtype="float32")
    twice = dataclasses.replace(settings, weights=Weights(details=0.2))
    fakes = torch.rand(4, 3, 32, 32, requires_grad=True)
    one, two = (
        Game(encoder, each, CPU).losses(fakes, torch.Generator().manual_seed(0)) for each in (settings, twice)
    )
    assert float(two["details"].detach()) == pytest.approx(2 * float(one["details"].detach()))
    assert float(two["adversarial"].detach()) == pytest.approx(float(one["adversarial"].detach()))
    game = Game(encoder, settings, CPU)
    torch.stack(list(game.losses(fakes, torch.Generator()).values())).sum().backward()
    assert fakes.grad is not None and bool(fakes.grad.any())
    assert all(p.grad is None for p in game.players.parameters())


def test_details_learn_to_tell_soft_pictures_from_sharp_ones() -> None:
    torch.manual_seed(0)
    details = Details(width=8)
    optimiser = torch.optim.Adam(details.parameters(), lr=2e-3, betas=(0.0, 0.99))

    def pair(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        noise = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
        return noise, F.avg_pool2d(noise, 3, 1, 1)

    for step in range(30):
        sharp, soft = (details(each, torch.float32) for each in pair(step))
        optimiser.zero_grad()
        discriminator_loss(sharp, soft).backward()
        optimiser.step()
    with torch.no_grad():
        sharp, soft = (details(each, torch.float32) for each in pair(1000))
    assert float(sharp.mean()) > float(soft.mean()) + 2


def test_the_penalty_is_the_squared_slope_of_the_mean_score() -> None:
    pictures = torch.rand(2, 3, 4, 4, requires_grad=True)
    slopes = torch.tensor([1.0, 3.0])  # of two patches' scores
    scores = pictures.flatten(1).sum(1, keepdim=True) * slopes
    assert float(gradient_penalty(scores, pictures)) == pytest.approx(48 * 2.0**2)
