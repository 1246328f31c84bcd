"""A drag under way: one step of the latent after the other, and the best place so far."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from realedit.drag.descent import Descent
from realedit.drag.maps import Maps, Source
from realedit.drag.motions import Lead
from realedit.drag.settings import DragSettings, Lengths
from realedit.drag.state import Ending, Place, State
from realedit.drag.supervision import mask_loss, motion_loss, supervised, track

NEARER = 0.01  # cells: less is no better place
NEAR = 2.0  # cells: steps are shorter where the handles are nearer than this to their targets,
SHORTEST = 0.15  # down to this share
LEAST = 1e-3  # share of a step: a shorter one is believed wherever it takes a handle
CHANGE = (0.5, 1.2)  # how much shorter or longer the handles' way makes the next step, at most
LAST = 4  # steps that a drag which is near enough waits for a nearer place
PROGRESS = 0.03  # of the distance that is left: less in `patience` steps is none


class Run:
    """Moves the first `layers` of a latent. rate: a step's length, in the latent's units. lead: what goes
    along motions instead, if it finds any that bring the handles nearer.
    """

    def __init__(
        self,
        source: Source,
        settings: DragSettings,
        lengths: Lengths,
        latent: Tensor,
        *,
        layers: int,
        rate: float,
        lead: Lead | None = None,
    ) -> None:
        self.source, self.settings, self.lengths, self.layers = source, settings, lengths, layers
        self.moving = latent[:, :layers].clone().requires_grad_(True)
        self.descent = Descent(self.moving, rate)
        self.lead = lead
        self.share = 1.0  # of a step: as much as takes no handle farther than it should go in one
        self.index = 0
        self.terms = (0.0, 0.0, 0.0)  # loss, motion, held
        self.forget()

    def forget(self) -> None:
        """What was best counts no more: the points or the mask are other ones."""
        self.best: Place | None = None
        self.distance = float("inf")
        self.arrived = False  # whether all handles are near enough there
        self.since_nearer = 0
        self.progress = float("inf")  # the distance at the last progress, and how many steps ago that was
        self.since_progress = 0
        self.maps: Maps | None = None  # features of the current latent, which the next update supervises
        if self.lead is not None:
            self.lead.forget()

    def step(self, state: State) -> State:
        """One update of the latent, and where the handles are then.

        The generator runs once: the features that say where the handles are now are the ones the next update
        supervises. Where a handle seems to have gone as far as it is searched it may be lost: back half of
        the way, and looked again.
        """
        if self.best is None:  # a drag never ends farther away than it began
            self._remember(state)
        if self.lead is not None:
            if self.lead.start is None:
                self.lead.begin(state)
            if not self.lead.over:
                return self._led(state, self.lead)
            self.lead = None  # which found nothing
        self.descent.turn(self._slope(state, self.maps or self._features(state)))
        near = min(1.0, max(SHORTEST, state.left / NEAR))
        self.descent.go(self.share * near)
        found, maps = self._tracked(state)
        while (moved := self._moved(state, found)) > self.lengths.rim and self.share > LEAST:
            self.share /= 2
            self.descent.go(-self.share * near)
            found, maps = self._tracked(state)
        self.share = min(1.0, self.share * float(np.clip(self.lengths.stride / max(moved, 1e-6), *CHANGE)))
        patches = supervised(found.place.handles, state.targets, r1=self.lengths.r1, shift=self.lengths.shift)
        self.maps = maps if all(map(maps.holds, patches)) else None
        self._remember(found)
        self.index += 1
        return found

    def _led(self, state: State, lead: Lead) -> State:
        """A step along the motions. They end where the handles asked them to, whatever the tracker makes of
        what came to light on the way; where amounts were given, that is where the handles should be."""
        found = lead.step(state)
        if lead.over and lead.amounts is not None:
            found = replace(found, targets=found.place.handles)
        with torch.no_grad():
            self.moving.copy_(found.place.latent[:, : self.layers])
        self.best = found.place
        self.index += 1
        return found

    def ending(self, state: State) -> Ending:
        """Whether that was the last step, and why."""
        if self.lead is not None and not self.lead.over:
            return "steps" if self.index >= self.settings.max_steps else "running"
        if self.lead is not None:
            return "arrived"
        if float(state.distances.max()) <= self.lengths.until:
            self.best = state.place
            return "arrived"
        stuck = self.since_progress >= self.settings.patience or not np.isfinite(self.terms[0])
        over = self.index >= self.settings.max_steps
        if self.arrived and (self.since_nearer >= LAST or stuck or over):
            return "arrived"
        if stuck:
            return "stalled"
        return "steps" if over else "running"

    def _remember(self, state: State) -> None:
        distance, near = state.left, float(state.distances.max()) <= self.lengths.enough
        if (not near, distance) < (not self.arrived, self.distance - NEARER):
            self.best, self.distance, self.arrived, self.since_nearer = state.place, distance, near, 0
        else:
            self.since_nearer += 1
        if distance < self.progress * (1 - PROGRESS):
            self.progress, self.since_progress = distance, 0
        else:
            self.since_progress += 1

    def _tracked(self, state: State) -> tuple[State, Maps]:
        """The latent as it is now, and where it has the handles; its features around where they were."""
        latent = torch.cat([self.moving.detach().clone(), state.place.latent[:, self.layers :]], 1)
        maps = self._features(state)
        handles = track(maps, state.templates, state.place.handles, r1=self.lengths.r1, r2=self.lengths.r2)
        return replace(state, place=replace(state.place, latent=latent, handles=handles)), maps

    @staticmethod
    def _moved(before: State, after: State) -> float:
        """The way in cells of the handle that went farthest."""
        return float((after.place.handles - before.place.handles).norm(dim=-1).max())

    @torch.enable_grad()
    def _features(self, state: State) -> Maps:
        """Features of the current latent, with the gradient leading to its first layers."""
        latent = torch.cat([self.moving, state.place.latent[:, self.layers :]], 1)
        return self.source(latent, state.place.handles, hold=state.movable is not None)

    @torch.enable_grad()
    def _slope(self, state: State, maps: Maps) -> Tensor:
        """The loss's gradient."""
        lengths, handles = self.lengths, state.place.handles
        motion = motion_loss(
            maps, state.templates, handles, state.targets, r1=lengths.r1, shift=lengths.shift
        )
        loss, held = motion, motion.new_zeros(())
        if state.movable is not None and state.original is not None and maps.held is not None:
            held = mask_loss(maps.held, state.original, 1 - state.movable)
            loss = motion + self.settings.mask_weight * held
        (gradient,) = torch.autograd.grad(loss, self.moving)
        self.terms = (float(loss.detach()), float(motion.detach()), float(held.detach()))
        return gradient
