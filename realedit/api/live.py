"""Pictures of a face while it is dragged, as many as a hand needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from realedit.api.previews import Preview
from realedit.live import Quick, Screen

if TYPE_CHECKING:
    from checkpoints import Checkpoint
    from realedit.photos import Box
    from realedit.photos import Photo as Content
    from realedit.sessions.session import Session as State


class Live:
    """Pictures of a session's face many times a second, made by `Session.live`. They show the part of the
    photo around the face.

        live = session.live()
        for step in session.drag([((412, 608), (396, 596))]):
            show(live(session.state).pixels)

    A picture is the paste at the size of a screen, with the motion measured more roughly than
    `Session.preview` and `result` measure it; each begins with the motion of the one before. So ask for one
    after the other, in one thread, which may be another than the drag's. It holds for the inversion that the
    session had when it was made.
    """

    def __init__(self, photo: Content, state: State, checkpoint: Checkpoint, scale: float) -> None:
        """checkpoint: with its generator tuned already."""
        self._screen = Screen.of(photo, state.alignment, scale=scale)
        self._quick = Quick(self._screen, replace(state, tuning={}), checkpoint)

    @property
    def box(self) -> Box:
        """Left, top, right, bottom of the part of the photo that is shown."""
        return self._screen.box

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures."""
        return self._screen.size

    @property
    def before(self) -> NDArray[np.uint8]:
        """That part with nothing dragged, `[h, w, 3]` sRGB."""
        return self._screen.photo.srgb()

    def __call__(self, state: State) -> Preview:
        """The picture of what was dragged by then. state: `Session.state`, taken in the session's thread."""
        shown = self._quick(state)
        return Preview(shown.srgb(), shown.changed, self._screen.scale, self.box)
