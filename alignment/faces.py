"""The faces of a photo, numbered from left to right, and the one that an edit means."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignment.detection import CNN_SIZES, Box, CnnDetector, Detector, FaceDetector
from alignment.errors import AlignmentError, NoFaceError, OutsideError
from alignment.geometry import Alignment, Points, as_points, ffhq_square
from alignment.landmarks import find_landmarks
from alignment.models import FaceModels

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Face:
    """One face: index from 0, left to right; the detector's box; landmarks [68, 2] float64; the FFHQ square.

    All of it in photo pixels of the displayed view, pixel centres at +0.5.
    """

    index: int
    box: Box
    landmarks: NDArray[np.float64]
    alignment: Alignment


def find_faces(
    pixels: NDArray[np.uint8],
    *,
    points: ArrayLike | None = None,
    detector: Detector | None = None,
    models: FaceModels | None = None,
) -> list[Face]:
    """All faces of a photo (HWC RGB uint8, as displayed), numbered from the left by their squares.

    points: [N, 2] photo pixels that one face should hold, or [K, N, 2], each of which one face should. When
    none of those found does, the slower CNN looks for more; so the same photo may have more faces when points
    are given. A `detector` of one's own is not added to.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError(f"A photo is [H, W, 3] uint8 here, not {pixels.shape} {pixels.dtype}.")
    if detector is not None:
        return _described(pixels, detector(pixels), models)
    boxes = FaceDetector(models)(pixels)
    faces = _described(pixels, boxes, models)
    wanted = _groups([] if points is None else points)
    if faces and not _held(faces, wanted):
        for size in CNN_SIZES:
            logger.info(
                "No face holds the points; looking for more with the CNN detector at %d pixels.", size
            )
            faces = _described(pixels, [*boxes, *CnnDetector(size, models)(pixels)], models)
            if _held(faces, wanted):
                break
    return faces


def _described(pixels: NDArray[np.uint8], boxes: Sequence[Box], models: FaceModels | None) -> list[Face]:
    """The faces in the boxes, each once (earlier boxes first), numbered."""
    found: list[tuple[Box, Points, Alignment]] = []
    for box in boxes:
        try:
            landmarks = find_landmarks(pixels, box, models)
            square = ffhq_square(landmarks)
        except AlignmentError as error:
            logger.info("Something like a face at %s is none: %s", box, error)
            continue
        if not any(_same(square, other) for _, _, other in found):
            found.append((box, landmarks, square))
    found.sort(key=lambda each: each[2].centre)
    return [Face(i, box, landmarks, square) for i, (box, landmarks, square) in enumerate(found)]


def _groups(points: ArrayLike) -> list[Points]:
    """Points that belong together: [N, 2] are one group, [K, N, 2] are K."""
    array = np.asarray(points, float)
    if not array.size:
        return []
    return [as_points(group) for group in (array if array.ndim == 3 else array[None])]


def _held(faces: Sequence[Face], groups: Sequence[Points]) -> bool:
    """Whether each group of points lies in one face's square."""
    return all(any(face.alignment.contains(points).all() for face in faces) for points in groups)


def _same(a: Alignment, b: Alignment) -> bool:
    """Whether two squares are of one face: their centres are closer than two heads can be."""
    distance = float(np.hypot(a.centre[0] - b.centre[0], a.centre[1] - b.centre[1]))
    return distance < 0.25 * min(a.side, b.side)


def share_out(
    faces: Sequence[Face], choices: Sequence[str | int] = ("auto",), drags: ArrayLike = ()
) -> list[tuple[Face, list[int]]]:
    """The faces to edit, from left to right, each with the indices of the drags that are its own.

    choices: one of those of `choose_face`, or several numbers, or `all`. drags: [K, N, 2] photo pixels, of
    which each lies on one face (where squares overlap, the one whose landmarks are nearest). `auto` is the
    face that holds all of them, else those that hold one each. Raises as `choose_face` does.
    """
    groups = _groups(drags)
    points = np.concatenate(groups) if groups else np.empty((0, 2))
    if len(choices) == 1 and choices[0] != "all":
        alone = choices[0] != "auto" or not len(points) or _held(faces, [points])
        if alone or not faces:
            return [(choose_face(faces, choices[0], points), list(range(len(groups))))]
        meant: Sequence[Face] = ()
    else:
        meant = [choose_face(faces, choice) for choice in choices if choice != "all"]
        if "all" in choices:
            choose_face(faces)  # raises where there is none
            meant = faces
    owners = [choose_face(meant or faces, "auto", group) for group in groups]
    edited = {face.index: face for face in (*meant, *owners)}
    return [
        (edited[index], [i for i, owner in enumerate(owners) if owner.index == index])
        for index in sorted(edited)
    ]


def choose_face(faces: Sequence[Face], choice: str | int = "auto", points: ArrayLike | None = None) -> Face:
    """The face to edit.

    choice: `auto` takes the face whose square holds all `points` ([N, 2] photo pixels; of several, the one
    whose landmarks are nearest), and without points the largest; `largest`; or a face's index (also as text).
    Raises NoFaceError when there is no face or not that many, and OutsideError when a point lies outside of
    the square of the face, or of all faces; ValueError for another choice.
    """
    if not faces:
        raise NoFaceError(
            "No face was found; use a photo in which a face is larger, sharper or seen from the front."
        )
    wanted = as_points([] if points is None else points)
    if choice == "auto" and len(wanted):
        return _holding(faces, wanted)
    if choice in ("auto", "largest"):
        face = max(faces, key=lambda face: face.alignment.side)
    else:
        face = _numbered(faces, choice)
    for point, inside in zip(wanted, face.alignment.contains(wanted), strict=True):
        if not inside:
            raise OutsideError(
                f"The point {_text(point)} lies outside of the aligned square of face {face.index} "
                f"({face.alignment.describe()}); move it there or choose another face."
            )
    return face


def _numbered(faces: Sequence[Face], choice: str | int) -> Face:
    try:
        index = int(choice)
    except ValueError as error:
        raise ValueError(f"A face is auto, largest, all or a number, not {choice!r}.") from error
    for face in faces:
        if face.index == index:
            return face
    numbers = "only face 0" if len(faces) == 1 else f"faces 0 to {len(faces) - 1}"
    raise NoFaceError(f"There is no face {index}; the photo has {numbers}, counted from the left.")


def _holding(faces: Sequence[Face], points: Points) -> Face:
    """The face whose square holds all points; of several, the one whose landmarks are nearest to them."""
    inside = np.array([face.alignment.contains(points) for face in faces])  # [faces, N]
    if candidates := [face for face, holds in zip(faces, inside, strict=True) if holds.all()]:
        return min(candidates, key=lambda face: (_distance(face, points), face.alignment.side))
    squares = "; ".join(f"face {face.index}: {face.alignment.describe()}" for face in faces)
    lonely = ~inside.any(axis=0)
    if lonely.any():
        point = _text(points[int(np.argmax(lonely))])
        raise OutsideError(
            f"The point {point} lies outside of every aligned square ({squares}); move it onto a face."
        )
    raise OutsideError(f"No face's square holds all the points ({squares}); drag each point on its own face.")


def _distance(face: Face, points: Points) -> float:
    """The mean distance of the points to their nearest landmarks, in photo pixels."""
    apart = np.linalg.norm(points[:, None, :] - face.landmarks[None, :, :], axis=2)  # [N, 68]
    return float(apart.min(axis=1).mean())


def _text(point: NDArray[np.float64]) -> str:
    return f"({point[0]:g}, {point[1]:g})"
