"""The states of a session: after each drag, also of those that were undone, from one inversion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from realedit.api.pasting import Parted, certainty_of
from realedit.sessions.pictures import device_of, generator_of, latents_of

if TYPE_CHECKING:
    from alignment.certainty import Certainty
    from checkpoints import Checkpoint
    from realedit.drag import DragStep
    from realedit.photos import Photo as Content
    from realedit.recipes import Use
    from realedit.sessions.session import Session as State


class History:
    """Where a session is among its states. The generator is tuned to the photo once, not for every drag."""

    def __init__(
        self,
        states: Sequence[State],
        checkpoint: Checkpoint,
        steps: Sequence[Sequence[DragStep]] = (),
        uses: Sequence[Sequence[Use | None]] = (),
    ) -> None:
        """states: from nothing dragged on. steps: of the drag that led to each, none to the first. uses: the
        recipes that the drags of each state came from, None for points."""
        self.states = list(states)
        self.steps = [tuple(each) for each in steps] or [()] * len(self.states)
        self.uses = [tuple(each) for each in uses] or [(None,) * len(each.history) for each in states]
        self.at = len(self.states) - 1
        self._loaded = checkpoint
        self._certainty: Certainty | None = None

    @property
    def now(self) -> State:
        """The state that counts."""
        return self.states[self.at]

    @property
    def plain(self) -> State:
        """The same for `checkpoint`, whose generator is tuned already."""
        return replace(self.now, tuning={})

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The model with its generator tuned to the photo."""
        return replace(self._loaded, generator=generator_of(self.states[0], self._loaded))

    def tuned(self, state: State) -> State:
        """A state that was computed from `plain`, as it is kept."""
        return replace(state, tuning=self.states[0].tuning)

    def add(self, state: State, steps: Sequence[DragStep], use: Use | None) -> None:
        """What comes after the state that counts, by points or by a recipe; what was undone is gone."""
        for each in (self.states, self.steps, self.uses):
            del each[self.at + 1 :]
        self.states.append(state)
        self.steps.append(tuple(steps))
        self.uses.append((*self.uses[self.at], use))
        self.at += 1

    def go(self, at: int) -> bool:
        """Whether there is such a state, which counts from now on."""
        if not 0 <= at < len(self.states) or at == self.at:
            return False
        self.at = at
        return True

    def clear(self) -> None:
        """Forget all but the state that counts."""
        self.states, self.steps, self.uses = [self.now], [self.steps[self.at]], [self.uses[self.at]]
        self.at = 0
        self.__dict__.pop("checkpoint", None)

    def carried(self, other: History) -> History:
        """The other's states from this inversion: as far from its pivot as they were from theirs."""
        first = self.states[0].from_start()
        pivot, old = latents_of(first)[0], latents_of(other.states[0])[0]
        shift = pivot - old
        states = [
            replace(first, history=each.history, masks=each.masks, current=latents_of(each)[1] + shift)
            for each in other.states
        ]
        steps = [
            [replace(step, latent=step.latent + shift.to(step.latent.device)) for step in each]
            for each in other.steps
        ]
        moved = History(states, self._loaded, steps, other.uses)
        moved.at = other.at
        return moved

    @torch.no_grad()
    def drawn(self, state: State, resolution: int | None) -> NDArray[np.uint8]:
        """The generator's picture of a state's latent, `[r, r, 3]` sRGB."""
        generator = self.checkpoint.generator
        sizes = [size for size in generator.channels if resolution is None or size <= resolution]
        latent = latents_of(state)[1].to(device_of(self.checkpoint))
        image = generator.image_at(latent, max(sizes, default=min(generator.channels)))[0]
        levels = image.clamp(-1, 1).mul(127.5).add(128).clamp(0, 255).to(torch.uint8)
        pixels: NDArray[np.uint8] = levels.permute(1, 2, 0).cpu().numpy()
        return pixels

    def parts(self) -> Parted:
        """The state that counts, for the paste: with the tuned generator, as it is kept, and its steps."""
        steps = tuple(step for each in self.steps[: self.at + 1] for step in each)
        return Parted(
            self.plain, self.checkpoint, self.now, self._loaded, steps, self.uses[self.at], self._sure
        )

    def _sure(self, photo: Content) -> Certainty | None:
        """How sure the face is, looked at once."""
        if self._certainty is None:
            self._certainty = certainty_of(photo, self.now)
        return self._certainty
