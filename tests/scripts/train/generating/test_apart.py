"""Samples keep away from people."""

import pytest
import torch
from train.faces.recogniser import Recogniser
from train.faces.source import Source
from train.generating import apart
from train.generating.apart import descriptors, keep_away, nearest_strangers
from train.generating.prior import codes_of

from tests.scripts.train.samples import CPU, faces, trainer


def test_people_are_compared_with_others_and_not_with_other_pictures_of_themselves() -> None:
    people = torch.tensor([[0.0, 0.0], [0.1, 0.0], [3.0, 4.0], [0.0, 2.0]])
    found = nearest_strangers(people, ["a", "a", "b", "c"])
    torch.testing.assert_close(found, torch.tensor([2.0, (0.01 + 4.0) ** 0.5, 13**0.5, 2.0]))


def test_descriptors_are_those_of_each_picture() -> None:
    source = Source.of(faces(), held_out=False, device=CPU)
    found, chip = descriptors(source, Recogniser().eval(), 32, torch.float32)
    assert found.shape == (len(source), 128) and chip.shape == (1, 2, 3)
    assert float(torch.pdist(found).min()) > 1e-4


def test_the_mapping_network_alone_learns_and_more_samples_are_far_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runner = trainer()
    nets, source = runner.nets, runner.source
    codes = codes_of(nets, source, torch.float32).mean(1)
    nets.generator.mapping_network.w_avg.copy_(codes.mean(0))
    monkeypatch.setattr(apart, "MARGIN", 1.0)  # all samples are too near to somebody
    monkeypatch.setattr(apart, "HOLD", 0.0)
    before = {name: tensor.clone() for name, tensor in nets.state_dict().items()}
    names = [str(i) for i in range(len(source))]

    def nearest() -> float:
        people, chip = descriptors(source, runner.recogniser, 32, torch.float32)
        z = torch.randn(16, nets.generator.z_dim, generator=torch.Generator().manual_seed(5))
        with torch.no_grad():
            pictures = nets.generator.synthesis(nets.generator.mapping(z, truncation=apart.PSI))
            chips = apart.chips_of(pictures, chip.expand(16, -1, -1), apart.CHIP)
            return float(torch.cdist(runner.recogniser(chips)[0], people).amin(1).mean())

    first = nearest()
    shares = keep_away(nets, source, names, codes, steps=12, batch=4, dtype=torch.float32)
    assert all(0 <= share <= 1 for share in shares)
    assert nearest() > first + 1e-4
    changed = {name for name, tensor in nets.state_dict().items() if not torch.equal(before[name], tensor)}
    assert changed and all(name.startswith("generator.mapping_network.fc") for name in changed)
