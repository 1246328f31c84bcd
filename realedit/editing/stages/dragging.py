"""The third stage: session -> session whose latent is dragged, step by step; targets may move on the way.

Points on lids and lips are not the generator's: the paste lets these slide. Nor are turns of the head: the
paste turns it. The others are dragged by an `Editor`, where there are any.
"""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

import inversion
from checkpoints import Checkpoint
from realedit.drag import DragSettings, DragStep, Editor, OnStep, keep_going
from realedit.editing import sliding
from realedit.geometry.reach import Parts, Reach
from realedit.sessions import turning
from realedit.sessions.pictures import device_of, generator_of, latents_of
from realedit.sessions.regions import check_mask, check_points, crop_region
from realedit.sessions.session import Drag, Session, mask_name


class Dragging:
    """A drag from handles to targets (`[K, 2]` photo pixels, positions in the current result), from the
    session's current latent on.

    Iterate over it, or ask for one `step` after the other; `aim` moves the targets in between. `session` is
    what came of it so far, at any time. Where no point has a way to go that is the generator's, there are no
    steps, and a session that is not inverted will do.
    """

    def __init__(
        self,
        session: Session,
        checkpoint: Checkpoint,
        handles: ArrayLike,
        targets: ArrayLike,
        *,
        mask: NDArray[np.uint8] | None = None,
        reach: Reach | Parts = "local",
        settings: DragSettings | None = None,
    ) -> None:
        """mask `[height, width]` uint8 over the displayed photo, white (>= 128) may move. Raises OutsideError
        for a point outside of the square, UsageError for a mask that holds a handle."""
        self.checkpoint = checkpoint
        self._settings = self.settings = (
            settings or DragSettings()
        )  # as given, and without what is the head's
        self.starts = np.asarray(handles, float).reshape(-1, 2)
        self._reach, self._mask = reach, None if mask is None else mask_name(mask)
        self._editor: Editor | None = None
        self._steps: Iterator[DragStep] | None = None
        self._own: list[int] = []  # the points that are the generator's
        self._done, self._rests = 0, False  # steps of the runs that are over; whether the last one is
        self.last: DragStep | None = None
        check_points(session, handles, targets)
        if mask is not None:
            session = replace(session, masks={**session.masks, mask_name(mask): mask})
        self._before = session
        self._moved: NDArray[np.float64] | None = None  # how far the generator moved the handles before
        self._entry = self._asked(np.asarray(targets, float).reshape(-1, 2))
        if mask is not None:
            check_mask(mask, self._entry)

    @property
    def over(self) -> bool:
        """Whether there is nothing to do unless the targets move."""
        return self._rests if self._editor is not None else not self._moves_generator()

    @property
    def session(self) -> Session:
        """The session with the drag as it is now; one that goes on counts as stopped."""
        current, entry = self._before.current, self._entry
        if self._editor is not None and self.last is not None:
            current, entry = self._editor.latent.detach().cpu(), self._reached(self._editor, self.last)
        elif self._moves_generator():  # nothing of that is done yet
            reached = list(entry.reached)
            for i in self._own:
                reached[i] = entry.handles[i]
            entry = msgspec.structs.replace(entry, reached=reached, ending="stopped")
        return replace(self._before, current=current, history=(*self._before.history, entry))

    def __iter__(self) -> Iterator[DragStep]:
        """Its steps until it is over; may be left, and gone on with."""
        while (step := self.step()) is not None:
            yield step

    def step(self) -> DragStep | None:
        """The next step; None when it is over. Raises SessionError before the inversion."""
        if self.over:
            return None
        if self._editor is None:
            self._editor = self._begun()
        if self._steps is None:
            self._steps = self._editor.steps()
        self.last = next(self._steps)
        if self.last.ending != "running":
            self._done, self._steps, self._rests = self._done + self.last.index, None, True
        return self.last

    def aim(self, targets: ArrayLike) -> None:
        """Let the handles go somewhere else: `[K, 2]` photo pixels. A drag that was over may go on.

        Raises OutsideError for a target outside of the square; the drag then stays as it is.
        """
        ends = np.asarray(targets, float).reshape(self.starts.shape)
        check_points(self._before, ends)
        own, self._entry = self._own, self._asked(ends)
        if self._editor is None:
            return
        if own != self._own:  # a point became a lid's or lip's, or no longer is: the generator begins anew
            self._editor, self._steps, self.last, self._done, self._rests = None, None, None, 0, False
            return
        self._rests = False
        size = self.checkpoint.generator.resolution
        self._editor.aim(
            self._before.alignment.to_crop(turning.in_photo(self._before, ends[self._own]), size),
            crop_region(self._before, self._entry, size),
        )

    def _asked(self, ends: NDArray[np.float64]) -> Drag:
        """The drag as it is asked for, and whose its points are."""
        before, moves = self._before, self._before.moves
        turn, self.settings, carried = turning.asked(before, self._reach, self._settings, self.starts, ends)
        if carried.all():
            ends = turning.turned_points(before, turn, self.starts)
        elif not _led(self.checkpoint, self.settings):
            starts, goal = (turning.in_photo(before, points) for points in (self.starts, ends))
            if self._moved is None:
                self._moved = sliding.moved_before(before, self.checkpoint, starts)
            moves, carried = sliding.asked(before, starts, goal, self._moved)
        self._own = (~carried).nonzero()[0].tolist()
        goals = _points(ends)
        return Drag(
            _points(self.starts), goals, goals, 0, "arrived", self._reach, self._mask,
            carried=carried.nonzero()[0].tolist(), moves=moves, turn=turn,
        )  # fmt: skip

    def _moves_generator(self) -> bool:
        """Whether any point has a way to go that is the generator's."""
        entry = self._entry
        return not entry.carried or any(entry.handles[i] != entry.targets[i] for i in self._own)

    def _begun(self) -> Editor:
        """The editor with the generator's own points."""
        checkpoint, size = self.checkpoint, self.checkpoint.generator.resolution
        editor = Editor(
            generator_of(self._before, checkpoint),
            latents_of(self._before)[1].to(device_of(checkpoint)),
            self.settings,
            inversion.CodeSpace.of(checkpoint),
            mask=crop_region(self._before, self._entry, size),
            layers=checkpoint.drag_layers,
            motions=None if checkpoint.codes is None else checkpoint.codes.motions,
        )
        start, goal = (
            self._before.alignment.to_crop(turning.in_photo(self._before, np.array(points)[self._own]), size)
            for points in (self._entry.handles, self._entry.targets)
        )
        editor.add(start, goal)
        return editor

    def _reached(self, editor: Editor, last: DragStep) -> Drag:
        """The drag with where its points went, and how it ended."""
        square, size = self._before.alignment, self.checkpoint.generator.resolution
        reached, targets = np.array(self._entry.targets), np.array(self._entry.targets)
        reached[self._own] = turning.in_result(self._before, square.to_photo(editor.handles, size))
        if self.settings.amounts:  # the motions' amounts said how far, not the targets
            targets[self._own] = turning.in_result(self._before, square.to_photo(editor.targets, size))
        under_way = self._steps is not None
        return msgspec.structs.replace(
            self._entry,
            targets=_points(targets),
            reached=_points(reached),
            steps=self._done + (last.index if under_way else 0),
            ending=last.ending if self._rests and last.ending != "running" else "stopped",
            vague=[self._own[i] for i in editor.vague.nonzero()[0]],
        )


def drag(
    session: Session,
    checkpoint: Checkpoint,
    handles: ArrayLike,
    targets: ArrayLike,
    *,
    mask: NDArray[np.uint8] | None = None,
    reach: Reach | Parts = "local",
    settings: DragSettings | None = None,
    on_step: OnStep = keep_going,
) -> Session:
    """A `Dragging` from its first step to its last, or to the one after which `on_step` says to stop."""
    dragging = Dragging(session, checkpoint, handles, targets, mask=mask, reach=reach, settings=settings)
    for step in dragging:
        if not on_step(step):
            break
    return dragging.session


def _led(checkpoint: Checkpoint, settings: DragSettings) -> bool:
    """Whether given amounts of motions say how far a drag goes, and not its points."""
    known = None if checkpoint.codes is None else checkpoint.codes.motions
    if known is None or not settings.amounts:
        return False
    return known.all_of(settings.motions) is not None


def _points(points: ArrayLike) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in np.asarray(points, float).reshape(-1, 2)]
