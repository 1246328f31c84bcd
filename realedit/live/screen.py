"""The part of a photo around one face at the size of a screen, which is pasted many times a second."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from alignment import Alignment
from realedit.photos import Box, Format, Photo
from realedit.sessions.regions import photo_mask
from realedit.sessions.session import Session

MARGIN = 0.2  # of the square's side around it: what slides and what goes on beyond the square lies in there
LARGEST = 720  # pixels of the longer side


@dataclass(frozen=True, eq=False)
class Screen:
    """box: the part of the photo, photo pixels; scale: pixels of the screen per photo pixel, at most 1.
    photo: that part in sRGB."""

    box: Box
    scale: float
    photo: Photo

    @classmethod
    def of(cls, photo: Photo, square: Alignment, *, scale: float = 1.0) -> Screen:
        """Around a square of `photo`, at no more than `scale` and `LARGEST` pixels."""
        corners = square.corners()
        around = MARGIN * square.side
        left, top = np.maximum(np.floor(corners.min(0) - around), 0).astype(int)
        right, bottom = np.minimum(np.ceil(corners.max(0) + around), (photo.width, photo.height)).astype(int)
        box = (int(left), int(top), int(right), int(bottom))
        width, height = int(right - left), int(bottom - top)
        scale = min(1.0, scale, LARGEST / max(width, height))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = photo.srgb(box)
        if scale < 1:
            pixels = np.asarray(
                cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA), np.uint8
            )
        grey = photo.is_grey
        stored = pixels[..., :1] if grey else pixels
        shown = Photo(Path("screen"), b"", Format.PNG, np.ascontiguousarray(stored))
        return cls(box, scale, shown)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the screen."""
        return self.photo.width, self.photo.height

    @cached_property
    def _factors(self) -> NDArray[np.float64]:
        """Pixels of the screen per photo pixel, both ways: rounding makes them differ a little."""
        left, top, right, bottom = self.box
        return np.array([self.photo.width / (right - left), self.photo.height / (bottom - top)])

    def points(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Photo pixels `[..., 2]` on the screen."""
        return np.asarray((points - self.box[:2]) * self._factors)

    def square(self, square: Alignment) -> Alignment:
        """A square of the photo on the screen."""
        x, y = self.points(np.array(square.centre))
        return replace(
            square, centre=(float(x), float(y)), side=square.side * float(np.sqrt(self._factors.prod()))
        )

    def session(self, session: Session) -> Session:
        """A session whose face is where it is on the screen. Its drags stay as they are, in photo pixels."""
        points, landmarks = session.points, session.landmarks
        return replace(
            session,
            photo_size=self.size,
            alignment=self.square(session.alignment),
            landmarks=None if landmarks is None else self.points(landmarks),
            points=None if points is None else self.points(points),
        )

    def mask(self, session: Session) -> NDArray[np.bool_] | None:
        """Where the drags' masks let the screen change, `[height, width]`; None: anywhere."""
        mask = photo_mask(session)
        if mask is None:
            return None
        left, top, right, bottom = self.box
        part = mask[top:bottom, left:right].astype(np.float32)
        return np.asarray(cv2.resize(part, self.size, interpolation=cv2.INTER_AREA) >= 0.5, np.bool_)
