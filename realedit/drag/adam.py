"""Adam (Kingma and Ba 2015, arXiv 1412.6980, algorithm 1) for one tensor.

torch's own costs more than a second of a first drag: its constructor imports torch's whole compiler.
"""

import math

import torch
from torch import Tensor

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class Adam:
    """Moves `parameter`, which asks for gradients, in place."""

    def __init__(self, parameter: Tensor, rate: float) -> None:
        self.parameter = parameter
        self.rate = rate
        self.steps = 0
        self.mean = torch.zeros_like(parameter)
        self.square = torch.zeros_like(parameter)

    @torch.no_grad()
    def step(self, gradient: Tensor) -> None:
        """One step against the gradient, of the parameter's shape."""
        self.steps += 1
        first, second = BETAS
        self.mean.lerp_(gradient, 1 - first)
        self.square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        spread = (self.square.sqrt() / math.sqrt(1 - second**self.steps)).add_(EPSILON)
        self.parameter.addcdiv_(self.mean, spread, value=-self.rate / (1 - first**self.steps))
