"""Our Adam is torch's, without what torch imports for it."""

import subprocess
import sys

import torch

from realedit.drag.adam import Adam


def test_it_steps_like_torchs() -> None:
    random = torch.Generator().manual_seed(0)
    start = torch.randn(1, 4, 8, generator=random)
    ours, theirs = start.clone().requires_grad_(True), start.clone().requires_grad_(True)
    one, other = Adam(ours, 0.01), torch.optim.Adam([theirs], lr=0.01)
    for _ in range(5):
        gradient = torch.randn(start.shape, generator=random)
        one.step(gradient)
        theirs.grad = gradient
        other.step()
        assert torch.equal(ours, theirs)


def test_a_first_drag_imports_no_compiler_and_no_network_of_others() -> None:
    script = """
import sys
import torch
from checkpoints.testing import random_checkpoint
from inversion import CodeSpace
from realedit.drag import DragSettings, Editor
checkpoint = random_checkpoint(64)
latent = checkpoint.generator.w_avg.repeat(1, checkpoint.generator.num_ws, 1)
editor = Editor(checkpoint.generator, latent, DragSettings(max_steps=1), CodeSpace.of(checkpoint))
editor.add([(20.0, 20.0)], [(30.0, 20.0)])
assert next(editor.steps()).index == 1
print(sorted({"torch._dynamo", "sympy", "torchvision", "lpips"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
