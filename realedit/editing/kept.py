"""Inversions that are there already, and new ones.

Those that are there lie in a folder that keeps them, or in the cache of the user.
"""

import dataclasses
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from checkpoints import CapacityError, Checkpoint
from checkpoints.cache import without_cache
from checkpoints.memory import available, synthesis_bytes
from inversion import InversionSettings, Quality
from inversion.synthesis import SEEN
from realedit.drag import OnStep, keep_going
from realedit.editing import stages
from realedit.errors import SessionError
from realedit.photos import Photo
from realedit.sessions import cache
from realedit.sessions.session import Session

log = logging.getLogger(__name__)


_OF_MEMORY = 0.6  # of a GPU's free memory: what libraries and the tuning take for themselves is not estimated
_SAME = 0.02  # of the side: how far squares of one face may be apart, whatever its number was


def check_belongs(session: Session, photo: Photo | None, checkpoint: Checkpoint, folder: Path) -> None:
    """Raise SessionError when a session is of another photo or model."""
    if photo is not None and session.photo_sha256 != photo.sha256:
        raise SessionError(
            f"the session in {folder} is of another photo ({session.photo_path}); use another folder "
            f"for {photo.path}"
        )
    if session.model_sha256 != checkpoint.sha256:
        if session.model == checkpoint.name:
            raise SessionError(
                f"the session in {folder} was made with other weights of {session.model}, as an earlier "
                "version had them; name their file with --model, or edit the photo again"
            )
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


def usable(
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
    """`stages.invert`, unless the user's cache has the result; what is new is kept there."""
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
    """`invert_once` for each session without an inversion, up to `together` of them side by side: on a GPU no
    more than its memory holds.
    """
    together = _room_for(checkpoint, together)
    found = [session if session.pivot is not None else None for session in sessions]
    if use_cache:
        found = [
            done or _from_cache(session, checkpoint, settings)
            for done, session in zip(found, sessions, strict=True)
        ]
    new = [number for number, session in enumerate(found) if session is None]
    for first in range(0, len(new), together):
        part = new[first : first + together]
        inverted = _side_by_side([sessions[number] for number in part], checkpoint, settings, on_step)
        for number, session in zip(part, inverted, strict=True):
            found[number] = session
            if use_cache:
                cache.keep(session)
    return [session for session in found if session is not None]


def _room_for(checkpoint: Checkpoint, most: int) -> int:
    """How many of so many faces are inverted side by side."""
    generator = checkpoint.generator
    device = generator.w_avg.device
    free = available(device) if device.type == "cuda" and most > 1 else None
    if free is None:
        return most
    size = min(generator.resolution, SEEN)
    return faces_in(free, synthesis_bytes(generator.arch, 1, upto=size, gradients=True), most)


def faces_in(free: int, each: int, most: int) -> int:
    """How many of `most` faces fit into `free` bytes, of which some are left for what is between."""
    return max(1, min(most, int(free * _OF_MEMORY) // max(each, 1)))


def _side_by_side(
    sessions: list[Session], checkpoint: Checkpoint, settings: InversionSettings, on_step: OnStep
) -> list[Session]:
    """All of them inverted as one batch; half of them at a time, and so on, where memory has no room for as
    many. Raises what one alone raises.
    """
    try:
        return stages.invert_together(sessions, checkpoint, settings, on_step=on_step)
    except (CapacityError, torch.OutOfMemoryError):
        if len(sessions) == 1:
            raise
    # after the handler: an error holds on to all that was computed
    half = (len(sessions) + 1) // 2
    log.warning("%d faces side by side do not fit into memory: %d at a time", len(sessions), half)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    parts = (sessions[:half], sessions[half:])
    return [each for part in parts for each in _side_by_side(part, checkpoint, settings, on_step)]


def _from_cache(session: Session, checkpoint: Checkpoint, settings: InversionSettings) -> Session | None:
    for found in usable(session.photo_sha256, session.photo_size, checkpoint, settings):
        if same_square(found, session):
            log.info("the inversion comes from the cache")
            return replace(
                found,
                photo_path=session.photo_path,
                model=session.model,
                quality=session.quality,
                face=session.face,
                faces=session.faces,
                points=session.points,
            )
    return None


def anew(session: Session, settings: InversionSettings, quality: Quality) -> Session:
    """The session's face with nothing inverted, for an inversion with these settings."""
    return replace(
        session.from_start(),
        quality=quality,
        seed=settings.seed,
        settings=dataclasses.asdict(settings),
        pivot=None,
        current=None,
        tuning={},
        loss=None,
        steps={},
    )


def same_settings(session: Session, settings: InversionSettings) -> bool:
    """Whether a session was inverted with these settings."""
    return dict(session.settings) == dataclasses.asdict(settings)
