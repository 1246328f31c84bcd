"""From a request to the faces it means, each with its drags and the inversion that is there already."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from alignment import Face
from alignment.certainty import certainty
from checkpoints import Checkpoint
from inversion import InversionSettings
from realedit.editing import sliding, stages
from realedit.editing.doubts import doubts
from realedit.editing.face import Drag, FaceEdit, of_face
from realedit.editing.kept import check_belongs, same_settings, same_square, usable
from realedit.editing.request import EditRequest, inversion_settings, model_reference, place_of
from realedit.errors import SessionError
from realedit.geometry.cropping import square_without_face
from realedit.photos import Photo
from realedit.recipes.placing import check_suits, within
from realedit.sessions.folders import session_folders
from realedit.sessions.regions import around_face, check_in_photo, check_points
from realedit.sessions.session import Session

log = logging.getLogger(__name__)


def planned(
    request: EditRequest, photo: Photo, checkpoint: Checkpoint, *, found: Sequence[Face] | None = None
) -> list[FaceEdit]:
    """The faces to edit, from left to right; where nothing is asked of them, those that are meant. Kept or
    cached work that answers the request is taken without looking for faces. found: all faces of the photo,
    where they were looked for.

    Raises what is wrong with faces, points and kept sessions, before anything is inverted.
    """
    settings = inversion_settings(request)
    kept = _kept(request.keep, photo, checkpoint)
    for session in chain(kept.values(), _cached(request, photo, checkpoint, settings)):
        if serves(session, settings, request, checkpoint):
            keep = _folder(request.keep, session, kept, 1)
            log.info(
                "going on from %s", f"the session in {keep}" if keep in kept else "an inversion in the cache"
            )
            session = sliding.with_points(session.from_start(), photo)
            return [_asked(session, request, request.drags, keep, checkpoint, photo)]
    aligned = stages.align_faces(
        photo,
        checkpoint,
        photo_path=place_of(request.photo),
        faces=request.faces,
        box=request.box,
        drags=[[handle] for handle, _ in request.drags],
        settings=settings,
        quality=request.quality,
        found=found,
    )
    busy = [each for each in aligned if each[1] or request.recipes or not request.drags]
    edits = []
    for session, own in busy:
        drags = tuple(request.drags[index] for index in own)
        keep = _folder(request.keep, session, kept, len(busy))
        session = _or_kept(replace(session, model=model_reference(request.model)), settings, kept)
        with of_face(session, several=len(busy) > 1):
            edits.append(_asked(session, request, drags, keep, checkpoint, photo))
    return edits


def _asked(
    session: Session,
    request: EditRequest,
    drags: tuple[Drag, ...],
    keep: Path | None,
    checkpoint: Checkpoint,
    photo: Photo,
) -> FaceEdit:
    """What is asked of one face. Raises where a handle lies beside it or a recipe does not suit it."""
    check_points(session, [handle for handle, _ in drags])
    for use in request.recipes:
        check_suits(use.recipe, session.landmarks, checkpoint.domain)
    drags, warnings = reachable(session, drags)
    sure = None
    if session.landmarks is not None:
        box, landmarks, square = around_face(session)
        sure = certainty(photo.srgb(box), landmarks, square)
        warnings = (*doubts(sure), *warnings)
    return FaceEdit(session=session, drags=drags, keep=keep, warnings=warnings, certainty=sure)


def reachable(session: Session, drags: Sequence[Drag]) -> tuple[tuple[Drag, ...], tuple[str, ...]]:
    """The drags with each target in the aligned square, and a warning for each that was not: it goes that way
    as far as the edge. Raises OutsideError for a target outside of the photo."""
    found, warnings = [], []
    for handle, target in drags:
        check_in_photo(session, target)
        if not session.alignment.contains([target])[0]:
            ((_, (x, y)),) = within(
                np.array([(handle, target)], float), session.alignment, session.photo_size
            )
            warnings.append(
                f"the target {target[0]:g},{target[1]:g} lies outside of the square that the model sees; the "
                f"point goes that way as far as {x:.0f},{y:.0f}"
            )
            target = (float(x), float(y))
        found.append((handle, target))
    return tuple(found), tuple(warnings)


def _kept(keep: Path | None, photo: Photo, checkpoint: Checkpoint) -> dict[Path, Session]:
    """What a folder keeps of the photo: one session, or one per face in numbered folders."""
    if keep is None:
        return {}
    found = {folder: Session.load(folder) for folder in session_folders(keep)}
    for folder, session in found.items():
        check_belongs(session, photo, checkpoint, folder)
    return found


def _folder(keep: Path | None, session: Session, kept: Mapping[Path, Session], count: int) -> Path | None:
    """Where a face's session is kept: in the folder itself, or in one by its number if there are several."""
    if keep is None or (count == 1 and not any(folder != keep for folder in kept)):
        return keep
    if keep in kept:
        raise SessionError(f"{keep} holds the session of one face; name another folder for several")
    return keep / str(session.face)


def _or_kept(session: Session, settings: InversionSettings, kept: Mapping[Path, Session]) -> Session:
    """The kept inversion of this very face, or what was aligned."""
    for other in kept.values():
        if other.pivot is not None and same_square(other, session) and same_settings(other, settings):
            return replace(other.from_start(), face=session.face, faces=session.faces, points=session.points)
    return session


def _cached(
    request: EditRequest, photo: Photo, checkpoint: Checkpoint, settings: InversionSettings
) -> Iterator[Session]:
    """The photo's inversions in the user's cache."""
    if request.cache:
        for found in usable(photo.sha256, (photo.width, photo.height), checkpoint, settings):
            yield replace(
                found,
                photo_path=place_of(request.photo),
                model=model_reference(request.model),
                quality=request.quality,
            )


def serves(
    session: Session, settings: InversionSettings, request: EditRequest, checkpoint: Checkpoint
) -> bool:
    """Whether a kept inversion answers the request without looking for faces again."""
    square = square_without_face(session.photo_size, checkpoint, request.box)
    if (session.face is None) != (square is not None) or square not in (None, session.alignment):
        return False
    only = session.faces in (None, 1) and request.faces in (("auto",), ("largest",), ("all",))
    return (
        session.pivot is not None
        and same_settings(session, settings)
        and (only or square is not None or request.faces == (str(session.face),))
        and bool(session.alignment.contains([handle for handle, _ in request.drags]).all())
    )
