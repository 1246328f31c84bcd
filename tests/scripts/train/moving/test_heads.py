"""Ways along which heads turn."""

import numpy as np
import pytest
import torch
from train.moving import heads
from train.moving.heads import in_degrees, limits_of, others, regressed, upright

from checkpoints.testing import random_checkpoint
from tests.scripts.train.samples import landmarks


def test_a_regression_holds_what_else_was_measured() -> None:
    rng = np.random.default_rng(0)
    turned, hair = rng.normal(size=(200, 2)) * (8, 5), rng.normal(size=(200, 3))
    hair[:, 0] += 0.1 * turned[:, 0]  # who looks to the right has more of it, by chance
    ways, manes = torch.randn(2, 4, 6), torch.randn(3, 4, 6)
    codes = torch.einsum("nw,wld->nld", torch.from_numpy(turned).float(), ways)
    codes += torch.einsum("nc,cld->nld", torch.from_numpy(hair).float(), manes) + 3
    found = regressed(codes, turned, hair)
    assert torch.allclose(found, ways, atol=1e-3)
    alone = regressed(codes, turned, np.zeros((200, 1)))
    assert (alone - ways).abs().max() > 0.05


def test_faces_are_measured_upright() -> None:
    own = np.stack([landmarks()] * 2).astype(float) * 100
    angle = np.radians(20)
    own[1] = own[1] @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) * 1.7
    straight, turned = upright(own)
    assert straight == pytest.approx(turned)
    crops = torch.zeros(2, 3, 32, 32)
    crops[1, :, :16, :4] = 1
    held = others(own, crops)
    assert held[0, :6] == pytest.approx(held[1, :6])
    assert (held[1] - held[0])[6:9] == pytest.approx([1, 1, 1]) and not held[1, 9:].any()


def test_a_way_is_given_in_the_degrees_that_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = random_checkpoint(32, channel_base=512, seed=1)
    generator = checkpoint.generator
    codes = torch.zeros(3, generator.num_ws, generator.w_dim)
    way = torch.zeros(4, generator.w_dim)
    way[0, 0] = 1.0
    drawn: list[float] = []

    def synthesis(ws: torch.Tensor) -> torch.Tensor:
        drawn[:] = [float(each[0, 0]) for each in ws]
        return torch.zeros(len(ws), 3, 8, 8)

    def look(_: object) -> tuple[tuple[float, float], np.ndarray]:
        amount = drawn.pop(0)
        return (min(0.5 * amount, 7.0), 0.0), np.full(128, 0.001 * abs(amount))

    monkeypatch.setattr(generator, "synthesis", synthesis)
    monkeypatch.setattr(heads, "look", look)
    found = in_degrees(checkpoint, "turn", 0, way, codes)
    assert float(found.way[0, 0]) == pytest.approx(2.0, rel=0.01), "half a degree each"
    assert found.limits == pytest.approx((-10, 10)), "beyond 7 degrees pictures do not follow well"
    assert max(found.measured) == pytest.approx(10) and max(found.measured.items())[1][0] == pytest.approx(7)


def test_a_way_goes_as_far_as_pictures_follow_and_show_the_same_person() -> None:
    assert limits_of({-10.0: (-9.0, 0.2), -5.0: (-5.0, 0.1), 5.0: (5.0, 0.1), 10.0: (3.0, 0.1)}) == (-10, 5)
    assert limits_of({-10.0: (-9.0, 0.6), 5.0: (5.0, 0.1), 30.0: (29.0, 0.4)}) == (0, 20)
