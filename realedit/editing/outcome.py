"""What came of an edit: in memory, and as a report."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alignment.certainty import Certainty
from checkpoints import Checkpoint
from realedit import __version__
from realedit.drag import DragStep
from realedit.editing.applying import known_limits
from realedit.editing.face import FaceEdit
from realedit.editing.measuring import identity_distance, seen_share
from realedit.editing.request import EditRequest
from realedit.editing.telling import by_face, endings, face_warnings, result_warnings
from realedit.editing.verdicts import verdict_on
from realedit.looks import Verdict
from realedit.photos import Box, Photo
from realedit.plumbing.timing import Laps
from realedit.recipes import Use
from realedit.sessions.session import Session


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
