"""The real work: `realedit.editing.edit` on many photos, with the model loaded once."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import torch

import checkpoints
from checkpoints import Checkpoint
from inversion import Step
from realedit.batch.names import fitted
from realedit.batch.work import OnStage, Outcome, Task
from realedit.drag import DragStep, OnStep
from realedit.editing.begun import Begun, invert_begun
from realedit.editing.comparing import marked_place
from realedit.editing.request import EditRequest
from realedit.errors import CheckpointError, UsageError
from realedit.photos import check_photo
from realedit.pipeline import begin, finish
from realedit.plumbing.devices import choose_device
from realedit.plumbing.timing import Laps

_NOT_PIXELS = (
    "photo",
    "output",
    "model",
    "device",
    "compare",
    "timelapse",
    "keep",
    "cache",
    "debug",
    "max_pixels",
    "source",
    "into",
)
NOWHERE = Path()
"""Stands for photo and output in the request that all photos share."""


@dataclass(frozen=True)
class EditWork:
    """An edit for every photo. request: all but photo and output; compare: the format of comparisons,
    None: none are written."""

    request: EditRequest
    model_sha256: str
    compare: str | None = None

    @classmethod
    def of(cls, request: EditRequest, compare: str | None = None) -> "EditWork":
        """The work for a request. Raises CheckpointError for a model that cannot be loaded."""
        if not (request.drags or request.recipes):
            raise UsageError("there is nothing to do; say what to edit with --recipe")
        request = replace(request, photo=NOWHERE, output=NOWHERE)
        checkpoint = checkpoints.load(request.model, device="cpu")
        return cls(request, checkpoint.sha256, compare)

    @property
    def key(self) -> str:
        """Recipes by what they mean, the model by its content, and every setting that changes pixels."""
        plain = dataclasses.asdict(replace(self.request, recipes=()))
        for name in _NOT_PIXELS:
            del plain[name]
        plain["recipes"] = [(use.recipe.digest, use.strength) for use in self.request.recipes]
        plain["mask"] = None if self.request.mask is None else _digest(self.request.mask)
        plain["model"] = self.model_sha256
        text = json.dumps(plain, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def beside(self, output: Path) -> tuple[Path, ...]:
        """See `Work`: the comparison, and where the points are."""
        if self.compare is None:
            return ()
        name = fitted(output.name, len(".compare.marked.png"))
        compare = output.with_name(f"{name}.compare.{self.compare}")
        return compare, marked_place(compare)

    def open(self, threads: int) -> "Editor":
        """See `Work`; OMP_NUM_THREADS, and what torch finds right for the machine, limit the threads."""
        threads = min(threads, torch.get_num_threads())
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
        checkpoint = checkpoints.load(self.request.model, device=choose_device(self.request.device))
        if checkpoint.sha256 != self.model_sha256:
            raise CheckpointError(f"the model {self.request.model} has changed; start again")
        return Editor(self, checkpoint)


@dataclass(frozen=True)
class Prepared:
    """A photo with its faces found; tell: to tell its stages."""

    begun: Begun
    tell: OnStage


@dataclass(frozen=True)
class Editor:
    """The edit with its model loaded."""

    work: EditWork
    checkpoint: Checkpoint

    def prepare(self, task: Task, on_stage: OnStage) -> Prepared:
        """See `Run`."""
        compare = next(iter(self.work.beside(task.output)), None)
        request = replace(self.work.request, photo=task.photo, output=task.output, compare=compare)
        laps = Laps(lambda stage: on_stage(stage, 0, 0))
        return Prepared(begin(request, checkpoint=self.checkpoint, laps=laps), on_stage)

    def share(self, prepared: Sequence[Prepared]) -> Sequence[Prepared]:
        """See `Run`: the inversions."""
        told = [_told(each.tell) for each in prepared]
        for each in prepared:
            each.tell("invert", 0, 0)

        def on_step(step: Step | DragStep) -> bool:
            return all([tell(step) for tell in told])

        inverted = invert_begun([each.begun for each in prepared], len(prepared), on_step=on_step)
        return [Prepared(begun, each.tell) for begun, each in zip(inverted, prepared, strict=True)]

    def finish(self, prepared: Prepared) -> Outcome:
        """See `Run`."""
        begun, laps = prepared.begun, prepared.begun.laps
        report = finish(begun, on_step=_told(prepared.tell))
        laps("verify")
        written = check_photo(begun.request.output)  # decoded to its end, from what is on the disk
        laps.end()
        facts: dict[str, Any] = report.as_json()
        for name in ("input", "output", "version", "warnings"):
            del facts[name]
        return Outcome(
            content=report.faces[0].session.photo_sha256,
            sha256=written,
            timings={name: round(seconds, 4) for name, seconds in laps.seconds.items()},
            warnings=report.warnings,
            report=facts,
        )


def _told(on_stage: OnStage) -> OnStep:
    def on_step(step: Step | DragStep) -> bool:
        on_stage("drag" if isinstance(step, DragStep) else step.stage, step.index, step.total)
        return True

    return on_step


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"cannot read the mask {path}: {error.strerror or error}") from error
