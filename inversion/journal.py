"""What steps report, read when it suits the device: after each on a CPU, after several on a GPU."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from checkpoints.replay import Replay

AT_ONCE = 8  # steps of a GPU between two answers


class Journal:
    """Numbers and a tensor of every step. `played` makes the steps, which `write` one entry each."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.many = AT_ONCE if device.type == "cuda" else 1
        self.row = torch.zeros(1, dtype=torch.int64, device=device)
        self._kept: tuple[Tensor, Tensor] | None = None  # numbers and tensors, [many, ...]

    @torch.no_grad()
    def write(self, numbers: Tensor, value: Tensor) -> None:
        """An entry: numbers `[R]` and a tensor, both of the same shapes in every step."""
        if self._kept is None:
            self._kept = (
                numbers.new_zeros(self.many, *numbers.shape),
                value.new_zeros(self.many, *value.shape),
            )
        for kept, new in zip(self._kept, (numbers, value), strict=True):
            kept.index_copy_(0, self.row, new[None])
        self.row.add_(1)

    def played(self, step: Callable[["Journal"], None], count: int) -> Iterator[tuple[list[float], Tensor]]:
        """`count` steps, recorded where the device can; the entry of each. Whoever stops asking leaves up to
        `AT_ONCE` steps behind that were made already.
        """
        replay = Replay(partial(step, self), self.device)
        while count > 0:
            part = min(count, self.many)
            self.row.zero_()
            for _ in range(part):
                replay()
            assert self._kept is not None, "a step wrote nothing"
            numbers, values = self._kept[0].tolist(), self._kept[1].clone()
            yield from zip(numbers[:part], values[:part], strict=True)
            count -= part
