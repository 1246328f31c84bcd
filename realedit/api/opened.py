"""What may be asked of a session without changing it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from realedit.api.drags import Dragging
from realedit.api.models import Model
from realedit.api.photos import SHOWN, Photo, opened, shown
from realedit.api.previews import Preview, Smaller
from realedit.errors import SessionError
from realedit.plumbing.places import STDIN

if TYPE_CHECKING:
    from alignment import Alignment
    from inversion import Quality
    from realedit.api.history import History
    from realedit.api.live import Live
    from realedit.api.pasting import Parted
    from realedit.drag import DragStep
    from realedit.editing.report import InversionReport
    from realedit.plumbing.choices import Mode
    from realedit.sessions.session import Session as State

PREVIEW = 1280  # pixels of the longer side


class Opened:
    """A face of a photo, inverted, with what was dragged so far: the part of `Session` that only looks."""

    def __init__(self, photo: Photo | None, model: Model, history: History, *, record: bool = False) -> None:
        self.model = model
        self._photo = photo
        self._history, self._record = history, record
        self._drag: Dragging | None = None
        self._smaller: dict[int, Smaller] = {}

    @property
    def photo(self) -> Photo:
        """The photo. Raises SessionError where it is not at hand any more, or another one is there."""
        if self._photo is None:
            state = self._history.now
            if state.photo_path == STDIN or not state.photo_path.exists():
                raise SessionError(
                    f"the session's photo {state.photo_path} is gone; give it where the session is loaded"
                )
            found = opened(state.photo_path)
            if found.content.sha256 != state.photo_sha256:
                raise SessionError(
                    f"{state.photo_path} is not the session's photo any more; give that where the session is "
                    "loaded"
                )
            self._photo = found
        return self._photo

    @property
    def photo_path(self) -> Path:
        """Where the photo was; `-` for one that came as bytes."""
        return self._history.now.photo_path

    def check_photo(self, photo: Photo, folder: Path) -> None:
        """Raise SessionError where a photo is another than that of this session, which lies in `folder`."""
        from realedit.editing.kept import check_belongs

        check_belongs(self._history.now, photo.content, self.model.checkpoint, folder)

    @property
    def photo_size(self) -> tuple[int, int]:
        """Width and height of the photo, as displayed."""
        return self._history.now.photo_size

    @property
    def face(self) -> int | None:
        """The face's number from the left; None for a box, or a model that draws no faces."""
        return self._history.now.face

    @property
    def square(self) -> Alignment:
        """What the model sees of the photo; `square.contains(points)` says where handles may be."""
        return self._history.now.alignment

    @property
    def landmarks(self) -> NDArray[np.float64] | None:
        """`[68, 2]`: where the face's landmarks are in the photo; None without a face."""
        return self._history.now.landmarks

    @property
    def points(self) -> NDArray[np.float64] | None:
        """`[478, 2]`: where lids, lips and the rest of the face are in the photo; None without a face."""
        return self._history.now.points

    @property
    def quality(self) -> Quality:
        """How thoroughly the face was inverted."""
        return self._history.now.quality

    @property
    def seed(self) -> int:
        """The seed of the inversion."""
        return self._history.now.seed

    @property
    def inverted(self) -> bool:
        """Whether the face is found in the model. Before, lids and lips can be dragged, and nothing else."""
        return self._history.now.pivot is not None

    @property
    def state(self) -> State:
        """What `save` would write, with a drag under way as it is now; it does not change any more."""
        if self._drag is not None and self._drag.begun:
            return self._history.tuned(self._drag.inner.session)
        return self._history.now

    def settle(self) -> None:
        """End the drag under way, if any, with what it reached. Everything but previews does it by itself."""
        drag, self._drag = self._drag, None
        if drag is not None and drag.begun:
            drag.end()
            self._history.add(self._history.tuned(drag.inner.session), drag.steps or (), drag.use)

    def preview(self, max_side: int = PREVIEW, *, paste: Mode = "detail") -> Preview:
        """The photo as it becomes, at most `max_side` pixels large, with a drag under way as it is now. The
        paste is the real one at that size, so it shows what `result` will be."""
        smaller = self._smaller.get(max_side)
        if smaller is None:
            smaller = self._smaller[max_side] = Smaller(self.photo.content, max_side)
        return smaller.preview(replace(self.state, tuning={}), self._history.checkpoint, paste)

    def live(self, *, photo: Photo | None = None, scale: float = 1.0) -> Live:
        """Quick pictures of the face for a hand that drags it; `preview` takes some twenty times as long.

        photo: what the face is shown in, where that is more than this session's photo: with other faces
        edited. scale: pixels of the pictures per photo pixel, at most 1; they have 720 pixels at most.
        """
        from realedit.api.live import Live

        shown = self.photo if photo is None else photo
        return Live(shown.content, self.state, self._history.checkpoint, scale)

    def drawn(self, resolution: int | None = None) -> NDArray[np.uint8]:
        """The generator's own picture of the square, `[r, r, 3]` sRGB, with a drag under way as it is now:
        rougher than the photo, and drawn in milliseconds. resolution: r at most; None: the model's."""
        return self._history.drawn(self.state, resolution)

    def measure(self, *, seconds: float | None = None) -> InversionReport:
        """How well the inversion shows the photo: PSNR, SSIM, LPIPS where its backbone was pulled, identity
        distance. seconds: what it took, where that is known."""
        from realedit.editing.report import report_of

        return report_of(self._history.now, self.model.checkpoint, self.photo.content, seconds=seconds)

    def sheet(self) -> NDArray[np.uint8]:
        """The square of the photo, its inversion and their difference side by side, `[R, 3 R, 3]` sRGB."""
        from realedit.editing.report import sheet

        return sheet(self._history.now, self.model.checkpoint)

    @property
    def recorded(self) -> bool:
        """Whether the steps of the drags are kept, so that a result can show them as a time-lapse."""
        return self._record

    def replayed(self) -> tuple[State, tuple[DragStep, ...]]:
        """For `timelapse`: the state that counts with the steps of its drags, which are dragged once more
        where they were not recorded."""
        return self._history.recorded() if self._record else self._history.replayed()

    def rest(self) -> None:
        """Let go of what takes memory: the generator tuned to the photo and, where they can be read again
        from `photo_path`, the photo's pixels. Both come back when they are needed."""
        if self.photo_path != STDIN:
            self._photo = None
        self._smaller.clear()
        self._history.rest()

    def parts(self) -> Parted:
        """What `together` pastes: the state that counts, and its model."""
        return self._history.parts()

    def _repr_png_(self) -> bytes:
        return shown(self.preview(SHOWN).pixels)

    def __repr__(self) -> str:
        face = "a box" if self.face is None else f"face {self.face}"
        return f"<Session of {face} of {self._history.now.photo_path}, {self.quality}>"
