"""The real work: `realedit.api.files` on many photos, with the model loaded once."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import torch

from realedit.api import DragStep, EditRequest, Model, Step, load_model
from realedit.api.files import begin_file, finish_file, invert_files, verified
from realedit.batch.names import fitted
from realedit.batch.work import NOWHERE, OnStage, Outcome, Task
from realedit.errors import CheckpointError, UsageError
from realedit.plumbing.timing import Laps

if TYPE_CHECKING:
    from realedit.api.files import Begun, OnStep

_NOT_PIXELS = (
    "photo",
    "output",
    "model",
    "device",
    "compare",
    "marked",
    "timelapse",
    "keep",
    "cache",
    "debug",
    "max_pixels",
    "source",
    "into",
)


@dataclass(frozen=True)
class EditWork:
    """An edit for every photo. request: all but photo and output; compare: the format of comparisons,
    None: none are written."""

    request: EditRequest
    model_sha256: str
    compare: str | None = None

    @classmethod
    def of(cls, request: EditRequest, compare: str | None = None) -> EditWork:
        """The work for a request. Raises CheckpointError for a model that cannot be loaded."""
        if not (request.drags or request.recipes):
            raise UsageError("there is nothing to do; say what to edit with --recipe")
        request = replace(request, photo=NOWHERE, output=NOWHERE)
        model = load_model(request.model, device="cpu")
        return cls(request, model.checkpoint.sha256, compare)

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
        """See `Work`: the comparison."""
        if self.compare is None:
            return ()
        name = fitted(output.name, len(".compare.html"))
        return (output.with_name(f"{name}.compare.{self.compare}"),)

    def open(self, threads: int) -> Editor:
        """See `Work`; OMP_NUM_THREADS, and what torch finds right for the machine, limit the threads."""
        threads = min(threads, torch.get_num_threads())
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
        model = load_model(self.request.model, device=self.request.device)
        if model.checkpoint.sha256 != self.model_sha256:
            raise CheckpointError(f"the model {self.request.model} has changed; start again")
        return Editor(self, model)


@dataclass(frozen=True)
class Prepared:
    """A photo with its faces found; tell: to tell its stages."""

    begun: Begun
    tell: OnStage


@dataclass(frozen=True)
class Editor:
    """The edit with its model loaded."""

    work: EditWork
    model: Model

    def prepare(self, task: Task, on_stage: OnStage) -> Prepared:
        """See `Run`."""
        compare = next(iter(self.work.beside(task.output)), None)
        request = replace(self.work.request, photo=task.photo, output=task.output, compare=compare)
        laps = Laps(lambda stage: on_stage(stage, 0, 0))
        return Prepared(begin_file(request, model=self.model, laps=laps), on_stage)

    def share(self, prepared: Sequence[Prepared]) -> Sequence[Prepared]:
        """See `Run`: the inversions."""
        told = [_told(each.tell) for each in prepared]
        for each in prepared:
            each.tell("invert", 0, 0)

        def on_step(step: Step | DragStep) -> bool:
            return all([tell(step) for tell in told])

        inverted = invert_files([each.begun for each in prepared], len(prepared), on_step=on_step)
        return [Prepared(begun, each.tell) for begun, each in zip(inverted, prepared, strict=True)]

    def finish(self, prepared: Prepared) -> Outcome:
        """See `Run`."""
        begun, laps = prepared.begun, prepared.begun.laps
        report = finish_file(begun, on_step=_told(prepared.tell))
        laps("verify")
        written = verified(begun.request.output)  # decoded to its end, from what is on the disk
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
