"""Steps have the length that is asked for, go down the slope, and remember where they went."""

import subprocess
import sys

import pytest
import torch

from realedit.drag.descent import MOMENTUM, Descent

START = torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e6])
@pytest.mark.parametrize("share", [1.0, 0.25])
def test_a_step_goes_against_the_gradient_as_far_as_asked(scale: float, share: float) -> None:
    at, gradient = START.clone(), START.flip(2) * scale
    descent = Descent(at, 0.01)
    descent.turn(gradient)
    descent.go(share)
    moved = at - START
    assert float(moved.square().mean().sqrt()) == pytest.approx(0.01 * share, rel=1e-3)
    assert torch.allclose(moved / moved.norm(), -gradient / gradient.norm(), atol=1e-3)


def test_half_of_a_step_is_the_one_before() -> None:
    at = torch.zeros(2)
    descent = Descent(at, 1.0)
    descent.turn(torch.tensor([3.0, 0.0]))
    descent.go()
    before = at.clone()
    descent.turn(torch.tensor([0.0, 5.0]))
    descent.go()
    assert torch.allclose(at - before, -(2**0.5) * torch.tensor([MOMENTUM, 1 - MOMENTUM]))


def test_nothing_moves_without_a_slope() -> None:
    at = START.clone()
    descent = Descent(at, 1.0)
    descent.go()
    descent.turn(torch.zeros_like(at))
    descent.go()
    assert torch.equal(at, START)


def test_a_step_can_be_taken_back() -> None:
    at = START.clone()
    descent = Descent(at, 0.1)
    descent.turn(START.flip(2))
    descent.go(0.5)
    descent.go(-0.25)
    moved = at - START
    assert float(moved.square().mean().sqrt()) == pytest.approx(0.025, rel=1e-3)
    descent.go(-0.25)
    assert torch.allclose(at, START, atol=1e-6)


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
