"""Limited-memory BFGS with one evaluation per step, for several independent rows at once.

Nocedal and Wright, Numerical Optimization, 2nd edition, algorithms 7.4 (two loops) and 3.1 (backtracking).
The inversion's losses are smooth and the same at every step, which is where a quasi-Newton method needs far
fewer steps than Adam (docs/benchmarks/tried.md).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

DECREASE = 1e-4  # sufficient decrease, the book's c1
SHORTEST = 1e-3  # of the full step; below it the curvature is forgotten
NARROWEST, WIDEST = 0.1, 0.5  # by how much a rejected step is shortened


@dataclass
class _Pair:
    """A change of place and of gradient `[N, D]`, one over their products (0: not used), and the curvature's
    inverse along them `[N]`.
    """

    move: Tensor
    bend: Tensor
    inverse: Tensor
    scale: Tensor


class Lbfgs:
    """Minimises N functions of D variables side by side.

    Ask for `trial` `[N, D]`, evaluate losses `[N]` and gradients `[N, D]` there, and `tell` them; `best` and
    `best_loss` are the best so far. first_fall: share of the (positive) loss that the first step would take
    away if the loss were linear, which makes it right whatever the variables' number and units.
    """

    def __init__(self, start: Tensor, *, history: int = 10, first_fall: float = 0.1) -> None:
        self.best = start.clone()
        self.best_loss = start.new_full((len(start),), torch.inf)
        self.trial = start.clone()
        self._history = history
        self._first_fall = first_fall
        self._pairs: list[_Pair] = []
        self._gradient = torch.zeros_like(start)
        self._direction = torch.zeros_like(start)
        self._length = start.new_ones(len(start))

    def tell(self, loss: Tensor, gradient: Tensor) -> None:
        """Losses `[N]` and gradients `[N, D]` at `trial`; makes the next `trial`."""
        slope = dot(self._gradient, self._direction)  # [N], at the best, along the step
        enough = self.best_loss + DECREASE * self._length * slope
        finite = torch.isfinite(loss) & torch.isfinite(gradient.sum(1))
        good = finite & ((loss <= enough) | self.best_loss.isinf())
        shorter = self._shorter(loss, slope)
        self._remember(good, gradient)
        self.best = _chosen(good, self.trial, self.best)
        self._gradient = _chosen(good, gradient, self._gradient)
        self.best_loss = torch.where(good, loss, self.best_loss)
        lost = ~good & (shorter < SHORTEST)  # the curvature misleads: start again from the gradient
        for pair in self._pairs if bool(lost.any()) else ():
            pair.inverse = torch.where(lost, torch.zeros_like(pair.inverse), pair.inverse)
        again = good | lost
        if bool(again.any()):
            self._direction = _chosen(again, self._newton_direction(), self._direction)
        self._length = torch.where(again, torch.ones_like(shorter), shorter)
        self.trial = torch.addcmul(self.best, self._length[:, None], self._direction)

    def again(self) -> None:
        """The functions are other ones now, nearly the same: the best is asked for once more."""
        self.best_loss = torch.full_like(self.best_loss, torch.inf)
        self.trial = self.best.clone()

    def _shorter(self, loss: Tensor, slope: Tensor) -> Tensor:
        """The lowest point of the parabola through the losses and the slope, within bounds `[N]`."""
        bend = loss - self.best_loss - self._length * slope
        lowest = -slope * self._length / (2 * bend)
        return self._length * lowest.nan_to_num(NARROWEST).clamp(NARROWEST, WIDEST)

    def _remember(self, good: Tensor, gradient: Tensor) -> None:
        if not bool((good & self.best_loss.isfinite()).any()):
            return
        move, bend = self.trial - self.best, gradient - self._gradient
        if not bool(good.all()):
            bend = torch.where(good[:, None], bend, torch.zeros_like(bend))
        product = dot(move, bend)
        curved = good & self.best_loss.isfinite() & (product > 1e-10 * dot(bend, bend))
        if not bool(curved.any()):
            return
        inverse = torch.where(curved, 1 / product.clamp_min(1e-30), torch.zeros_like(product))
        self._pairs.append(_Pair(move, bend, inverse, torch.where(curved, product / dot(bend, bend), 0)))
        del self._pairs[: -self._history]

    def _newton_direction(self) -> Tensor:
        """Minus the inverse Hessian's estimate times the gradient `[N, D]`."""
        direction = -self._gradient
        factors = []
        for pair in reversed(self._pairs):
            factor = pair.inverse * dot(pair.move, direction)
            direction.addcmul_(factor[:, None], pair.bend, value=-1)
            factors.append(factor)
        direction.mul_(self._scale()[:, None])
        for pair, factor in zip(self._pairs, reversed(factors), strict=True):
            back = pair.inverse * dot(pair.bend, direction)
            direction.addcmul_((factor - back)[:, None], pair.move)
        return direction

    def _scale(self) -> Tensor:
        """The Hessian's estimate before any pair: the newest pair's, or the first step's length `[N]`."""
        steepest = dot(self._gradient, self._gradient).clamp_min(1e-20)
        scale = self._first_fall * self.best_loss.nan_to_num(posinf=0) / steepest
        for pair in self._pairs:
            scale = torch.where(pair.inverse > 0, pair.scale, scale)
        return scale


def dot(one: Tensor, other: Tensor) -> Tensor:
    """The products of the rows `[N, D]` of one and other: `[N]`."""
    products: Tensor = torch.linalg.vecdot(one, other)  # [N, D] -> [N]
    return products


def _chosen(rows: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """`new` in the rows where it is chosen."""
    return new if bool(rows.all()) else torch.where(rows[:, None], new, old)
