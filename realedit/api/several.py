"""Several faces of one photo at once: in one result, and in one time-lapse."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from realedit.api.photos import Photo
from realedit.api.results import Result
from realedit.errors import SessionError, UsageError

if TYPE_CHECKING:
    from realedit.api.sessions import Session
    from realedit.plumbing.choices import Mode


def together(
    sessions: Sequence[Session],
    *,
    photo: Photo | None = None,
    paste: Mode = "detail",
    debug: str | os.PathLike[str] | None = None,
) -> Result:
    """Several edited faces of one photo in one result, each pasted onto what the ones before made of it.

    photo: where it is opened already; debug: as in `Session.result`, with a folder for each face. Raises
    SessionError for sessions of different photos.
    """
    from realedit.api.pasting import pasted

    if not sessions:
        raise UsageError("there is no session to paste")
    photo = photo or sessions[0].photo
    for each in sessions:
        each.settle()
        if each.state.photo_sha256 != photo.sha256:
            raise SessionError(f"{each!r} is of another photo than {photo!r}")
    made = pasted(photo.content, [each.parts() for each in sessions], paste, debug)
    return Result(made, recorded=all(each.recorded for each in sessions))


def timelapse(sessions: Sequence[Session], path: str | os.PathLike[str]) -> Path:
    """Write the drags of sessions of one model as they happened, one face after the other: GIF, WebP or MP4.
    Nothing is pasted, the pictures are the generator's.

    What a session did not record is dragged once more, from its handles to their targets. Raises UsageError
    where there are no steps, since only lids and lips were moved, SessionError for a face that is not
    inverted, OutputError, ResourceError.
    """
    from realedit.compare.timelapse import write_timelapse
    from realedit.editing.checks import check_animation

    if not sessions:
        raise UsageError("there is no session to show")
    place = Path(path)
    for each in sessions:
        check_animation(place, each.photo_path)
        each.settle()
    shown = [each.replayed() for each in sessions]
    steps = [step for _, its in shown for step in its]
    if not steps:
        raise UsageError(
            "only lids and lips were moved, which the photo shows itself; there are no steps to show"
        )
    write_timelapse(place, steps, [state for state, _ in shown], sessions[0].model.checkpoint)
    return place
