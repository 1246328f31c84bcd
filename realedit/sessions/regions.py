"""Where the drags of a session may act: their points, masks and reaches in the photo and in the crop."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignment import Alignment, extract_crop
from alignment.errors import OutsideError
from realedit.compositing import Turn
from realedit.errors import UsageError
from realedit.geometry.reach import reach_region
from realedit.photos import Box
from realedit.sessions import turning
from realedit.sessions.session import Drag, Session


def check_points(session: Session, *points: ArrayLike) -> None:
    """Raise OutsideError for a point outside of the photo or of the aligned square."""
    check_in_photo(session, *points)
    for x, y in np.concatenate([np.asarray(p, float).reshape(-1, 2) for p in points]):
        if not session.alignment.contains([(x, y)])[0]:
            away = max(1, round(float(session.alignment.beyond([(x, y)])[0])))
            raise OutsideError(
                f"the point {x:g},{y:g} lies {away} px outside of the aligned square "
                f"({session.alignment.describe()}); drag points on or near the face"
            )


def check_in_photo(session: Session, *points: ArrayLike) -> None:
    """Raise OutsideError for a point outside of the photo."""
    width, height = session.photo_size
    for x, y in np.concatenate([np.asarray(p, float).reshape(-1, 2) for p in points]):
        if not (0 <= x <= width and 0 <= y <= height):
            raise OutsideError(
                f"the point {x:g},{y:g} lies outside of the photo, which is {width} x {height} "
                "pixels as displayed"
            )


def check_mask(mask: NDArray[np.uint8], entry: Drag) -> None:
    """Raise UsageError where the mask forbids a handle to move."""
    for x, y in entry.handles:
        if mask[min(int(y), mask.shape[0] - 1), min(int(x), mask.shape[1] - 1)] < 128:
            raise UsageError(
                f"the mask is black at the handle {x:g},{y:g}, which it must let move; paint it white there"
            )


def crop_region(session: Session, entry: Drag, size: int) -> NDArray[np.float32]:
    """Where a drag may change what the generator draws, `[size, size]` in [0, 1]: its reach within its
    mask. Handles that the paste carries out reach nothing."""
    square = session.alignment
    kept = [i for i in range(len(entry.handles)) if i not in entry.carried]
    if not kept:
        return np.zeros((size, size), np.float32)
    landmarks = None if session.landmarks is None else square.to_crop(session.landmarks, size)
    turn = turn_before(session, entry)
    handles, targets = (
        turning.back(session, turn, np.array([points[i] for i in kept]))
        for points in (entry.handles, entry.targets)
    )
    region = reach_region(
        entry.reach,
        square.to_crop(handles, size),
        square.to_crop(targets, size),
        size,
        landmarks=landmarks,
    )
    if entry.mask is not None:
        mask = session.masks[entry.mask]
        crop = extract_crop(np.repeat(mask[..., None], 3, -1), square, size)
        region = region * (crop.pixels[..., 0] >= 128) * crop.valid
    return region.astype(np.float32)


def turn_before(session: Session, entry: Drag) -> Turn:
    """How far the head had turned when a drag began: one of the session's, or the next one."""
    before = Turn()
    for each in session.history:
        if each is entry:
            return before
        before = each.turn
    return before


def reach_of(session: Session, size: int) -> NDArray[np.float32]:
    """Where any of the session's drags may change what the generator draws, `[size, size]` in [0, 1]."""
    reach = np.zeros((size, size), np.float32)
    for entry in session.history:
        reach = np.maximum(reach, crop_region(session, entry, size))
    return reach


def photo_mask(session: Session) -> NDArray[np.bool_] | None:
    """Where the drags' masks together let the photo change; None: anywhere."""
    names = [entry.mask for entry in session.history]
    if not names or None in names:
        return None
    union: NDArray[np.bool_] = np.logical_or.reduce([session.masks[name] >= 128 for name in names if name])
    return union


def around_face(session: Session) -> tuple[Box, NDArray[np.float64], Alignment]:
    """`around_square` of a session's face."""
    assert session.landmarks is not None
    return around_square(session.alignment, session.landmarks, session.photo_size)


def around_square(
    square: Alignment, landmarks: NDArray[np.float64], size: tuple[int, int]
) -> tuple[Box, NDArray[np.float64], Alignment]:
    """The box around the aligned square of a face in a photo of `size` (width, height), and the landmarks and
    the square in it: a large photo is not converted whole."""
    corners = square.corners()
    width, height = size
    left, top = (max(0, math.floor(value)) for value in corners.min(0))
    right, bottom = (math.ceil(value) for value in corners.max(0))
    x, y = square.centre
    inside = replace(square, centre=(x - left, y - top))
    return (left, top, min(right, width), min(bottom, height)), landmarks - (left, top), inside
