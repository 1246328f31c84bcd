"""What came of an edit, in words, and what the user should know of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from realedit.sessions.pictures import features_of
from realedit.sessions.session import Drag, Session

if TYPE_CHECKING:
    from realedit.editing.outcome import FaceReport

LIKENESS = 0.35  # identity distance from which the result looks less like the same person
NEARLY = 0.2  # of the movement: a drag that ends with so little left has done it
HARDLY = 0.25  # of the movement: less of it seen is hardly any


def endings(drags: Sequence[Drag], seen: float | None = None) -> str:
    """How drags ended, in words: `arrived after 12 steps`. seen: the share of the movement that dlib sees in
    the result, where it was looked for; a drag that arrived there has not where hardly any of it shows."""
    words = {"steps": "ended"}
    if seen is not None and seen < HARDLY:
        words["arrived"] = "hardly moved"
    said = [f"{words.get(each.ending, each.ending)} after {each.steps} steps" for each in drags]
    if seen is not None:
        said.append(f"{max(0.0, seen):.0%} of the movement seen in the result")
    return ", ".join(said)


def result_warnings(report: FaceReport) -> list[str]:
    """What the result shows that the user should know of: another person, or hardly any change."""
    warnings = []
    if report.identity is not None and report.identity > LIKENESS:
        warnings.append(
            f"the result looks less like the same person: identity distance {report.identity:.2f}, where up "
            f"to {LIKENESS} is good and 0.6 is another person; a lower strength keeps more of the likeness"
        )
    looked = (
        [] if report.looks is None else [each for each in report.looks.reasons if each.measure != "identity"]
    )
    missed = any(each.measure.startswith("did: ") for each in looked)
    if report.seen is not None and report.seen < HARDLY and not missed:
        warnings.append(
            f"hardly any of the movement shows in the result ({max(0.0, report.seen):.0%}): the model does "
            "not do this to this face"
        )
    if report.looks is not None and looked:
        why = "; ".join(each.said for each in looked)
        warnings.append(f"the result looks {report.looks.grade}: {why}")
    return warnings


def drag_warnings(drags: Sequence[Drag]) -> list[str]:
    """What the user should know of how these drags ended."""
    warnings = []
    for each in drags:
        missed = np.linalg.norm(np.subtract(each.targets, each.reached), axis=-1).max()
        asked = np.linalg.norm(np.subtract(each.targets, each.handles), axis=-1).max()
        if missed <= NEARLY * asked:
            pass
        elif each.ending == "stalled":
            warnings.append(
                f"the drag stalled after {each.steps} steps, {missed:.1f} px from its target: the "
                "model cannot move this point there; the nearest it came was kept"
            )
        elif each.ending == "steps":
            warnings.append(f"the drag ended after {each.steps} steps, {missed:.1f} px from its target")
        if each.vague and each.ending != "nothing":
            places = " and ".join(f"{x:.0f},{y:.0f}" for x, y in (each.handles[i] for i in each.vague))
            warnings.append(
                f"all looks alike around {places}, so how far that moved cannot be told; "
                "start at an edge or a corner of something"
            )
    return warnings


def face_warnings(sessions: Sequence[Session]) -> list[str]:
    """`drag_warnings` and `lid_warnings` of each session, which name the face where there are several."""
    found = [
        (session.face, said)
        for session in sessions
        for said in (*drag_warnings(session.history), *lid_warnings(session))
    ]
    return [said if len(sessions) == 1 else f"face {face}: {said}" for face, said in found]


def lid_warnings(session: Session) -> list[str]:
    """What the user should know of eyes that were to open."""
    features = features_of(session)
    left = [
        np.array(
            [[points[i] for i in range(len(points)) if i not in entry.carried] for points in both], float
        )
        for entry in session.history
        for both in [(entry.handles, entry.targets)]
    ]
    if features is None or not any(points.size and features.shut(*points) for points in left):
        return []
    return [
        "an eye that should open is shut in the photo, and its lids have nothing to uncover; what shows is "
        "the model's guess, and the bundled model has not learned it: look at the result"
    ]


def by_face(said: Iterable[tuple[int | None, Sequence[str]]]) -> list[str]:
    """Warnings of each face, which is named where there are several."""
    faces = list(said)
    return [
        warning if len(faces) == 1 else f"face {face}: {warning}"
        for face, warnings in faces
        for warning in warnings
    ]
