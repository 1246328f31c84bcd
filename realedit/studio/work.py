"""What was done to one face: its session, what its changes are called, and what is set for the next one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from realedit.api import Session

Point = tuple[float, float]


@dataclass(frozen=True)
class Label:
    """What a change is called. recipe, strength: where it came of one."""

    text: str
    recipe: str | None = None
    strength: float = 1.0


@dataclass(frozen=True)
class Pair:
    """A point that a person set: its handle and its target, photo pixels."""

    handle: Point
    target: Point


@dataclass(frozen=True, eq=False)
class Work:
    """session: of the face, inverted or not yet; only copies of it are changed, so any thread may copy it.
    labels: of its changes, those that were undone too. points: what is set and not dragged yet. mask: what
    the next drags may change, `[height, width]` uint8, None: everything."""

    session: Session
    labels: tuple[Label, ...] = ()
    points: tuple[Pair, ...] = ()
    mask: NDArray[np.uint8] | None = None

    @property
    def at(self) -> int:
        """How many of the changes are in effect."""
        return self.session.at

    @property
    def edited(self) -> bool:
        """Whether anything is in effect."""
        return self.at > 0

    @property
    def last(self) -> Label | None:
        """The last change that is in effect."""
        return self.labels[self.at - 1] if self.edited else None

    def before(self, recipe: str) -> Work:
        """Without the last change where that is of this recipe, so that another strength takes its place."""
        return self.to(self.at - 1) if self.last is not None and self.last.recipe == recipe else self

    def changed(self, session: Session, label: Label) -> Work:
        """With one change more, which `session` has; what was undone is forgotten."""
        return replace(self, session=session, labels=(*self.labels[: self.at], label))

    def to(self, at: int) -> Work:
        """With the first `at` changes in effect, as far as there are any."""
        session = self.session.copy()
        session.go(min(max(at, 0), len(self.labels)))
        return replace(self, session=session)

    def inverted(self, session: Session) -> Work:
        """On another inversion of the face, to which what was dragged so far is carried over."""
        session.carry(self.session)
        return replace(self, session=session)
