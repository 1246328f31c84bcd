"""Sessions of one photo, pasted into it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alignment.certainty import Certainty, certainty
from realedit.editing import stages
from realedit.editing.checks import check_debug
from realedit.editing.doubts import doubts
from realedit.editing.outcome import Made
from realedit.editing.telling import by_face, face_warnings
from realedit.plumbing.timing import Laps
from realedit.sessions.regions import around_face

if TYPE_CHECKING:
    from checkpoints import Checkpoint
    from realedit.drag import DragStep
    from realedit.photos import Photo as Content
    from realedit.plumbing.choices import Mode
    from realedit.recipes import Use
    from realedit.sessions.session import Session as State


@dataclass(frozen=True)
class Parted:
    """A session as the paste takes it. pasted: the state and the model that it is computed with; state: as it
    is kept; loaded: the model as it was loaded; steps: of the drags, where they were recorded; uses: the
    recipes that the drags came from, None for points; sure: how sure its face is, by the photo."""

    pasted: tuple[State, Checkpoint]
    state: State
    loaded: Checkpoint
    steps: tuple[DragStep, ...]
    uses: tuple[Use | None, ...]
    sure: Callable[[Content], Certainty | None]


def pasted(photo: Content, parts: Sequence[Parted], mode: Mode, debug: str | os.PathLike[str] | None) -> Made:
    """The photo with what was dragged in each of the sessions, in order."""
    folder = None if debug is None else Path(debug)
    if folder is not None:
        check_debug(folder)
    laps = Laps()
    laps("paste")
    settings = stages.PasteSettings(mode=mode)
    result = stages.render_faces(photo, [each.pasted for each in parts], settings, debug=folder)
    laps.end()
    states = tuple(each.state for each in parts)
    sure = tuple(each.sure(photo) for each in parts)
    told = by_face(
        (each.face, () if how is None else doubts(how)) for each, how in zip(states, sure, strict=True)
    )
    return Made(
        photo=photo,
        result=result,
        checkpoint=parts[0].loaded,
        sessions=states,
        certainties=sure,
        warnings=(*told, *result.warnings, *face_warnings(states)),
        laps=laps,
        steps=tuple(step for each in parts for step in each.steps),
        recipes=tuple(each.uses for each in parts),
    )


def certainty_of(photo: Content, state: State) -> Certainty | None:
    """How sure a session's face is; None without one."""
    if state.landmarks is None:
        return None
    box, landmarks, square = around_face(state)
    return certainty(photo.srgb(box), landmarks, square)
