"""L-BFGS that asks the device for nothing, so that its steps can be recorded as a CUDA graph.

The same searches as `lbfgs.Lbfgs`: pairs lie in a ring whose newest row the device knows, what would be a
branch is a choice between two values, and the two loops, a hundred operations one after the other, are
replaced by the compact form of the same matrix (Byrd, Nocedal and Schnabel 1994, theorem 2.2).
"""

import torch
from torch import Tensor

from inversion.lbfgs import DECREASE, SHORTEST, Lbfgs, dot


class ResidentLbfgs(Lbfgs):
    """As `Lbfgs`. Everything it remembers stays where it is in memory."""

    def __init__(self, start: Tensor, *, history: int = 10, first_fall: float = 0.1) -> None:
        super().__init__(start, history=history, first_fall=first_fall)
        rows, size = start.shape
        # One row more than pairs: what is not to be kept is written there.
        self._moves = start.new_zeros(history + 1, rows, size)
        self._bends = start.new_zeros(history + 1, rows, size)
        self._used = torch.zeros(history + 1, rows, dtype=torch.bool, device=start.device)
        self._scales = start.new_zeros(history + 1, rows)
        self._next = torch.zeros(1, dtype=torch.int64, device=start.device)

    def tell(self, loss: Tensor, gradient: Tensor) -> None:
        """Losses `[N]` and gradients `[N, D]` at `trial`; makes the next `trial`."""
        slope = dot(self._gradient, self._direction)
        enough = self.best_loss + DECREASE * self._length * slope
        finite = torch.isfinite(loss) & torch.isfinite(gradient.sum(1))
        good = finite & ((loss <= enough) | self.best_loss.isinf())
        shorter = self._shorter(loss, slope)
        self._remember(good, gradient)
        self.best.copy_(torch.where(good[:, None], self.trial, self.best))
        self._gradient.copy_(torch.where(good[:, None], gradient, self._gradient))
        self.best_loss.copy_(torch.where(good, loss, self.best_loss))
        lost = ~good & (shorter < SHORTEST)
        self._used.copy_(self._used & ~lost)
        again = good | lost
        self._direction.copy_(torch.where(again[:, None], self._newton_direction(), self._direction))
        self._length.copy_(torch.where(again, torch.ones_like(shorter), shorter))
        self.trial.copy_(torch.addcmul(self.best, self._length[:, None], self._direction))

    def again(self) -> None:
        """The functions are other ones now, nearly the same: the best is asked for once more."""
        self.best_loss.fill_(torch.inf)
        self.trial.copy_(self.best)

    def _remember(self, good: Tensor, gradient: Tensor) -> None:
        good = good & self.best_loss.isfinite()
        move = self.trial - self.best
        bend = torch.where(good[:, None], gradient - self._gradient, torch.zeros_like(gradient))
        product, square = dot(move, bend), dot(bend, bend)
        curved = good & (product > 1e-10 * square)
        row = torch.where(curved.any(), self._next, self._history)
        chosen = curved[:, None]
        self._moves.index_copy_(0, row, torch.where(chosen, move, torch.zeros_like(move))[None])
        self._bends.index_copy_(0, row, torch.where(chosen, bend, torch.zeros_like(bend))[None])
        self._used.index_copy_(0, row, curved[None])
        self._scales.index_copy_(0, row, torch.where(curved, product / square, 0.0)[None])
        self._next.copy_(torch.where(curved.any(), (self._next + 1) % self._history, self._next))

    def _newton_direction(self) -> Tensor:
        """Minus the inverse Hessian's estimate times the gradient `[N, D]`."""
        count = self._history
        order = (self._next + torch.arange(count, device=self._next.device)) % count  # the oldest first
        moves, bends = (each[:count].transpose(0, 1) for each in (self._moves, self._bends))  # [N, H, D]
        used = self._used.index_select(0, order).t()  # [N, H]
        scale = self._newest(used, self._scales.index_select(0, order).t())[:, None]  # [N, 1]
        both = (used[:, :, None] & used[:, None]).double()

        def ordered(products: Tensor) -> Tensor:  # [N, H, H]
            return products.index_select(1, order).index_select(2, order).double() * both

        crossed = ordered(torch.bmm(moves, bends.mT))
        squared = ordered(torch.bmm(bends, bends.mT))
        along, across = (
            torch.bmm(each, self._gradient[:, :, None]).index_select(1, order).double() * used[:, :, None]
            for each in (moves, bends)
        )  # [N, H, 1]
        upper = crossed.triu() + torch.diag_embed((~used).double())
        of_bends = torch.linalg.solve_triangular(upper, along, upper=True)
        diagonal = crossed.diagonal(dim1=1, dim2=2)[:, :, None]
        wide = scale[:, :, None].double()
        inner = diagonal * of_bends + wide * (squared @ of_bends - across)
        of_moves = torch.linalg.solve_triangular(upper.mT, inner, upper=False)
        back = torch.argsort(order)  # from the order of time to that of the rows
        of_moves, of_bends = (
            (each * used[:, :, None]).to(scale.dtype).index_select(1, back) for each in (of_moves, of_bends)
        )
        found = torch.baddbmm(scale[:, :, None] * self._gradient[:, :, None], moves.mT, of_moves)
        found = found - scale[:, :, None] * torch.bmm(bends.mT, of_bends)
        return -found[:, :, 0]

    def _newest(self, used: Tensor, scales: Tensor) -> Tensor:
        """The Hessian's estimate before any pair: the newest pair's, or the first step's length `[N]`."""
        steepest = dot(self._gradient, self._gradient).clamp_min(1e-20)
        first = self._first_fall * self.best_loss.nan_to_num(posinf=0) / steepest
        number = torch.arange(1, used.shape[1] + 1, device=used.device) * used  # [N, H], 0: none
        newest = number.argmax(1, keepdim=True)
        return torch.where(used.any(1), scales.gather(1, newest)[:, 0], first)


def search_from(start: Tensor, *, history: int, first_fall: float) -> Lbfgs:
    """The L-BFGS for where the start is: on CPUs the one that asks and leaves out what is not needed."""
    kind = ResidentLbfgs if start.device.type == "cuda" else Lbfgs
    return kind(start, history=history, first_fall=first_fall)
