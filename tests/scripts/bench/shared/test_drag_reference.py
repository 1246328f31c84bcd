"""The paper's loop: its quick form has the same numbers as the plain one, and both move handles."""

import pytest
import torch
from bench.shared.drag_reference import Reference

from checkpoints.testing import random_checkpoint

CHECKPOINT = random_checkpoint(32, seed=1, encoder=False)
LATENT = CHECKPOINT.generator.mapping(torch.randn(1, 32, generator=torch.Generator().manual_seed(2)))
HANDLES = torch.tensor([[10.0, 12.0], [20.0, 16.0], [16.0, 24.0]])


@pytest.mark.parametrize("masked", [False, True])
def test_the_quick_form_takes_the_same_steps(masked: bool) -> None:
    mask = torch.ones(32, 32)
    mask[:8] = 0
    found = []
    for plain in (True, False):
        loop = Reference(CHECKPOINT.generator, LATENT, mask if masked else None, plain=plain)
        steps = loop.drag(HANDLES, HANDLES + 3)
        places = [handles for _, (_, handles) in zip(range(6), steps, strict=False)]
        found.append((torch.stack(places), loop.moving.detach()))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.allclose(found[0][1], found[1][1], atol=1e-4)
    assert not torch.allclose(found[0][1], LATENT[:, : loop.layers], atol=1e-3)


def test_a_plain_step_draws_the_generators_picture() -> None:
    picture, _ = next(Reference(CHECKPOINT.generator, LATENT, None).drag(HANDLES, HANDLES + 3))
    assert torch.allclose(picture, CHECKPOINT.generator.synthesis(LATENT), atol=1e-4)
