"""The states of a session: after each drag, also of those that were undone, from one inversion."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from realedit.api.pasting import Parted, certainty_of
from realedit.compare.timelapse import Recorder
from realedit.drag import keep_going
from realedit.editing import stages
from realedit.errors import SessionError
from realedit.sessions import session as kept
from realedit.sessions.pictures import device_of, generator_of, latents_of

if TYPE_CHECKING:
    from alignment.certainty import Certainty
    from checkpoints import Checkpoint
    from realedit.drag import DragStep
    from realedit.photos import Photo as Content
    from realedit.recipes import Use
    from realedit.sessions.session import Drag

State = kept.Session
"""A session's face, inversion and drags at one time: what `save` writes. It does not change."""


@dataclass(frozen=True, eq=False)
class Change:
    """What one drag or recipe did to a session, as a program may keep it. drags: what `Session.history` has
    of it. latent: `[1, num_ws, w_dim]` float32 after it; None before the inversion. masks: uint8
    `[height, width]` of the photo, by the names in the drags. use: the recipe it came from; None for points,
    or where that is not known any more."""

    drags: tuple[Drag, ...]
    latent: torch.Tensor | None
    masks: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    use: Use | None = None


class History:
    """Where a session is among its states. The generator is tuned to the photo once, not for every drag."""

    def __init__(
        self, states: Sequence[State], checkpoint: Checkpoint, *, certainty: Certainty | None = None
    ) -> None:
        """states: from nothing dragged on. certainty: how sure the face is, where that was looked at."""
        self.states = list(states)
        self.steps: list[tuple[DragStep, ...]] = [()] * len(self.states)
        self.uses: list[tuple[Use | None, ...]] = [(None,) * len(each.history) for each in states]
        self.at = len(self.states) - 1
        self._loaded = checkpoint
        self.certainty = certainty

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
        more = len(state.history) - len(self.now.history)
        self._keep(self.at + 1)
        self.states.append(state)
        self.steps.append(tuple(steps))
        self.uses.append((*self.uses[self.at], *[use] * more))
        self.at += 1

    def _keep(self, count: int) -> None:
        for each in (self.states, self.steps, self.uses):
            del each[count:]

    def go(self, at: int) -> bool:
        """Whether there is such a state, which counts from now on."""
        if not 0 <= at < len(self.states) or at == self.at:
            return False
        self.at = at
        return True

    def copy(self) -> History:
        """The same states, to go on from; the tuned generator, where it is there, is one."""
        made = copy.copy(self)
        made.states, made.steps, made.uses = list(self.states), list(self.steps), list(self.uses)
        return made

    def clear(self) -> None:
        """Forget all but the state that counts."""
        self.states, self.steps, self.uses = [self.now], [self.steps[self.at]], [self.uses[self.at]]
        self.at = 0
        self.rest()

    def rest(self) -> None:
        """Let go of the tuned generator."""
        self.__dict__.pop("checkpoint", None)

    def carried(self, other: History) -> History:
        """The other's states from this inversion: as far from its pivot as they were from theirs."""
        first = self.states[0].from_start()
        pivot, old = latents_of(first)[0], other.states[0].pivot
        shift = torch.zeros_like(pivot) if old is None else pivot - old

        def latent(state: State) -> torch.Tensor:
            moved = state.current is not None and old is not None and not torch.equal(state.current, old)
            return state.current + shift if moved and state.current is not None else pivot

        moved = self.copy()
        moved.states = [
            replace(first, history=each.history, masks=each.masks, current=latent(each))
            for each in other.states
        ]
        moved.steps = [
            tuple(replace(step, latent=step.latent + shift.to(step.latent.device)) for step in each)
            for each in other.steps
        ]
        moved.uses, moved.at = list(other.uses), other.at
        return moved

    def changes(self) -> Iterator[Change]:
        """What led from each state to the next."""
        for before, state, uses in zip(self.states, self.states[1:], self.uses[1:], strict=False):
            drags = state.history[len(before.history) :]
            masks = {each.mask: state.masks[each.mask] for each in drags if each.mask is not None}
            yield Change(drags, state.current, masks, uses[-1] if uses else None)

    def restored(self, changes: Sequence[Change]) -> History:
        """With these changes from the inversion on, all of them in effect. Raises SessionError where they do
        not fit it."""
        made = self.copy()
        made.states[0] = first = self.states[0].from_start()
        made.at = 0
        made._keep(1)
        for each in changes:
            _check_fits(each, first)
            now = made.now
            latent = now.current if each.latent is None else each.latent
            masks = {**now.masks, **each.masks}
            history = (*now.history, *each.drags)
            made.add(replace(first, history=history, masks=masks, current=latent), (), each.use)
        return made

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

    def recorded(self) -> tuple[State, tuple[DragStep, ...]]:
        """The state that counts, and the steps of its drags."""
        return self.now, tuple(step for each in self.steps[: self.at + 1] for step in each)

    def replayed(self) -> tuple[State, tuple[DragStep, ...]]:
        """The same of its drags once more, from their handles to their targets. Raises SessionError before
        the inversion."""
        recorder = Recorder(keep_going)
        again = self.plain.from_start()
        latents_of(again)
        for drag in self.now.history:
            mask = None if drag.mask is None else self.now.masks[drag.mask]
            again = stages.drag(
                again, self.checkpoint, drag.handles, drag.targets,
                mask=mask, reach=drag.reach, on_step=recorder,
            )  # fmt: skip
        return self.tuned(again), tuple(recorder.steps)

    def parts(self) -> Parted:
        """The state that counts, for the paste: with the generator as it is tuned already, where it is."""
        tuned = self.__dict__.get("checkpoint")  # of the cached property
        pasted = (self.now, self._loaded) if tuned is None else (self.plain, tuned)
        return Parted(pasted, self.now, self._loaded, self.recorded()[1], self.uses[self.at], self._sure)

    def _sure(self, photo: Content) -> Certainty | None:
        """How sure the face is, looked at once."""
        if self.certainty is None:
            self.certainty = certainty_of(photo, self.now)
        return self.certainty


def _check_fits(change: Change, start: State) -> None:
    pivot, latent = start.pivot, change.latent
    if latent is not None and pivot is not None and latent.shape != pivot.shape:
        raise SessionError(
            f"a change's latent is {list(latent.shape)}, that of the session's model {list(pivot.shape)}"
        )
    width, height = start.photo_size
    for name in {each.mask for each in change.drags if each.mask is not None}:
        if name not in change.masks or change.masks[name].shape != (height, width):
            raise SessionError(f"a change has no mask {name} of the photo's size")
