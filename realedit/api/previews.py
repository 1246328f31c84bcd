"""The paste at the size of a screen, so that a person sees at once what an edit becomes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from realedit.photos import Format
from realedit.photos import Photo as Content

if TYPE_CHECKING:
    from checkpoints import Checkpoint
    from realedit.photos import Box
    from realedit.plumbing.choices import Mode
    from realedit.sessions.session import Drag
    from realedit.sessions.session import Session as State


@dataclass(frozen=True, eq=False)
class Preview:
    """An edited photo, or a part of it, at a smaller size. pixels: `[h, w, 3]` sRGB uint8. changed: left,
    top, right, bottom of what differs from the photo at that size, None for nothing. scale: its pixels per
    photo pixel, at most 1. box: left, top, right, bottom of what it shows of the photo."""

    pixels: NDArray[np.uint8]
    changed: Box | None
    scale: float
    box: Box

    def in_photo(self, box: Box) -> tuple[float, float, float, float]:
        """Where a box of its pixels lies in the photo: left, top, right, bottom."""
        height, width = self.pixels.shape[:2]
        left, top = self.box[:2]
        across, down = (self.box[2] - left) / width, (self.box[3] - top) / height
        return left + box[0] * across, top + box[1] * down, left + box[2] * across, top + box[3] * down

    def _repr_png_(self) -> bytes:
        from realedit.api.photos import shown

        return shown(self.pixels)


class Smaller:
    """A photo at a size for the screen, and sessions of it brought to that size."""

    def __init__(self, photo: Content, max_side: int) -> None:
        pixels = np.ascontiguousarray(photo.srgb_reduced(max_side))
        self.scale = min(1.0, max_side / max(photo.width, photo.height))
        self.box = (0, 0, photo.width, photo.height)
        self.photo = Content(path=Path("preview.png"), source=b"", format=Format.PNG, stored=pixels)

    def preview(self, state: State, checkpoint: Checkpoint, mode: Mode) -> Preview:
        """The session's paste."""
        from realedit.editing import stages

        result = stages.render(self.photo, self._brought(state), checkpoint, stages.PasteSettings(mode=mode))
        return Preview(result.srgb(), result.changed, self.scale, self.box)

    def _brought(self, state: State) -> State:
        """A session in the smaller photo's pixels."""
        if self.scale == 1:
            return state
        square, by = state.alignment, self.scale
        size = self.photo.width, self.photo.height
        masks = {name: _resized(mask, size) for name, mask in state.masks.items()}
        return replace(
            state,
            photo_size=size,
            alignment=replace(
                square, centre=(square.centre[0] * by, square.centre[1] * by), side=square.side * by
            ),
            landmarks=None if state.landmarks is None else state.landmarks * by,
            points=None if state.points is None else state.points * by,
            history=tuple(_drag(each, by) for each in state.history),
            masks=masks,
        )


def _drag(drag: Drag, by: float) -> Drag:
    points = {
        name: [(x * by, y * by) for x, y in getattr(drag, name)] for name in ("handles", "targets", "reached")
    }
    return msgspec.structs.replace(drag, **points)


def _resized(mask: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.uint8)
