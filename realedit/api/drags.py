"""A drag of a session, as programs run it: step by step, with targets that may move."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from realedit.errors import UsageError

if TYPE_CHECKING:
    from realedit.drag import DragStep, OnStep
    from realedit.editing.stages import Dragging as Inner
    from realedit.recipes import Use
    from realedit.sessions.session import Session as State


class Dragging:
    """One drag, made by `Session.drag` or `Session.recipe`; it begins with its first step.

    Iterate over its steps. Leaving the loop pauses it: iterate again to go on, `aim` to move its targets
    before. It becomes part of the session's history when `end` is called, or anything else is asked of the
    session that a drag under way would stand in the way of (another drag, undo, `result`, `save`); what it
    reached counts.
    """

    def __init__(
        self, inner: Inner, *, use: Use | None = None, warnings: tuple[str, ...] = (), record: bool = False
    ) -> None:
        self.inner = inner
        """The drag as it is computed."""
        self.use = use
        """The recipe that it comes from; None for points."""
        self.warnings = warnings
        """What of it cannot be done as it was asked, a sentence each."""
        self.steps: list[DragStep] | None = [] if record else None
        """Its steps, where the session records them."""
        self.begun = False
        """Whether anything was asked of it, so that it counts."""
        self.ended = False
        """Whether it is part of the history, and nothing may be asked of it any more."""

    @property
    def handles(self) -> NDArray[np.float64]:
        """Where the handles are now, photo pixels `[K, 2]`."""
        return np.asarray(self.inner.session.history[-1].reached, float)

    @property
    def targets(self) -> NDArray[np.float64]:
        """Where they should go, photo pixels `[K, 2]`."""
        return np.asarray(self.inner.session.history[-1].targets, float)

    @property
    def last(self) -> DragStep | None:
        """The step that was made last; None before the first."""
        return self.inner.last

    @property
    def over(self) -> bool:
        """Whether there is nothing to do unless the targets move."""
        return self.ended or self.inner.over

    def __iter__(self) -> Iterator[DragStep]:
        """Its steps until it is over; none where lids and lips alone are moved, which the paste does."""
        while (step := self.step()) is not None:
            yield step

    def step(self) -> DragStep | None:
        """The next step; None when it is over. A step's handles are pixels of the model's square, its latent
        is the one reached; `handles` has photo pixels."""
        if self.ended:
            return None
        self.begun = True
        step = self.inner.step()
        if self.steps is not None and step is not None:
            self.steps.append(step)
        return step

    def aim(self, targets: ArrayLike) -> None:
        """Let the handles go somewhere else, `[K, 2]` photo pixels, between two steps or after the last. A
        target beside the square that the model sees is brought to its edge.

        Raises UsageError for another number of targets than there are handles.
        """
        goals = np.asarray(targets, float).reshape(-1, 2)
        if goals.shape != self.inner.starts.shape or not np.isfinite(goals).all():
            raise UsageError(f"there are {len(self.inner.starts)} handles; give as many targets, (x, y) each")
        if not self.ended:
            self.begun = True
            self.inner.aim(nearest(self.inner.session, self.inner.starts, goals))

    def run(self, on_step: OnStep | None = None) -> None:
        """All steps, and the end. on_step: returns False to stop; what is reached counts."""
        for step in self:
            if on_step is not None and not on_step(step):
                break
        self.begun = True
        self.end()

    def end(self) -> None:
        """It is part of the session's history from now on, with what it reached."""
        self.ended = True


def nearest(state: State, starts: NDArray[np.float64], goals: NDArray[np.float64]) -> NDArray[np.float64]:
    """The targets `[K, 2]`, those outside of the photo or of the session's square brought to its edge on
    their way from the handle."""
    from realedit.recipes.placing import within

    kept = state.alignment.contains(goals) & ((goals >= 0) & (goals <= state.photo_size)).all(axis=1)
    brought = within(np.stack([starts, goals], axis=1), state.alignment, state.photo_size)[:, 1]
    return np.where(kept[:, None], goals, brought)
