"""Feature maps around handles: where the generator is run, and how its features are sampled."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from checkpoints import Generator, TruncatedSynthesis
from checkpoints.local import Part
from checkpoints.truncated import Trace
from checkpoints.windows import Plan


@dataclass(frozen=True)
class Layout:
    """Where the windows of K handles are.

    first `[K]`: the row of the windows' table where each handle's window begins; origin `[K, 2]`: where that
    is on the map, (x, y). shape: of each window, also as extent `[2]`, (width, height); count: of windows.
    own: whether every handle has one to itself, in order.
    """

    first: Tensor
    origin: Tensor
    extent: Tensor
    shape: tuple[int, int]
    count: int
    own: bool

    @classmethod
    def of(cls, plan: Plan, device: torch.device) -> "Layout":
        """Of the plan's windows."""
        handles = sum(map(len, plan.members))
        first, origin = np.zeros(handles, np.int64), np.zeros((handles, 2), np.int64)
        cells = plan.shape[0] * plan.shape[1]
        for number, members in enumerate(plan.members):
            first[list(members)] = number * cells
            origin[list(members)] = plan.origins[number][::-1]
        own = plan.members == tuple((number,) for number in range(handles))
        extent = np.array(plan.shape[::-1], np.int64)
        first_there, origin_there, extent_there = (
            torch.from_numpy(each).to(device) for each in (first, origin, extent)
        )
        return cls(first_there, origin_there, extent_there, plan.shape, len(plan.origins), own)


@dataclass(frozen=True)
class Maps:
    """Features around K handles.

    table `[N h w, C]`: the cells of N windows, which lie on the map of `size` x `size` cells as `layout`
    says. held `[1, C, r, r]`: the coarser features that the mask term holds.
    """

    table: Tensor
    layout: Layout
    size: int
    held: Tensor | None = None

    @classmethod
    def whole(cls, features: Tensor, count: int = 1) -> "Maps":
        """Of features `[1, C, H, H]` that are there everywhere, for `count` handles."""
        size = features.shape[-1]
        plan = Plan(0, ((0, 0),), (size, size), (tuple(range(count)),), 0)
        return cls.of(features, Layout.of(plan, features.device), size)

    @classmethod
    def of(cls, windows: Tensor, layout: Layout, size: int, held: Tensor | None = None) -> "Maps":
        """Of windows `[N, C, h, w]` where the layout has them."""
        table = windows.permute(0, 2, 3, 1).reshape(-1, windows.shape[1])
        return cls(table, layout, size, held)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the windows."""
        return self.layout.shape

    @property
    def everywhere(self) -> bool:
        """Whether features are there of the whole map."""
        return self.shape == (self.size, self.size)

    def patches(self, points: Tensor, reach: float) -> "Patches":
        """The cells that samples within `reach` of points `[K, 2]` touch. Where each handle has a small
        window of its own, all of that.
        """
        side = min(math.ceil(2 * reach) + 2, *self.shape)
        layout = self.layout
        height, width = self.shape
        if layout.own and height == width <= 2 * side:
            cells = self.table.view(layout.count, height * width, -1).float()
            return Patches(cells, layout.origin.float(), height, self.size, None)
        line = torch.arange(side, device=points.device)
        base = (points - (0.5 + reach)).floor().long()  # [K, 2], (x, y)
        base = base.clamp(layout.origin, layout.origin + (layout.extent - side))
        x, y = (base - layout.origin).unbind(-1)
        rows = layout.first[:, None] + (y[:, None] + line) * width  # [K, B]
        rows = (rows[:, :, None] + (x[:, None] + line)[:, None]).reshape(-1)
        cells = self.table.index_select(0, rows).float().view(len(points), side * side, -1)
        return Patches(cells, base.float(), side, self.size, rows)

    def back(self, patches: "Patches", gradient: Tensor) -> Tensor:
        """The windows' gradient `[N, C, h, w]` from that of the cells of patches of them, `[K, B B, C]`."""
        height, width = self.shape
        if patches.rows is None:
            table = gradient.to(self.table.dtype)
        else:
            table = gradient.new_zeros(len(self.table), gradient.shape[-1])
            table.index_add_(0, patches.rows, gradient.flatten(0, 1))
            table = table.to(self.table.dtype)
        return table.view(self.layout.count, height, width, -1).permute(0, 3, 1, 2)

    def touched(self, points: Tensor) -> Part:
        """The parts of the windows that samples at points `[K, P, 2]` touch. Asks the device."""
        places = (points - 0.5).clamp(0, self.size - 1).cpu().numpy() - self.layout.origin[
            :, None
        ].cpu().numpy()
        number = self.layout.first.cpu().numpy() // (self.shape[0] * self.shape[1])
        low = np.full((self.layout.count, 2), max(self.shape), np.int64)
        high = np.zeros((self.layout.count, 2), np.int64)
        np.minimum.at(low, number, np.floor(places.min(1)).astype(np.int64))
        np.maximum.at(high, number, np.floor(places.max(1)).astype(np.int64) + 2)
        shape = np.minimum((high - low).max(0)[::-1], self.shape)
        origins = low[:, ::-1].clip(0, np.array(self.shape) - shape)
        return origins, (int(shape[0]), int(shape[1]))

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
        row = self.layout.first[:, None] + line * self.shape[1] + column
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
        return places - corner, corner.long() - self.layout.origin[:, None]


