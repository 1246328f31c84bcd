"""Steps down a loss's slope whose length is given.

DragGAN takes Adam, whose first steps move every number of the latent equally far, whether the points depend
on it or not; that changes a face more than the same way along the slope itself (docs/benchmarks/tried.md).
"""

import torch
from torch import Tensor

MOMENTUM = 0.5  # share of the step before in a step's direction


def unit_slope(gradient: Tensor) -> Tensor:
    """The gradient at a root mean square of one; 0 where it is 0."""
    length: Tensor = torch.linalg.vector_norm(gradient).clamp_min(1e-20)
    slope: Tensor = gradient * (gradient.numel() ** 0.5 / length)
    return slope


class Descent:
    """Moves `parameter` in place. rate: a step's root mean square per number."""

    def __init__(self, parameter: Tensor, rate: float) -> None:
        self.parameter, self.rate = parameter, rate
        self.direction: Tensor | None = None  # of the parameter's shape, root mean square about 1

    def turn(self, gradient: Tensor) -> None:
        """Take the direction against a gradient of the parameter's shape; where it is 0, towards 0."""
        slope = unit_slope(gradient)
        self.direction = slope if self.direction is None else self.direction.lerp(slope, 1 - MOMENTUM)

    @torch.no_grad()
    def go(self, share: float = 1.0) -> None:
        """Go `share` of a step in the direction taken; a negative one goes back."""
        if self.direction is not None:
            self.parameter.sub_(self.direction, alpha=self.rate * share)
