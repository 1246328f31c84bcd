"""From a request to an inverted session: a kept one, one of the user's cache, or a new one."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from checkpoints import Checkpoint
from checkpoints.bundled import BUNDLED
from checkpoints.registry import registry
from inversion import InversionSettings
from realedit import cache, pipeline
from realedit.errors import SessionError, UsageError
from realedit.photos import Photo
from realedit.pipeline import OnStep, keep_going
from realedit.regions import check_points
from realedit.session import Session
from realedit.timing import Laps

if TYPE_CHECKING:
    from realedit.editing import EditRequest

log = logging.getLogger(__name__)


def inverted_session(
    request: EditRequest,
    photo: Photo,
    checkpoint: Checkpoint,
    points: NDArray[np.float64],
    laps: Laps,
    *,
    on_step: OnStep = keep_going,
) -> Session:
    """The kept session where it serves, or a new one; in both nothing is dragged yet."""
    settings = InversionSettings.preset(request.quality, seed=request.seed, label=request.label)
    settings = changed_settings(settings, request.changes)
    kept = None
    if request.keep is not None and (request.keep / "session.json").exists():
        kept = Session.load(request.keep)
        check_belongs(kept, photo, checkpoint, request.keep)
        if serves(kept, settings, request, points):
            log.info("going on from the session in %s", request.keep)
            return kept.from_start()
    session = _cached(request, photo, checkpoint, settings, points)
    if session is None:
        session = _fresh(request, photo, checkpoint, settings, points, kept, laps, on_step)
    if request.keep is not None:
        session.save(request.keep)
    return session


def _cached(
    request: EditRequest,
    photo: Photo,
    checkpoint: Checkpoint,
    settings: InversionSettings,
    points: NDArray[np.float64],
) -> Session | None:
    """An inversion of the user's cache that answers the request without looking for faces."""
    if not request.cache:
        return None
    for found in cache.find(photo.sha256, checkpoint.sha256, dataclasses.asdict(settings)):
        if serves(found, settings, request, points):
            log.info("going on from an inversion in the cache")
            return replace(found, photo_path=request.photo.resolve(), model=model_reference(request.model))
    return None


def _fresh(
    request: EditRequest,
    photo: Photo,
    checkpoint: Checkpoint,
    settings: InversionSettings,
    points: NDArray[np.float64],
    kept: Session | None,
    laps: Laps,
    on_step: OnStep,
) -> Session:
    """Align, and invert where no inversion of this very face was kept."""
    session = pipeline.align(
        photo,
        checkpoint,
        photo_path=request.photo.resolve(),
        face=request.face,
        points=points,
        settings=settings,
        quality=request.quality,
    )
    session = replace(session, model=model_reference(request.model))
    check_points(session, points)
    laps("align")
    if kept is not None and kept.face == session.face and pipeline.same_settings(kept, settings):
        return kept.from_start()
    session = invert_once(session, checkpoint, settings, use_cache=request.cache, on_step=on_step)
    laps("invert")
    return session


def invert_once(
    session: Session,
    checkpoint: Checkpoint,
    settings: InversionSettings,
    *,
    use_cache: bool = True,
    on_step: OnStep = keep_going,
) -> Session:
    """`pipeline.invert`, unless the user's cache has the result; what is new is kept there."""
    if use_cache:
        for found in cache.find(session.photo_sha256, checkpoint.sha256, dataclasses.asdict(settings)):
            if found.face == session.face:
                log.info("the inversion comes from the cache")
                return replace(found, photo_path=session.photo_path, model=session.model)
    session = pipeline.invert(session, checkpoint, settings, on_step=on_step)
    if use_cache:
        cache.keep(session)
    return session


def changed_settings(settings: InversionSettings, changes: Iterable[tuple[str, str]]) -> InversionSettings:
    """`InversionSettings.changed` with the error a user should see."""
    try:
        return settings.changed(dict(changes))
    except ValueError as error:
        raise UsageError(str(error)) from error


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


def serves(
    session: Session, settings: InversionSettings, request: EditRequest, points: NDArray[np.float64]
) -> bool:
    """Whether a kept inversion answers the request without looking for faces again."""
    return (
        session.pivot is not None
        and pipeline.same_settings(session, settings)
        and ((request.face == "auto" and session.faces in (None, 1)) or request.face == str(session.face))
        and bool(session.alignment.contains(points).all())
    )
