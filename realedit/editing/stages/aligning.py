"""The first stage: photo -> session, aligned."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from alignment import Alignment, Face, find_faces, share_out
from alignment.errors import NoFaceError
from alignment.models import FaceModels
from checkpoints import Checkpoint
from inversion import InversionSettings, Quality
from realedit.editing import sliding
from realedit.errors import UsageError
from realedit.geometry.cropping import crop_of, square_without_face
from realedit.photos import Box, Photo
from realedit.sessions.session import Session


def align(
    photo: Photo,
    checkpoint: Checkpoint,
    *,
    photo_path: Path,
    face: str | int = "auto",
    box: Box | None = None,
    points: ArrayLike | None = None,
    models: FaceModels | None = None,
    settings: InversionSettings,
    quality: Quality,
) -> Session:
    """Find the face that holds the points and cut its square: a session with nothing inverted yet.

    points `[K, 2]` in photo pixels; box: as in `align_faces`. Raises NoFaceError, OutsideError.
    """
    together = () if points is None else np.asarray(points, float).reshape(1, -1, 2)
    ((session, _),) = align_faces(
        photo, checkpoint, photo_path=photo_path, faces=(face,), box=box, drags=together, models=models,
        settings=settings, quality=quality,
    )  # fmt: skip
    return session


def align_faces(
    photo: Photo,
    checkpoint: Checkpoint,
    *,
    photo_path: Path,
    faces: Sequence[str | int] = ("auto",),
    box: Box | None = None,
    drags: ArrayLike = (),
    models: FaceModels | None = None,
    settings: InversionSettings,
    quality: Quality,
    found: Sequence[Face] | None = None,
) -> list[tuple[Session, list[int]]]:
    """`align` for each face that is meant, from left to right, with the indices of the drags that lie on it.

    faces: as `alignment.share_out` takes them. box: what is meant, whatever is there (left, top, right,
    bottom in photo pixels): its square is taken and no face is looked for. drags `[K, N, 2]` in photo pixels,
    each on one face. found: all faces of the photo, where they were looked for without the drags. Raises
    NoFaceError, OutsideError, UsageError.
    """

    def session(square: Alignment, face: Face | None, count: int | None) -> Session:
        crop = crop_of(photo, square, checkpoint.generator.resolution)
        return Session(
            photo_path=photo_path,
            photo_sha256=photo.sha256,
            photo_size=(photo.width, photo.height),
            model=checkpoint.name,
            model_sha256=checkpoint.sha256,
            quality=quality,
            seed=settings.seed,
            settings=dataclasses.asdict(settings),
            face=None if face is None else face.index,
            landmarks=None if face is None else face.landmarks,
            alignment=square,
            crop=crop.pixels,
            valid=crop.valid,
            faces=count,
            points=None if face is None else sliding.dense_points(photo, square),
        )

    if box is not None and tuple(faces) != ("auto",):
        raise UsageError("a box and a face were named; name one of them")
    square = square_without_face((photo.width, photo.height), checkpoint, box)
    if square is not None:
        return [(session(square, None, None), list(range(len(np.asarray(drags)))))]
    try:
        found = find_faces(photo.eight_bit(), points=drags, models=models, known=found)
        shared = share_out(found, faces, drags)
    except NoFaceError as error:
        raise NoFaceError(f"{photo_path}: {error}") from error
    except ValueError as error:
        raise UsageError(f"{error}") from error
    return [(session(face.alignment, face, len(found)), own) for face, own in shared]
