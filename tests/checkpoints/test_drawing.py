"""Pictures drawn many times are the generator's own."""

import pytest
import torch

from checkpoints import Drawer
from checkpoints.testing import random_checkpoint


@pytest.mark.parametrize("moving", [1, 4, 8])
def test_a_drawer_draws_what_the_generator_draws(moving: int) -> None:
    generator = random_checkpoint(32).generator
    ws = torch.randn(1, generator.num_ws, generator.w_dim)
    drawer = Drawer(generator, ws, moving=moving)
    with torch.no_grad():
        for _ in range(2):
            ws = ws.clone()
            ws[:, :moving] += torch.randn(1, moving, generator.w_dim)
            wanted = generator.synthesis_network(ws, noise="none")
            assert torch.allclose(drawer(ws), wanted, atol=1e-4)
