"""What came of an edit: for `--json`, in words, and what the user should know."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from alignment.certainty import Certainty
from alignment.identity import descriptor, distance
from alignment.landmarks import landmarks_in
from checkpoints import Checkpoint
from realedit import __version__
from realedit.drag import DragStep
from realedit.editing.applying import known_limits
from realedit.editing.face import FaceEdit
from realedit.editing.request import EditRequest
from realedit.editing.verdicts import verdict_on
from realedit.looks import Verdict
from realedit.photos import Box, Photo
from realedit.plumbing.timing import Laps
from realedit.recipes import Use
from realedit.sessions.pictures import features_of
from realedit.sessions.regions import around_face
from realedit.sessions.session import Drag, Session
from realedit.sessions.turning import in_result

LIKENESS = 0.35  # identity distance from which the result looks less like the same person
NEARLY = 0.2  # of the movement: a drag that ends with so little left has done it
HARDLY = 0.25  # of the movement: less of it seen is hardly any
AT_LANDMARK = 0.06  # interocular distances: a handle so near to a landmark moves it
TELLABLE = 0.03  # interocular distances: dlib cannot tell less of a movement


@dataclass(frozen=True, kw_only=True)
class FaceReport:
    """What came of one face: its session after the drags, and dlib's distance between it before and after,
    None without a face. seen: the share of the movement that was asked which dlib sees in the result, None
    where no landmark was asked to move. certainty: how sure the face is. looks: what the eye would say of
    it, None without a face or a change."""

    session: Session
    identity: float | None
    seen: float | None = None
    certainty: Certainty | None = None
    looks: Verdict | None = None

    @property
    def face(self) -> int | None:
        """Its number from the left."""
        return self.session.face

    def in_words(self) -> str:
        """How its drags ended."""
        return endings(self.session.history, self.seen)

    def handles(self) -> list[dict[str, Any]]:
        """Where each dragged point was, should go and went, in photo pixels."""
        return [
            {"start": list(start), "target": list(target), "reached": list(reached)}
            for entry in self.session.history
            for start, target, reached in zip(entry.handles, entry.targets, entry.reached, strict=True)
        ]


@dataclass(frozen=True, kw_only=True)
class Made:
    """An edit that is done and not written. sessions, certainties: of its faces from left to right; laps: its
    seconds by stage; steps: those of its drags, where they were recorded; recipes: what the last
    drags of each are from, None for points."""

    photo: Photo
    result: Photo
    checkpoint: Checkpoint
    sessions: tuple[Session, ...]
    certainties: tuple[Certainty | None, ...]
    warnings: tuple[str, ...]
    laps: Laps
    steps: tuple[DragStep, ...] = ()
    recipes: tuple[tuple[Use | None, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class EditReport:
    """What came of an edit; `as_json` is what `--json` prints. output: None before it is written. changed:
    the box of the photo that differs."""

    photo: Path
    output: Path | None
    faces: tuple[FaceReport, ...]
    seconds: float
    changed: Box | None
    warnings: tuple[str, ...]
    timings: Mapping[str, float] = field(default_factory=dict)  # seconds by stage

    @property
    def identity(self) -> float | None:
        """The largest distance of a face; None without any."""
        return max((each.identity for each in self.faces if each.identity is not None), default=None)

    def written(self, output: Path | None, said: Sequence[str]) -> "EditReport":
        """The report with where the result was written, what was said of that, and what the result itself
        shows; each sentence once."""
        shown = by_face((each.face, result_warnings(each)) for each in self.faces)
        warnings = tuple(dict.fromkeys((*self.warnings, *said, *shown)))
        return dataclasses.replace(self, output=output, warnings=warnings)

    def as_json(self) -> dict[str, Any]:
        """version, input, output, face (null for several), model, quality, seconds, handles, identity, faces,
        changed_box, warnings."""
        session = self.faces[0].session
        return {
            "version": __version__,
            "input": str(self.photo),
            "output": None if self.output is None else str(self.output),
            "face": session.face if len(self.faces) == 1 else None,
            "model": session.model,
            "quality": session.quality,
            "seconds": round(self.seconds, 3),
            "handles": [handle for each in self.faces for handle in each.handles()],
            "identity": _rounded(self.identity),
            "faces": [
                {
                    "face": each.face,
                    "handles": each.handles(),
                    "identity": _rounded(each.identity),
                    "seen": _rounded(each.seen),
                    "certainty": None if each.certainty is None else _plain(each.certainty),
                    "looks": None if each.looks is None else each.looks.as_json(),
                }
                for each in self.faces
            ],
            "changed_box": None if self.changed is None else list(self.changed),
            "warnings": list(self.warnings),
        }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 4)


def _plain(certainty: Certainty) -> dict[str, Any]:
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in dataclasses.asdict(certainty).items()
    }


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


def seen_share(after: Photo, session: Session) -> float | None:
    """The share of the movement asked of the face's landmarks that dlib sees in the photo `after`: of the
    handles that lie at landmarks, along their ways. None where none of those was asked to move far enough to
    tell, or without a face."""
    if session.landmarks is None:
        return None
    unit = float(np.linalg.norm(session.landmarks[42:48].mean(0) - session.landmarks[36:42].mean(0)))
    places, asked = session.landmarks.copy(), np.zeros((68, 2))
    for entry in session.history:
        for i, (start, target, reached) in enumerate(
            zip(entry.handles, entry.targets, entry.reached, strict=True)
        ):
            if i in entry.carried:  # lids and lips, which dlib has not learned to see shut
                continue
            apart = np.linalg.norm(places - start, axis=1)
            nearest = int(apart.argmin())
            if apart[nearest] < AT_LANDMARK * unit:
                asked[nearest] += np.subtract(target, start)
                places[nearest] += np.subtract(reached, start)
    wanted = float((asked**2).sum())
    if np.linalg.norm(asked, axis=1).max() < TELLABLE * unit:
        return None
    box, landmarks, square = around_face(session)
    moved = landmarks_in(after.srgb(box), square) - landmarks
    return float((moved * asked).sum()) / wanted


def identity_distance(before: Photo, after: Photo, session: Session) -> float | None:
    """dlib descriptor distance between the face before and after, at the landmarks of the photo, turned
    with the head; None without a face."""
    if session.landmarks is None:
        return None
    if after.changed is None:
        return 0.0
    box, landmarks, _ = around_face(session)
    corner = session.landmarks - landmarks
    turned = in_result(session, session.landmarks) - corner
    one, other = (
        descriptor(photo.srgb(box), places) for photo, places in ((before, landmarks), (after, turned))
    )
    return distance(one, other)


def edit_warnings(
    request: EditRequest,
    after: Photo,
    edits: Sequence[FaceEdit],
    done: Sequence[Session],
    checkpoint: Checkpoint,
) -> tuple[str, ...]:
    """What the user should know before anything is written. edits: the faces that were meant; done: their
    sessions, as far as the edit went."""
    told = by_face((each.session.face, each.warnings) for each in edits[: len(done)])
    warnings = [*told, *known_limits(request.recipes, checkpoint), *after.warnings, *face_warnings(done)]
    if len(done) < len(edits):
        warnings.append(f"stopped at face {done[-1].face}; the faces after it stay as they are")
    return tuple(warnings)


def report_on(done: Made) -> EditReport:
    """What came of an edit. Looking at the faces before and after is added to its seconds by stage."""
    seconds = sum(done.laps.seconds.values())
    faces = tuple(
        _face_report(done, session, certainty, uses)
        for session, certainty, uses in zip(
            done.sessions, done.certainties, done.recipes or ((),) * len(done.sessions), strict=True
        )
    )
    done.laps.end()
    return EditReport(
        photo=done.photo.path,
        output=None,
        faces=faces,
        seconds=seconds,
        changed=done.result.changed,
        warnings=done.warnings,
        timings=done.laps.seconds,
    )


def _face_report(
    done: Made, session: Session, certainty: Certainty | None, uses: Sequence[Use | None]
) -> FaceReport:
    done.laps("identity")
    identity = identity_distance(done.photo, done.result, session)
    seen = seen_share(done.result, session)
    done.laps("look")
    looks = verdict_on(done.photo, done.result, session, uses, identity=identity)
    return FaceReport(session=session, identity=identity, seen=seen, certainty=certainty, looks=looks)


def by_face(said: Iterable[tuple[int | None, Sequence[str]]]) -> list[str]:
    """Warnings of each face, which is named where there are several."""
    faces = list(said)
    return [
        warning if len(faces) == 1 else f"face {face}: {warning}"
        for face, warnings in faces
        for warning in warnings
    ]
