"""The faces of a photo, numbered from left to right, and the one that an edit means."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignment.detection import Box, Detector, FaceDetector, boxes_around
from alignment.errors import AlignmentError, NoFaceError, OutsideError
from alignment.geometry import Alignment, Points, as_points, ffhq_square
from alignment.landmarks import find_landmarks
from alignment.models import FaceModels

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Face:
    """One face: index from 0, left to right; the detector's box; landmarks [68, 2] float64; the FFHQ square.

    All of it in photo pixels of the displayed view, pixel centres at +0.5. whole: whether brows, eyes, nose
    and mouth lie in the photo.
    """

    index: int
    box: Box
    landmarks: NDArray[np.float64]
    alignment: Alignment
    whole: bool = True


def find_faces(
    pixels: NDArray[np.uint8],
    *,
    points: ArrayLike | None = None,
    detector: Detector | None = None,
    models: FaceModels | None = None,
    known: Sequence[Face] | None = None,
) -> list[Face]:
    """All faces of a photo (HWC RGB uint8, as displayed), numbered from the left by their squares.

    points: [N, 2] photo pixels that one face should hold, or [K, N, 2], each of which one face should. Where
    none of those found does, the CNN looks closer around them. What it finds gets the next numbers, so that
    no other face's number changes. A `detector` of one's own is not added to. known: what was found without
    points; it is not looked for again.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError(f"A photo is [H, W, 3] uint8 here, not {pixels.shape} {pixels.dtype}.")
    if detector is not None:
        return _described(pixels, detector(pixels), models)
    faces = list(known) if known is not None else _described(pixels, FaceDetector(models)(pixels), models)
    for group in _groups([] if points is None else points):
        if not _held(faces, [group]):
            logger.info("No face holds the points; looking for more around them with the CNN detector.")
            faces = _with_more(pixels, faces, group, models)
    return faces


def _with_more(
    pixels: NDArray[np.uint8], faces: Sequence[Face], points: Points, models: FaceModels | None
) -> list[Face]:
    """The faces and, where there is one, another that holds the points."""
    for box in boxes_around(pixels, points.mean(axis=0), models):
        more = [
            face
            for face in _described(pixels, [box], models)
            if _held([face], [points]) and not any(_same(face.alignment, other.alignment) for other in faces)
        ]
        if more:
            return [*faces, replace(more[0], index=len(faces))]
    return list(faces)


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
        inside = all(0 <= at <= end for at, end in zip(square.centre, pixels.shape[1::-1], strict=True))
        if inside and not any(_same(square, other) for _, _, other in found):
            found.append((box, landmarks, square))
    found.sort(key=lambda each: each[2].centre)
    height, width = pixels.shape[:2]
    return [
        Face(i, box, landmarks, square, whole=_whole(landmarks, (width, height)))
        for i, (box, landmarks, square) in enumerate(found)
    ]


def face_at(index: int, landmarks: ArrayLike, size: tuple[int, int]) -> Face:
    """A face that was found before, by its landmarks [68, 2], in a photo of `size` (width, height); its box
    is the one around them. Raises as `ffhq_square` does."""
    points = as_points(landmarks)
    square = ffhq_square(points)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    box = Box(float(left), float(top), float(right), float(bottom), score=1.0)
    return Face(index, box, points, square, whole=_whole(points, size))


def _whole(landmarks: Points, size: tuple[int, int]) -> bool:
    """Whether brows, eyes, nose and mouth lie in the photo."""
    return bool(((landmarks[17:] >= 0) & (landmarks[17:] <= size)).all())


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
    whose landmarks are nearest), and without points the largest that the frame does not cut, if there is
    one; `largest`; or a face's index (also as text).
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
        face = max(faces, key=lambda face: (face.whole or choice != "auto", face.alignment.side))
    else:
        face = _numbered(faces, choice)
    for point, inside in zip(wanted, face.alignment.contains(wanted), strict=True):
        if not inside:
            raise OutsideError(
                f"The point {_text(point)} lies {_beyond(face, point)} outside of the aligned square of face "
                f"{face.index} ({face.alignment.describe()}); move it there or choose another face."
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
    lonely = ~inside.any(axis=0)
    if lonely.any():
        point = points[int(np.argmax(lonely))]
        nearest = min(faces, key=lambda face: float(face.alignment.beyond(point)[0]))
        raise OutsideError(
            f"The point {_text(point)} lies outside of every face's aligned square, "
            f"{_beyond(nearest, point)} outside of that of face {nearest.index} "
            f"({nearest.alignment.describe()}); move it onto a face."
        )
    squares = "; ".join(f"face {face.index}: {face.alignment.describe()}" for face in faces)
    raise OutsideError(f"No face's square holds all the points ({squares}); drag each point on its own face.")


def _beyond(face: Face, point: NDArray[np.float64]) -> str:
    """How far a point lies outside of a face's square, in words."""
    return f"{max(1, round(float(face.alignment.beyond(point)[0])))} px"


def _distance(face: Face, points: Points) -> float:
    """The mean distance of the points to their nearest landmarks, in photo pixels."""
    apart = np.linalg.norm(points[:, None, :] - face.landmarks[None, :, :], axis=2)  # [N, 68]
    return float(apart.min(axis=1).mean())


def _text(point: NDArray[np.float64]) -> str:
    return f"({point[0]:g}, {point[1]:g})"
