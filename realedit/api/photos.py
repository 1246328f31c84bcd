"""A photo that was opened: its pixels, and the faces in it."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from realedit.errors import UsageError
from realedit.photos import MAX_PIXELS, read_photo
from realedit.photos import Photo as Content
from realedit.plumbing.places import STDIN

if TYPE_CHECKING:
    from PIL import Image

    from alignment import Face as Found
    from realedit.api.faces import Face
    from realedit.photos import Box

SHOWN = 768  # pixels of the longer side of what a notebook shows


class Photo:
    """A photo as it is displayed, RGB. Made by `open`, or `from_array`."""

    def __init__(self, content: Content) -> None:
        self.content = content
        """The photo with its file's bytes and metadata, as the stages of an edit take it."""

    @classmethod
    def from_array(cls, pixels: ArrayLike) -> Photo:
        """A photo of sRGB pixels `[height, width, 3]` or `[height, width]` (grey), uint8 or uint16, that are
        in no file; it is kept as PNG. A Pillow image will do. Raises UsageError for other shapes and
        types."""
        from realedit.photos.memory import as_png

        return cls(read_photo(STDIN, source=as_png(np.asarray(pixels))))

    @property
    def path(self) -> Path | None:
        """Where it was read; None where it came as bytes."""
        return None if self.content.path == STDIN else self.content.path

    @property
    def width(self) -> int:
        """Pixels, as displayed."""
        return self.content.width

    @property
    def height(self) -> int:
        """Pixels, as displayed."""
        return self.content.height

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, as Pillow says it."""
        return self.content.width, self.content.height

    @property
    def format(self) -> str:
        """JPEG, PNG, TIFF, WebP, HEIC, AVIF or RAW."""
        return str(self.content.format)

    @property
    def depth(self) -> int:
        """Bits per channel in the file."""
        return self.content.depth

    @property
    def sha256(self) -> str:
        """Hex digest of its file as it was read; a session knows its photo by it."""
        return self.content.sha256

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be read as it was meant, a sentence each."""
        return self.content.warnings

    @property
    def pixels(self) -> NDArray[Any]:
        """`[height, width, 3]` RGB in the photo's own colour space, uint8, or uint16 where the file has more
        than 8 bits; read only."""
        return self.content.view()

    @cached_property
    def image(self) -> Image.Image:
        """The photo as sRGB, 8 bits: a Pillow image, and an array by `numpy.asarray`."""
        from PIL import Image

        return Image.fromarray(np.ascontiguousarray(self.content.srgb()))

    @cached_property
    def faces(self) -> tuple[Face, ...]:
        """The faces, numbered from the left; looked for when they are first asked for. Empty without any."""
        from alignment import find_faces
        from realedit.api.faces import Face

        return tuple(Face(self.content, each) for each in find_faces(self.content.eight_bit()))

    def with_faces(self, landmarks: Sequence[ArrayLike]) -> Photo:
        """The photo with the faces that were found in it before, so that nobody looks for them again.

        landmarks: `[68, 2]` of each, in the order of `faces`. Raises UsageError, AlignmentError for what is
        no face's.
        """
        from alignment.faces import face_at
        from realedit.api.faces import Face

        known = Photo(self.content)
        try:
            found = [face_at(index, each, self.size) for index, each in enumerate(landmarks)]
        except ValueError as error:
            raise UsageError(f"a face is known by 68 landmarks, (x, y) each: {error}") from error
        known.__dict__["faces"] = tuple(Face(self.content, each) for each in found)
        return known

    def reduced(self, max_side: int, box: Box | None = None) -> NDArray[np.uint8]:
        """The photo as sRGB, `[h, w, 3]` uint8, area-averaged so that no side exceeds `max_side` pixels: what
        a window shows. box: left, top, right, bottom of the part that is wanted. Raises UsageError for a box
        that is empty or leaves the photo."""
        if box is None or tuple(box) == (0, 0, *self.size):
            return self.content.srgb_reduced(max_side)
        left, top, right, bottom = box
        if not (0 <= left < right <= self.width and 0 <= top < bottom <= self.height):
            raise UsageError(f"the box {left},{top},{right},{bottom} is no part of {self!r}")
        return reduced(self.content.srgb(box), max_side)

    @property
    def known_faces(self) -> list[Found] | None:
        """What was found, where faces were looked for."""
        found = self.__dict__.get("faces")  # of the cached property
        return None if found is None else [each.found for each in found]

    def _repr_png_(self) -> bytes:
        return shown(self.content.srgb_reduced(SHOWN))

    def __repr__(self) -> str:
        where = "from bytes" if self.path is None else repr(str(self.path))
        return f"<Photo {where}, {self.format}, {self.width} x {self.height}>"


def open(source: str | os.PathLike[str] | bytes | BinaryIO, *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Read a photo: JPEG, PNG, TIFF, WebP, HEIC, AVIF, or camera RAW with the extra `raw`.

    source: its file, its bytes, or a binary file that is read to its end. Raises UsageError where there is no
    such file, PhotoError for what is no photo, is damaged or has more than `max_pixels` pixels, ResourceError
    where memory runs out.
    """
    if isinstance(source, (str, os.PathLike)):
        return Photo(read_photo(Path(source), max_pixels=max_pixels))
    content = source if isinstance(source, bytes) else source.read()
    if not isinstance(content, bytes):
        raise UsageError(f"a photo is opened from bytes or a binary file, not from {type(content).__name__}")
    return Photo(read_photo(STDIN, max_pixels=max_pixels, source=content))


def opened(photo: Photo | str | os.PathLike[str] | bytes) -> Photo:
    """The photo itself, or the one that is opened of that name."""
    return photo if isinstance(photo, Photo) else open(photo)


def reduced(pixels: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    """Pixels `[h, w, 3]`, area-averaged so that no side exceeds `max_side`."""
    height, width = pixels.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA), np.uint8)


def shown(pixels: NDArray[np.uint8]) -> bytes:
    """sRGB pixels `[h, w, 3]` as the PNG that a notebook shows."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(out, "PNG")
    return out.getvalue()
