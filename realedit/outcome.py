"""What came of an edit: for `--json`, in words, and what the user should know."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment.identity import descriptor, distance
from realedit import __version__
from realedit.photos import Box, Photo
from realedit.pictures import features_of
from realedit.session import Drag, Session


@dataclass(frozen=True, kw_only=True)
class FaceReport:
    """What came of one face: its session after the drags, and dlib's distance between it before and after,
    None without a face."""

    session: Session
    identity: float | None

    @property
    def face(self) -> int | None:
        """Its number from the left."""
        return self.session.face

    def handles(self) -> list[dict[str, Any]]:
        """Where each dragged point was, should go and went, in photo pixels."""
        return [
            {"start": list(start), "target": list(target), "reached": list(reached)}
            for entry in self.session.history
            for start, target, reached in zip(entry.handles, entry.targets, entry.reached, strict=True)
        ]


@dataclass(frozen=True, kw_only=True)
class EditReport:
    """What came of an edit; `as_json` is what `--json` prints. changed: the box of the photo that differs."""

    photo: Path
    output: Path
    faces: tuple[FaceReport, ...]
    seconds: float
    changed: Box | None
    warnings: tuple[str, ...]
    timings: Mapping[str, float] = field(default_factory=dict)  # seconds by stage

    @property
    def identity(self) -> float | None:
        """The largest distance of a face; None without any."""
        return max((each.identity for each in self.faces if each.identity is not None), default=None)

    def as_json(self) -> dict[str, Any]:
        """version, input, output, face (null for several), model, quality, seconds, handles, identity, faces,
        changed_box, warnings."""
        session = self.faces[0].session
        return {
            "version": __version__,
            "input": str(self.photo),
            "output": str(self.output),
            "face": session.face if len(self.faces) == 1 else None,
            "model": session.model,
            "quality": session.quality,
            "seconds": round(self.seconds, 3),
            "handles": [handle for each in self.faces for handle in each.handles()],
            "identity": _rounded(self.identity),
            "faces": [
                {"face": each.face, "handles": each.handles(), "identity": _rounded(each.identity)}
                for each in self.faces
            ],
            "changed_box": None if self.changed is None else list(self.changed),
            "warnings": list(self.warnings),
        }


def _rounded(identity: float | None) -> float | None:
    return None if identity is None else round(identity, 4)


def endings(drags: Sequence[Drag]) -> str:
    """How drags ended, in words: `arrived after 12 steps`."""
    return ", ".join(f"{each.ending} after {each.steps} steps" for each in drags)


def drag_warnings(drags: Sequence[Drag]) -> list[str]:
    """What the user should know of how these drags ended."""
    warnings = []
    for each in drags:
        missed = np.linalg.norm(np.subtract(each.targets, each.reached), axis=-1).max()
        if each.ending == "stalled":
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


def identity_distance(before: Photo, after: Photo, session: Session) -> float | None:
    """dlib descriptor distance between the face before and after, at the landmarks of the photo; None
    without a face."""
    if session.landmarks is None:
        return None
    if after.changed is None:
        return 0.0
    box, landmarks = _around_face(session)
    one, other = (descriptor(photo.srgb(box), landmarks) for photo in (before, after))
    return distance(one, other)


def _around_face(session: Session) -> tuple[tuple[int, int, int, int], NDArray[np.float64]]:
    """The photo's box around the aligned square, and the landmarks in it: a large photo is not converted
    whole."""
    corners = session.alignment.corners()
    width, height = session.photo_size
    left, top = (max(0, math.floor(value)) for value in corners.min(0))
    right, bottom = (math.ceil(value) for value in corners.max(0))
    assert session.landmarks is not None
    return (left, top, min(right, width), min(bottom, height)), session.landmarks - (left, top)
