"""From a request to the faces it means and their inverted sessions: kept, from the user's cache, or new."""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alignment import Face
from alignment.certainty import Certainty, certainty
from checkpoints import Checkpoint
from checkpoints.bundled import BUNDLED
from checkpoints.cache import without_cache
from checkpoints.registry import registry
from inversion import InversionSettings
from realedit import cache, pipeline, sliding
from realedit.cropping import square_without_face
from realedit.doubts import doubts
from realedit.errors import AlignmentError, RealeditError, SessionError, UsageError
from realedit.photos import Photo
from realedit.pipeline import OnStep, keep_going
from realedit.places import STDIN
from realedit.recipes.placing import check_suits, within
from realedit.regions import around_face, check_in_photo, check_points
from realedit.session import Session, make_private, session_folders

if TYPE_CHECKING:
    from realedit.editing import EditRequest

log = logging.getLogger(__name__)

_SAME = 0.02  # of the side: how far squares of one face may be apart, whatever its number was

Drag = tuple[tuple[float, float], tuple[float, float]]  # handle and target, photo pixels


@dataclass(frozen=True, kw_only=True)
class FaceEdit:
    """What is asked of one face: its session, aligned at least and with nothing dragged yet, the drags that
    lie on it, the folder that keeps it, what the user should know of it, and how sure the face is (None
    without one)."""

    session: Session
    drags: tuple[Drag, ...]
    keep: Path | None
    warnings: tuple[str, ...] = ()
    certainty: Certainty | None = None


@contextmanager
def of_face(session: Session, *, several: bool) -> Iterator[None]:
    """Errors name the face, where the edit has several."""
    try:
        yield
    except (RealeditError, AlignmentError) as error:
        if not several:
            raise
        raise type(error)(f"face {session.face}: {error}") from error


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
    aligned = pipeline.align_faces(
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


def inverted(
    each: FaceEdit, request: EditRequest, checkpoint: Checkpoint, *, on_step: OnStep = keep_going
) -> Session:
    """The face's session after the inversion, which is made where it was not kept."""
    session = each.session
    new = session.pivot is None
    if new:
        settings = inversion_settings(request)
        session = invert_once(session, checkpoint, settings, use_cache=request.cache, on_step=on_step)
    if each.keep is not None and request.keep is not None:
        make_private(request.keep)
        if new or not (each.keep / "session.json").exists():
            session.save(each.keep)
    return session


def inversion_settings(request: EditRequest) -> InversionSettings:
    """The preset with what the request changes. Raises UsageError."""
    settings = InversionSettings.preset(request.quality, seed=request.seed, label=request.label)
    return changed_settings(settings, request.changes)


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
        if (
            other.pivot is not None
            and same_square(other, session)
            and pipeline.same_settings(other, settings)
        ):
            return replace(other.from_start(), face=session.face, faces=session.faces, points=session.points)
    return session


def _cached(
    request: EditRequest, photo: Photo, checkpoint: Checkpoint, settings: InversionSettings
) -> Iterator[Session]:
    """The photo's inversions in the user's cache."""
    if request.cache:
        for found in _usable(photo.sha256, (photo.width, photo.height), checkpoint, settings):
            model = model_reference(request.model)
            yield replace(found, photo_path=place_of(request.photo), model=model)


def _usable(
    photo_sha256: str, size: tuple[int, int], checkpoint: Checkpoint, settings: InversionSettings
) -> Iterator[Session]:
    """What the cache has of a photo of `size` (width, height), where its parts fit."""
    for found in cache.find(photo_sha256, checkpoint.sha256, dataclasses.asdict(settings)):
        try:
            found.check_fits(checkpoint, size, cache.sessions_folder())
        except SessionError as error:
            without_cache(error)
            continue
        if found.pivot is not None:
            yield found


def invert_once(
    session: Session,
    checkpoint: Checkpoint,
    settings: InversionSettings,
    *,
    use_cache: bool = True,
    on_step: OnStep = keep_going,
) -> Session:
    """`pipeline.invert`, unless the user's cache has the result; what is new is kept there."""
    return invert_all([session], checkpoint, settings, use_cache=use_cache, on_step=on_step)[0]


def invert_all(
    sessions: Sequence[Session],
    checkpoint: Checkpoint,
    settings: InversionSettings,
    *,
    together: int = 1,
    use_cache: bool = True,
    on_step: OnStep = keep_going,
) -> list[Session]:
    """`invert_once` for each session without an inversion, up to `together` of them side by side."""
    found = [session if session.pivot is not None else None for session in sessions]
    if use_cache:
        found = [
            done or _from_cache(session, checkpoint, settings)
            for done, session in zip(found, sessions, strict=True)
        ]
    new = [number for number, session in enumerate(found) if session is None]
    for first in range(0, len(new), together):
        part = new[first : first + together]
        inverted = pipeline.invert_together(
            [sessions[number] for number in part], checkpoint, settings, on_step=on_step
        )
        for number, session in zip(part, inverted, strict=True):
            found[number] = session
            if use_cache:
                cache.keep(session)
    return [session for session in found if session is not None]


def _from_cache(session: Session, checkpoint: Checkpoint, settings: InversionSettings) -> Session | None:
    for found in _usable(session.photo_sha256, session.photo_size, checkpoint, settings):
        if same_square(found, session):
            log.info("the inversion comes from the cache")
            return replace(
                found,
                photo_path=session.photo_path,
                model=session.model,
                face=session.face,
                faces=session.faces,
                points=session.points,
            )
    return None


def changed_settings(settings: InversionSettings, changes: Iterable[tuple[str, str]]) -> InversionSettings:
    """`InversionSettings.changed` with the error a user should see."""
    try:
        return settings.changed(dict(changes))
    except ValueError as error:
        raise UsageError(str(error)) from error


def place_of(photo: Path) -> Path:
    """What a session remembers of a photo's place: the whole path, or that it came from stdin."""
    return photo if photo == STDIN else photo.resolve()


def model_reference(name: str) -> str:
    """What a session remembers of `--model`: a known name, or the whole path of a file."""
    known = name in BUNDLED or registry().find(name) is not None
    return name if known else str(Path(name).expanduser().resolve())


def check_belongs(session: Session, photo: Photo | None, checkpoint: Checkpoint, folder: Path) -> None:
    """Raise SessionError when a session is of another photo or model."""
    if photo is not None and session.photo_sha256 != photo.sha256:
        raise SessionError(
            f"the session in {folder} is of another photo ({session.photo_path}); use another folder "
            f"for {photo.path}"
        )
    if session.model_sha256 != checkpoint.sha256:
        raise SessionError(
            f"the session in {folder} was made with the model {session.model}, not with {checkpoint.name}; "
            "name that model or use another folder"
        )
    session.check_fits(checkpoint, None if photo is None else (photo.width, photo.height), folder)


def same_square(one: Session, other: Session) -> bool:
    """Whether two sessions of a photo are of the same face, or of the same box."""
    a, b = one.alignment, other.alignment
    if one.face is None or other.face is None:
        return one.face == other.face and a == b
    return math.dist(a.centre, b.centre) < _SAME * a.side and abs(a.side / b.side - 1) < _SAME


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
        and pipeline.same_settings(session, settings)
        and (only or square is not None or request.faces == (str(session.face),))
        and bool(session.alignment.contains([handle for handle, _ in request.drags]).all())
    )
