"""The paste as `stages.render` makes it, at the screen's size and many times a second.

The motion is measured at the generator's own size instead of 512 pixels, in one round instead of four, which
begins with the motion of the picture before, and only in the part of the square that the drags reach. A test
says how near that is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alignment import Alignment
from checkpoints import Checkpoint, Drawer, fast_dtype
from realedit.compositing import Change, ChangeSettings, FlowSettings, Scene, describe, paste
from realedit.compositing.flow import Array
from realedit.drag import DragSettings, moving_layers
from realedit.editing import sliding
from realedit.geometry.cropping import crop_of
from realedit.live.screen import Screen
from realedit.photos import Photo
from realedit.sessions import turning
from realedit.sessions.pictures import device_of, features_of, generator_of
from realedit.sessions.regions import reach_of
from realedit.sessions.session import Session, to_picture

Value = TypeVar("Value", bound=np.generic)

AROUND = 0.08  # of the square's side around what is reached, for what is averaged there
SETTINGS = ChangeSettings(flow=FlowSettings(rounds=1))


@dataclass(frozen=True)
class _Part:
    """A square part of the crop: its corner and side in crop pixels."""

    left: int
    top: int
    side: int

    def of(self, picture: NDArray[Value]) -> NDArray[Value]:
        return picture[self.top : self.top + self.side, self.left : self.left + self.side]

    def alignment(self, square: Alignment, size: int) -> Alignment:
        """Where the part of a crop of `size` pixels lies in the photo."""
        middle = [(self.left + self.side / 2, self.top + self.side / 2)]
        (x, y) = square.to_photo(np.array(middle), size)[0]
        return replace(square, centre=(float(x), float(y)), side=square.side * self.side / size)


class Quick:
    """Pictures of one session's drags on a screen; `session`s that are given later differ in their drags and
    current latent alone. One picture after the other: each begins with the motion of the one before."""

    def __init__(self, screen: Screen, session: Session, checkpoint: Checkpoint) -> None:
        self.screen, self.checkpoint = screen, checkpoint
        self._device = device_of(checkpoint)
        features = features_of(screen.session(session))
        self._scene = None if features is None else Scene(features, screen.photo)
        self._pivot = session.pivot
        self._drawer: Drawer | None = None
        self._before: NDArray[np.float32] | None = None
        if session.pivot is not None:
            moving = moving_layers(DragSettings(), checkpoint.generator, checkpoint.drag_layers)
            moving = max(moving, _differing(session))
            self._drawer = Drawer(
                generator_of(session, checkpoint),
                session.pivot.to(self._device),
                moving=moving,
                dtype=fast_dtype(self._device),
            )
            self._before = self._drawn(session.pivot)
        self._last: tuple[_Part, Array] | None = None

    def __call__(self, session: Session) -> Photo:
        """The screen with everything in it that was dragged; its `changed` says what to show."""
        placed = self.screen.session(session)
        mask = self.screen.mask(session)
        photo = self.screen.photo
        if self._scene is not None:
            photo = sliding.slid(self._scene, placed, mask)
        return turning.turned(self._moved(photo, session, placed, mask), self.screen.photo, placed, mask)

    def _moved(
        self, photo: Photo, session: Session, placed: Session, mask: NDArray[np.bool_] | None
    ) -> Photo:
        """The photo with what the generator moved in it."""
        if self._unmoved(session):
            self._last = None
            return photo
        assert session.current is not None
        size = self.checkpoint.generator.resolution
        reach = reach_of(session, size)
        if not reach.any():
            return photo
        part = self._part(reach)
        change = self._described(part, session, photo, placed, reach)
        square = part.alignment(placed.alignment, size)
        if self._scene is not None and not change.empty and not session.moves.nothing:
            change = change.moved_alone(self._scene.features.covered(session.moves, square, change.size))
        return paste(photo, change, square, mask=mask, grain=False)

    def _described(
        self, part: _Part, session: Session, photo: Photo, placed: Session, reach: NDArray[np.float32]
    ) -> Change:
        assert self._before is not None and session.current is not None
        size = self.checkpoint.generator.resolution
        crop = session.crop if photo.changed is None else crop_of(photo, placed.alignment, size).pixels
        start = self._last[1] if self._last is not None and self._last[0] == part else None
        before, after = self._before, self._drawn(session.current)
        change = describe(
            part.of(before),
            part.of(after),
            part.of(crop),
            part.of(session.valid),
            part.of(reach),
            replace(SETTINGS, size=part.side),
            inverted=part.of(session.crop),
            start=start,
            whole=size / part.side,
        )
        self._last = part, change.flow
        return change

    def _part(self, reach: NDArray[np.float32]) -> _Part:
        """The part that is reached; that of the picture before where it will do: motions go on in it."""
        size = len(reach)
        rows, columns = np.flatnonzero(reach.any(1)), np.flatnonzero(reach.any(0))
        around = round(AROUND * size)
        low = np.maximum(np.array([columns[0], rows[0]]) - around, 0)
        high = np.minimum(np.array([columns[-1], rows[-1]]) + 1 + around, size)
        if self._last is not None:
            last = self._last[0]
            first = np.array([last.left, last.top])
            if (first <= low).all() and (first + last.side >= high).all():
                return last
        side = min(size, int((high - low).max()) + around)  # room, so that the next pictures fit too
        corner = np.clip((low + high - side) // 2, 0, size - side)
        return _Part(int(corner[0]), int(corner[1]), side)

    def _unmoved(self, session: Session) -> bool:
        return (
            self._pivot is None or session.current is None or bool(torch.equal(self._pivot, session.current))
        )

    def _drawn(self, latent: Tensor) -> NDArray[np.float32]:
        assert self._drawer is not None
        return to_picture(self._drawer(latent.to(self._device)))


def _differing(session: Session) -> int:
    """How many layers, from the first on, hold all that differs between pivot and current latent."""
    if session.pivot is None or session.current is None:
        return 0
    differs = (session.pivot != session.current).any(2)[0].nonzero()
    return 0 if not len(differs) else int(differs.max()) + 1
