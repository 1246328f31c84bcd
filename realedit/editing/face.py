"""One face of an edit: what is asked of it, and doing it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alignment.certainty import Certainty
from checkpoints import Checkpoint
from realedit.drag import OnStep, keep_going
from realedit.editing.applying import drag
from realedit.editing.kept import invert_once
from realedit.editing.request import EditRequest, inversion_settings
from realedit.errors import AlignmentError, RealeditError, SessionError
from realedit.plumbing.timing import Laps
from realedit.sessions.folders import make_private
from realedit.sessions.session import Session

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


def dragged(
    each: FaceEdit,
    request: EditRequest,
    checkpoint: Checkpoint,
    mask: NDArray[np.uint8] | None,
    laps: Laps,
    on_step: OnStep,
    *,
    inverting: bool = False,
) -> Session:
    """One face inverted, where anything of what is asked is the generator's or `inverting` is asked for, and
    dragged, and kept where that is asked for."""

    def moved(session: Session) -> Session:
        return drag(
            session, checkpoint, each.drags, request.recipes,
            mask=mask, reach=request.reach, settings=request.drag, on_step=on_step,
        )  # fmt: skip

    if each.keep is None and not inverting and each.session.pivot is None:
        laps("drag")
        with suppress(SessionError):  # lids and lips need no inversion, which takes most of the time
            return moved(each.session)
    laps("invert")
    session = inverted(each, request, checkpoint, on_step=on_step)
    laps("drag")
    session = moved(session)
    if each.keep is not None:
        session.save(each.keep)
    return session
