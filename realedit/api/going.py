"""Going over what was dragged in a session: back, again, onto another inversion, out of it and in again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from realedit.api.opened import Opened
from realedit.api.photos import Photo, reduced
from realedit.errors import SessionError, UsageError

if TYPE_CHECKING:
    from realedit.api.history import Change
    from realedit.sessions.session import Drag

THUMBNAIL = 144  # pixels of the longer side


class Going(Opened):
    """The part of `Session` that goes over what was dragged."""

    @property
    def history(self) -> tuple[Drag, ...]:
        """The drags that count, the oldest first: handles, targets and where they went, photo pixels."""
        self.settle()
        return self._history.now.history

    @property
    def changes(self) -> tuple[Change, ...]:
        """All that was done, the oldest first, also what was undone: for a program that keeps it, or shows
        it. `at` says how many of them count."""
        self.settle()
        return tuple(self._history.changes())

    @property
    def at(self) -> int:
        """How many of the changes count."""
        self.settle()
        return self._history.at

    def thumbnail(self, at: int, *, side: int = THUMBNAIL, photo: Photo | None = None) -> NDArray[np.uint8]:
        """A small picture of the face as it was after the first `at` changes, `[h, w, 3]` sRGB of at most
        `side` pixels. photo: where it is opened already. Raises UsageError where there are not as many."""
        from realedit.api.live import Live

        self.settle()
        states = self._history.states
        if not 0 <= at < len(states):
            raise UsageError(f"there are {len(states) - 1} changes, so none after {at} can be shown")
        shown = self.photo if photo is None else photo
        live = Live(shown.content, states[at], self._history.checkpoint, 2 * side / self.square.side)
        return reduced(live(states[at]).pixels if at else live.before, side)

    @property
    def can_undo(self) -> bool:
        """Whether there is a drag to take back."""
        return self.at > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a drag that was taken back."""
        return self.at < len(self._history.states) - 1

    def undo(self) -> bool:
        """Back to before the last drag; False when there is none."""
        return self.go(self.at - 1)

    def redo(self) -> bool:
        """Again what was taken back; False when nothing was, or something else was dragged since."""
        return self.go(self.at + 1)

    def go(self, count: int) -> bool:
        """To how it was after so many drags, 0 for nothing dragged; `redo` leads back. False where there are
        not as many."""
        self.settle()
        return self._history.go(count)

    def restore(self, changes: Sequence[Change], at: int | None = None) -> None:
        """Put changes that were kept in the place of what was dragged.

        at: how many of them count; None: all. Raises SessionError where they do not fit the photo or the
        inversion, or there are not as many.
        """
        self.settle()
        restored = self._history.restored(changes)
        if at is not None and at != restored.at and not restored.go(at):
            raise SessionError(f"{at} of {len(changes)} changes cannot count")
        self._history = restored

    def carry(self, other: Going) -> None:
        """Take over what was dragged in another session of this face: one whose inversion is rougher, say, or
        that is not inverted yet. What is here is replaced, its undone drags included; the other one stays as
        it is.

        The latents go the same ways from this session's pivot, so that the picture looks as it did. Raises
        SessionError for another face, photo or model.
        """
        from realedit.editing.kept import same_square

        other.settle()
        self.settle()
        one, its = self._history.now, other._history.now
        alike = (one.photo_sha256, one.model_sha256) == (its.photo_sha256, its.model_sha256)
        if not alike or not same_square(one, its):
            raise SessionError("what was dragged in one session is carried over to one of the same face")
        self._history = self._history.carried(other._history)