@dataclass(frozen=True)
class Patches:
    """Square patches of K maps' cells, `[K, B B, C]` float32, row by row, that begin at base `[K, 2]`.

    side: B. size: cells per side of the map. rows: of the windows' table; None where they are all of it.
    """

    cells: Tensor
    base: Tensor
    side: int
    size: int
    rows: Tensor | None

    def weights(self, points: Tensor) -> Tensor:
        """Bilinear weights `[K, M, B B]` of the cells for points `[K, M, 2]`, which must lie within; beyond
        the map's border those of its last cells.
        """
        line = torch.arange(self.side, device=points.device) + 0.5
        centres = self.base[:, None, :, None] + line  # [K, 1, 2, B]
        away = points.clamp(0.5, self.size - 0.5)[..., None] - centres  # [K, M, 2, B]
        x, y = (1 - away.abs_()).relu_().unbind(2)
        return (y[..., None] * x[:, :, None]).flatten(2)


@dataclass(frozen=True)
class Sight:
    """Features around the handles, and the run of the generator that they came from."""

    maps: Maps
    trace: Trace


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
        self.resident = latent.device.type == "cuda"  # whether steps are decided there
        self.whole = self.synthesis.plan() if self.resident else None
        self._plan: tuple[tuple[int, bool], Plan] | None = None
        self._layouts: dict[Plan, Layout] = {}
        self.kept: dict[object, object] = {}  # what was recorded for the device

    def __call__(self, latent: Tensor, handles: Tensor, *, hold: bool) -> Maps:
        """latent `[1, num_ws, w_dim]`, handles `[K, 2]` in cells, K > 0 -> features around the handles."""
        return self.look(latent, handles, hold=hold).maps

    def look(self, latent: Tensor, handles: Tensor, *, hold: bool) -> Sight:
        """The same, and what the way back needs; of the latent only the layers that move are looked at."""
        plan = self.plan(handles, hold=hold)
        trace = self.synthesis.run(latent, plan, hold=self.hold if hold else None)
        features = trace.features
        return Sight(Maps.of(features.windows, self._laid(plan), self.cells, features.held), trace)

    def _laid(self, plan: Plan) -> Layout:
        """The plan's layout. Recordings read it where it is, so that it stays as long as they may."""
        if plan not in self._layouts:
            if not self.resident:
                self._layouts.clear()
            self._layouts[plan] = Layout.of(plan, self.synthesis.const.device)
        return self._layouts[plan]

    def back(
        self,
        sight: Sight,
        gradient: Tensor,
        *,
        layers: int,
        held: Tensor | None = None,
        part: Part | None = None,
    ) -> Tensor:
        """The gradient `[1, layers, w_dim]` of the latent's first layers from that of the windows
        `[N, C, h, w]`, of which only `part` is not zero (None: all of it), and of what is held.
        """
        slope = self.synthesis.back(sight.trace, gradient, held=held, part=part)
        # layers that only what comes after the features has
        return slope if slope.shape[1] == layers else F.pad(slope, (0, 0, 0, layers - slope.shape[1]))

    def plan(self, handles: Tensor, *, hold: bool) -> Plan:
        """Windows around the handles: those of the last call, moved along, where they still do. On GPUs,
        which would wait for the answer and have nearly as much to do in windows, the whole map.
        """
        if self.whole is not None:
            members = (tuple(range(len(handles))),)
            return self.whole if self.whole.members == members else replace(self.whole, members=members)
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
