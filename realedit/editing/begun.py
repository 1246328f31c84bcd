"""Edits whose photos are read and whose faces are found, and their faces inverted side by side."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from checkpoints import Checkpoint
from realedit.drag import OnStep, keep_going
from realedit.editing.face import FaceEdit
from realedit.editing.kept import invert_all
from realedit.editing.request import EditRequest, inversion_settings
from realedit.photos import Photo
from realedit.plumbing.timing import Laps


@dataclass(frozen=True, kw_only=True)
class Begun:
    """An edit whose photo is read and whose faces are found. edits: those that are meant, from left to right;
    laps: its seconds by stage so far."""

    request: EditRequest
    photo: Photo
    mask: NDArray[np.uint8] | None
    checkpoint: Checkpoint
    edits: tuple[FaceEdit, ...]
    laps: Laps


def invert_begun(begun: Sequence[Begun], together: int, *, on_step: OnStep = keep_going) -> list[Begun]:
    """Edits that differ in photo and output alone, their faces inverted up to `together` at a time. `finish`
    inverts those of an edit that was not here, to other last bits: a batch is not computed like one picture.
    """
    started, first = time.perf_counter(), begun[0]
    sessions = [each.session for one in begun for each in one.edits]
    found = invert_all(
        sessions,
        first.checkpoint,
        inversion_settings(first.request),
        together=together,
        use_cache=first.request.cache,
        on_step=on_step,
    )
    rest = iter(found)
    done = [
        replace(one, edits=tuple(replace(each, session=next(rest)) for each in one.edits)) for one in begun
    ]
    for one in begun:
        one.laps.add("invert", (time.perf_counter() - started) * len(one.edits) / len(sessions))
    return done
