"""Feature maps around handles: where the generator is run, and how its features are sampled."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from checkpoints import Generator, TruncatedSynthesis
from checkpoints.windows import Plan


@dataclass(frozen=True)
class Maps:
    """Features around K handles.

    table `[N h w, C]`: the cells of N windows of `shape`; first `[K]`: the row in it where each handle's
    window begins; origin `[K, 2]`: where that is on the map of `size` x `size` cells, (x, y).
    held `[1, C, r, r]`: the coarser features that the mask term holds.
    """

    table: Tensor
    first: Tensor
    origin: Tensor
    shape: tuple[int, int]
    size: int
    held: Tensor | None = None

    @classmethod
    def whole(cls, features: Tensor, count: int = 1) -> "Maps":
        """Of features `[1, C, H, H]` that are there everywhere, for `count` handles."""
        size = features.shape[-1]
        plan = Plan(0, ((0, 0),), (size, size), (tuple(range(count)),), 0)
        return cls.of(features, plan, size)

    @classmethod
    def of(cls, windows: Tensor, plan: Plan, size: int, held: Tensor | None = None) -> "Maps":
        """Of windows `[N, C, h, w]` where the plan has them."""
        count = sum(map(len, plan.members))
        first, origin = np.zeros(count, np.int64), np.zeros((count, 2), np.int64)
        cells = plan.shape[0] * plan.shape[1]
        for number, members in enumerate(plan.members):
            first[list(members)] = number * cells
            origin[list(members)] = plan.origins[number][::-1]
        table = windows.permute(0, 2, 3, 1).reshape(-1, windows.shape[1])
        to = windows.device
        return cls(
            table, torch.from_numpy(first).to(to), torch.from_numpy(origin).to(to), plan.shape, size, held
        )

    def holds(self, points: Tensor) -> bool:
        """Whether the points `[K, M, 2]` of handle k lie in its window, for all k."""
        column, line = self._corner(points)[1].unbind(-1)
        inside = (column >= 0) & (column <= self.shape[1] - 2) & (line >= 0) & (line <= self.shape[0] - 2)
        return bool(inside.all())

    def sample(self, points: Tensor) -> Tensor:
        """Bilinear samples `[K, M, C]` at points `[K, M, 2]`, float32; the border's value outside of the map.

        `holds` must be true of the points.
        """
        shares, corner = self._corner(points)
        x, y = shares.unbind(-1)  # [K, M]
        column, line = corner.unbind(-1)
        column, line = column.clamp(0, self.shape[1] - 2), line.clamp(0, self.shape[0] - 2)
        row = self.first[:, None] + line * self.shape[1] + column
        weights = torch.stack([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x], -1)  # [K, M, 4]
        beside = torch.tensor([0, 1, self.shape[1], self.shape[1] + 1], device=row.device)
        rows = (row[..., None] + beside).reshape(-1)
        corners = self.table.index_select(0, rows).float().reshape(*weights.shape, -1)  # [K, M, 4, C]
        return torch.einsum("kmn,kmnc->kmc", weights, corners)

    def _corner(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """How far each point `[K, M, 2]` is beyond the centre of the cell above and left of it, 0 to 1, and
        that cell, counted from its window's first one.
        """
        places = (points - 0.5).clamp(0, self.size - 1)
        corner = places.detach().floor().clamp_max(self.size - 2)
        return places - corner, corner.long() - self.origin[:, None]


class Source:
    """Runs the generator no further than the supervised features, and there only around the handles.

    reach: how far from a handle features are sampled, in cells. hold: the resolution that the mask term sees.
    """

    def __init__(
        self,
        generator: Generator,
        latent: Tensor,
        *,
        cells: int,
        moving: int,
        reach: float,
        dtype: torch.dtype,
    ) -> None:
        self.synthesis = TruncatedSynthesis(generator, latent, upto=cells, moving=moving, dtype=dtype)
        self.cells, self.reach = cells, reach
        self.hold = held_resolution(cells)
        self._plan: tuple[tuple[int, bool], Plan] | None = None

    def __call__(self, latent: Tensor, handles: Tensor, *, hold: bool) -> Maps:
        """latent `[1, num_ws, w_dim]`, handles `[K, 2]` in cells, K > 0 -> features around the handles."""
        plan = self.plan(handles, hold=hold)
        features = self.synthesis(latent, plan, hold=self.hold if hold else None)
        return Maps.of(features.windows, plan, self.cells, features.held)

    def plan(self, handles: Tensor, *, hold: bool) -> Plan:
        """Windows around the handles: those of the last call, moved along, where they still do."""
        boxes = self._boxes(handles)
        key = (len(boxes), hold)
        kept = None
        if self._plan is not None and self._plan[0] == key:
            kept = self._plan[1].moved(boxes, self.cells)
        plan = kept or self.synthesis.plan(boxes, hold=self.hold if hold else 4)
        self._plan = key, plan
        return plan

    def held(self, latent: Tensor) -> Tensor:
        """The features `[1, C, r, r]` that the mask term compares with."""
        with torch.no_grad():
            plan = self.synthesis.plan(np.array([[0, 0, 1, 1]]), hold=self.hold)
            held = self.synthesis(latent, plan, hold=self.hold).held
        assert held is not None
        return held

    def _boxes(self, handles: Tensor) -> NDArray[np.int64]:
        """The cells that samples within reach of each handle touch, `[K, 4]`, all of one size."""
        points = handles.detach().cpu().numpy().astype(np.float64)[:, ::-1] - 0.5  # [K, 2], (y, x)
        side = min(math.ceil(2 * self.reach) + 2, self.cells)
        first = np.floor(points - self.reach).astype(np.int64).clip(0, self.cells - side)
        return np.concatenate([first, first + side], 1)


def held_resolution(cells: int) -> int:
    """The resolution at which the mask term holds features: 32 cells, where whole maps are still cheap.

    What a mask protects is coarser than a point, and what later blocks draw follows from these features.
    """
    return min(32, cells)
