"""Going along motions that the generator knows, instead of down a slope.

A checkpoint may know ways of its codes along which a face moves in one manner, such as lips apart, whoever it
is (`Codes.motions`). A drag's slope sees the patches around the handles alone and wants them to look as they
did, so lips get thicker instead of parting. Along a motion they part. How far is for the handles to say, or
for whoever gives amounts.
"""

from dataclasses import replace

import torch
from torch import Tensor

from realedit.drag.maps import Source
from realedit.drag.settings import Lengths
from realedit.drag.state import Place, State
from realedit.drag.supervision import track

PROBE = (0.25, 0.5)  # of a motion: how much of it is tried to see where it leads
COST = 0.25  # square cells per handle: what a whole motion costs that brings no handle nearer
BEYOND = 1.2  # of a motion's range: how much farther than it was trained it is gone along
LEAST = 0.1  # cells: motions that take the handles less far are not gone along, unless amounts are given
FEWEST = 6  # steps, of motions with given amounts: handles tell little of how far the rest of a face goes


class Lead:
    """Goes along a mixture of `motions` `[M, num_ws, w_dim]`, each within its range `[M, 2]`. amounts `[M]`,
    on the CPU: how much of each, where that is not for the handles to say."""

    def __init__(
        self, source: Source, lengths: Lengths, motions: Tensor, ranges: Tensor, amounts: Tensor | None = None
    ) -> None:
        self.source, self.lengths, self.motions, self.ranges = source, lengths, motions, BEYOND * ranges.cpu()
        self.amounts = amounts
        self.units = (ranges.abs().amax(1) / 2).clamp_min(1.0)  # a motion in degrees is told by several
        self.forget()

    def forget(self) -> None:
        """Begin anew at the next step: the points are other ones."""
        self.start: Tensor | None = None  # latent
        self.count = self.gone = 0  # steps of equal length

    @property
    def over(self) -> bool:
        """Whether there is nothing left to go."""
        return self.start is not None and self.gone == self.count

    @torch.no_grad()
    def begin(self, state: State) -> None:
        """Look where each motion leads the handles, and how much of it they ask for."""
        self.start = state.place.latent
        probes = self.units[:, None, None] * self.motions
        leads = torch.stack([self._probe(state, each) for each in probes]) / self.units[:, None, None]
        given = self.amounts
        if given is None:
            amounts = mixture(leads, state.targets - state.place.handles, self.ranges)
        else:
            amounts = given.clamp(self.ranges[:, 0], self.ranges[:, 1])
        self.way = torch.einsum("m,mld->ld", amounts.to(self.motions), self.motions)
        self.moves = torch.einsum("m,mkc->kc", amounts, leads)  # [K, 2], cells
        farthest = float(self.moves.norm(dim=1).max())
        steps = int(-(-farthest // self.lengths.stride))
        self.count = max(FEWEST, steps) if given is not None else 0 if farthest < LEAST else steps

    @torch.no_grad()
    def step(self, state: State) -> State:
        """A step farther, no longer than handles should go in one."""
        assert self.start is not None
        self.gone += 1
        latent = self.start + self.gone / self.count * self.way
        handles = self._tracked(state, latent, state.place.handles + self.moves / self.count)
        return replace(state, place=Place(latent, handles))

    def _probe(self, state: State, motion: Tensor) -> Tensor:
        """Where a motion leads the handles, `[K, 2]` cells per whole motion."""
        handles = state.place.handles
        for share in PROBE:
            handles = self._tracked(state, state.place.latent + share * motion, handles)
        return (handles - state.place.handles) / PROBE[-1]

    def _tracked(self, state: State, latent: Tensor, around: Tensor) -> Tensor:
        """Where the handles are in the latent's picture, `[K, 2]` cells, on the CPU."""
        there = around.to(latent.device)
        maps = self.source(latent, there, hold=False)
        return track(maps, state.templates, there, r1=self.lengths.r1, r2=self.lengths.r2).cpu()


def mixture(leads: Tensor, missing: Tensor, ranges: Tensor) -> Tensor:
    """How much of each motion `[M]` brings the handles nearest, at little cost.

    leads `[M, K, 2]` and missing `[K, 2]` in cells; ranges `[M, 2]`. Of handles that have a way to go only
    what leads along it counts: on an edge, such as a lip's, the tracker slips sideways.
    """
    distance = missing.norm(dim=1, keepdim=True)
    along = missing / distance.clamp_min(1e-6)
    ways = (leads * along).sum(2)  # [M, K]
    ways = torch.cat([ways, (leads * (distance < LEAST)).flatten(1)], 1)  # what should stay counts all
    asked = torch.cat([distance[:, 0], missing.new_zeros(missing.numel())])
    bends = ways.square().sum(1) + COST * len(missing)
    amounts = ways.new_zeros(len(ways))
    for _ in range(20):  # coordinate descent
        for i, way in enumerate(ways):
            left = asked - amounts @ ways + amounts[i] * way
            amounts[i] = (way @ left / bends[i]).clamp(*ranges[i])
    return amounts
