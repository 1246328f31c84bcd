"""A drag under way: one step of the latent after the other, and the best place so far."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from realedit.drag.descent import Descent
from realedit.drag.maps import Maps, Source
from realedit.drag.settings import MOVE, DragSettings, Lengths
from realedit.drag.state import Ending, Place, State
from realedit.drag.supervision import mask_loss, motion_loss, track

NEARER = 0.01  # cells: less is no better place
NEAR = 2.0  # cells: steps are shorter where the handles are nearer than this to their targets,
SHORTEST = 0.15  # down to this share
LAST = 4  # steps that a drag which is near enough waits for a nearer place
PROGRESS = 0.03  # of the distance that is left: less in `patience` steps is none


class Run:
    """Moves the first `layers` of a latent. rate: a step's length, in the latent's units."""

    def __init__(
        self,
        source: Source,
        settings: DragSettings,
        lengths: Lengths,
        latent: Tensor,
        *,
        layers: int,
        rate: float,
    ) -> None:
        self.source, self.settings, self.lengths, self.layers = source, settings, lengths, layers
        self.moving = latent[:, :layers].clone().requires_grad_(True)
        self.descent = Descent(self.moving, rate)
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

    def step(self, state: State) -> State:
        """One update of the latent, and where the handles are then.

        The generator runs once: the features that say where the handles are now are the ones the next update
        supervises.
        """
        if self.best is None:  # a drag never ends farther away than it began
            self._remember(state)
        state = self._updated(state, self.maps or self._features(state))
        maps = self._features(state)
        lengths, before = self.lengths, state.place.handles
        handles = track(maps, state.templates, before, r1=lengths.r1, r2=lengths.r2)
        self.maps = maps if float((handles - before).abs().max()) <= MOVE else None
        state = replace(state, place=replace(state.place, handles=handles))
        self._remember(state)
        self.index += 1
        return state

    def ending(self, state: State) -> Ending:
        """Whether that was the last step, and why."""
        if float(state.distances.max()) <= self.lengths.until:
            self.best = state.place
            return "arrived"
        if self.arrived and self.since_nearer >= LAST:
            return "arrived"
        if self.since_progress >= self.settings.patience or not np.isfinite(self.terms[0]):
            return "stalled"
        return "steps" if self.index >= self.settings.max_steps else "running"

    def _remember(self, state: State) -> None:
        distance, near = float(state.distances.mean()), float(state.distances.max()) <= self.lengths.enough
        if (not near, distance) < (not self.arrived, self.distance - NEARER):
            self.best, self.distance, self.arrived, self.since_nearer = state.place, distance, near, 0
        else:
            self.since_nearer += 1
        if distance < self.progress * (1 - PROGRESS):
            self.progress, self.since_progress = distance, 0
        else:
            self.since_progress += 1

    @torch.enable_grad()
    def _features(self, state: State) -> Maps:
        """Features of the current latent, with the gradient leading to its first layers."""
        latent = torch.cat([self.moving, state.place.latent[:, self.layers :]], 1)
        return self.source(latent, state.place.handles, hold=state.movable is not None)

    @torch.enable_grad()
    def _updated(self, state: State, maps: Maps) -> State:
        """After one step down the loss's slope."""
        lengths, handles = self.lengths, state.place.handles
        motion = motion_loss(
            maps, state.templates, handles, state.targets, r1=lengths.r1, shift=lengths.shift
        )
        loss, held = motion, motion.new_zeros(())
        if state.movable is not None and state.original is not None and maps.held is not None:
            held = mask_loss(maps.held, state.original, 1 - state.movable)
            loss = motion + self.settings.mask_weight * held
        (gradient,) = torch.autograd.grad(loss, self.moving)
        left = float(state.distances.mean())
        self.descent.step(gradient, min(1.0, max(SHORTEST, left / NEAR)))
        self.terms = (float(loss.detach()), float(motion.detach()), float(held.detach()))
        latent = torch.cat([self.moving.detach().clone(), state.place.latent[:, self.layers :]], 1)
        return replace(state, place=replace(state.place, latent=latent))
