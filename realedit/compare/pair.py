"""Two pictures of one scene as sRGB, small enough to be looked at; large photos are held one at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from alignment import choose_face, find_faces
from alignment.errors import NoFaceError
from realedit.errors import UsageError
from realedit.photos import Photo, read_photo
from realedit.photos.orientation import Box

Picture = NDArray[np.uint8]
Zoom = Callable[[Photo], Box]

LEAST_ZOOMED = 480  # pixels of the longer side; a smaller part of a photo is enlarged to that
_FACE_SIDE = 1600  # of the copy a face is looked for in
_MARGIN = 1.1  # of a face's aligned square


@dataclass(frozen=True)
class Pair:
    """Before and after, HWC RGB uint8 (sRGB); of any two sizes until `same_size`."""

    before: Picture
    after: Picture

    def same_size(self) -> Pair:
        """Both at the smaller one's size, to lie over each other. Raises UsageError for other proportions."""
        (h0, w0), (h1, w1) = self.before.shape[:2], self.after.shape[:2]
        if (h0, w0) == (h1, w1):
            return self
        if abs(w0 * h1 - w1 * h0) > max(w0, w1, h0, h1):  # more than rounding to whole pixels makes
            raise UsageError(
                f"the pictures have other proportions ({w0} x {h0} and {w1} x {h1}), so they cannot lie over "
                "each other; compare them with --style side or stack"
            )
        size = min(w0, w1), min(h0, h1)
        return Pair(resized(self.before, size), resized(self.after, size))


def read_pair(before: Path, after: Path, *, max_side: int, zoom: Zoom | None = None) -> Pair:
    """The photos in two files, displayed, of at most `max_side` pixels; only one is in memory at a time.

    zoom: which part of the first to show; the second's is the same share of it. Raises as `read_photo` does.
    """
    photo = read_photo(before)
    box = None if zoom is None else zoom(photo)
    shown, size = part(photo, box, max_side), (photo.width, photo.height)
    del photo
    other = read_photo(after)
    return Pair(shown, part(other, scaled(box, size, (other.width, other.height)), max_side))


def pair_of(before: Photo, after: Photo, *, max_side: int) -> Pair:
    """The same of photos in memory."""
    return Pair(part(before, None, max_side), part(after, None, max_side))


def part(photo: Photo, box: Box | None, max_side: int) -> Picture:
    """The photo, or its part in `box`, as sRGB `[h, w, 3]` of at most `max_side` pixels."""
    if box is None:
        return photo.srgb_reduced(max_side)
    shown = np.ascontiguousarray(photo.srgb(box))
    longest = max(shown.shape[:2])
    scale = min(max(longest, LEAST_ZOOMED), max_side) / longest
    height, width = (max(1, round(n * scale)) for n in shown.shape[:2])
    return resized(shown, (width, height))


def face_box(photo: Photo) -> Box:
    """The largest face's square with a margin, within the photo. Raises NoFaceError."""
    small = photo.srgb_reduced(_FACE_SIDE)
    try:
        square = choose_face(find_faces(small), "largest").alignment
    except NoFaceError as error:
        raise NoFaceError(f"{photo.path}: {error}") from error
    corners = (square.corners() - square.centre) * _MARGIN + square.centre
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    size = small.shape[1], small.shape[0]
    box = (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
    found = scaled(box, size, (photo.width, photo.height))
    assert found is not None
    return found


def given_box(box: Box) -> Zoom:
    """A zoom to (left, top, right, bottom) photo pixels; UsageError where no such part is in a photo."""

    def zoom(photo: Photo) -> Box:
        inside = scaled(box, (1, 1), (1, 1), within=(photo.width, photo.height))
        assert inside is not None
        if inside[0] >= inside[2] or inside[1] >= inside[3]:
            raise UsageError(
                f"the part {','.join(map(str, box))} lies outside of {photo.path}, which is "
                f"{photo.width} x {photo.height} pixels; give left,top,right,bottom inside it"
            )
        return inside

    return zoom


def scaled(
    box: Box | None,
    old: tuple[int, int],
    new: tuple[int, int],
    *,
    within: tuple[int, int] | None = None,
) -> Box | None:
    """A box of a picture of `old` (width, height) in one of `new`, cut to `within` (or `new`)."""
    if box is None:
        return None
    width, height = within or new
    across, down = new[0] / old[0], new[1] / old[1]
    return (
        min(max(0, math.floor(box[0] * across)), width),
        min(max(0, math.floor(box[1] * down)), height),
        max(0, min(width, math.ceil(box[2] * across))),
        max(0, min(height, math.ceil(box[3] * down))),
    )


def resized(picture: Picture, size: tuple[int, int]) -> Picture:
    """A picture at (width, height): area-averaged where it shrinks, bicubic where it grows."""
    if picture.shape[1::-1] == size:
        return picture
    mode = cv2.INTER_AREA if size[0] * size[1] < picture.shape[0] * picture.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(picture), size, interpolation=mode), np.uint8)
