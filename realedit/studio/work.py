"""What was done to one face: changes one after the other, and where in them one is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from realedit.sessions.session import Drag, Session

Point = tuple[float, float]


@dataclass(frozen=True)
class Change:
    """One finished change: the drags it is made of, and the latent `[1, num_ws, w_dim]` after them (None
    before the inversion: lids and lips need none). recipe, strength: where it came of one."""

    label: str
    drags: tuple[Drag, ...]
    latent: Tensor | None
    recipe: str | None = None
    strength: float = 1.0


@dataclass(frozen=True)
class Pair:
    """A point that a person set: its handle and its target, photo pixels."""

    handle: Point
    target: Point


@dataclass(frozen=True, eq=False)
class Work:
    """base: the face's session with nothing dragged, inverted or not yet. at: how many of the changes are in
    effect; those after it were undone. points: what is set and not dragged yet. mask: what the next drags may
    change, `[height, width]` uint8, None: everything. masks: those of the changes, by name."""

    base: Session
    changes: tuple[Change, ...] = ()
    at: int = 0
    points: tuple[Pair, ...] = ()
    mask: NDArray[np.uint8] | None = None
    masks: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)

    @property
    def edited(self) -> bool:
        """Whether anything is in effect."""
        return self.at > 0

    def session(self, at: int | None = None) -> Session:
        """The session with the first `at` changes; None: those that are in effect."""
        done = self.changes[: self.at if at is None else at]
        history = tuple(drag for change in done for drag in change.drags)
        latent = done[-1].latent if done and done[-1].latent is not None else self.base.pivot
        names = {drag.mask for drag in history if drag.mask is not None}
        masks = {name: self.masks[name] for name in names}
        return replace(self.base, current=latent, history=history, masks=masks)

    def before(self, recipe: str) -> Work:
        """Without the last change where that is of this recipe, so that another strength takes its place."""
        if self.at and self.changes[self.at - 1].recipe == recipe:
            return replace(self, at=self.at - 1)
        return self

    def changed(
        self, session: Session, label: str, *, recipe: str | None = None, strength: float = 1.0
    ) -> Work:
        """With what `session` has more than this one's as a change; what was undone is forgotten."""
        known = len(self.session().history)
        change = Change(label, session.history[known:], session.current, recipe, strength)
        return replace(
            self,
            changes=(*self.changes[: self.at], change),
            at=self.at + 1,
            masks={**self.masks, **session.masks},
        )

    def moved(self, steps: int) -> Work:
        """So many changes on, or back; as far as there are any."""
        return self.to(self.at + steps)

    def to(self, at: int) -> Work:
        """With the first `at` changes in effect."""
        return replace(self, at=min(max(at, 0), len(self.changes)))

    def inverted(self, base: Session) -> Work:
        """On another inversion of the face: every latent is as far from the new pivot as it was from the old
        one, so that what was dragged so far is carried over."""
        old, new = self.base.pivot, base.pivot
        changes = self.changes
        if old is not None and new is not None:
            changes = tuple(
                replace(each, latent=None if each.latent is None else each.latent + (new - old))
                for each in changes
            )
        return replace(self, base=base, changes=changes)
