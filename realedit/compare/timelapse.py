"""The drag as it happened: the generator's own pictures, with handles and targets drawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from alignment.geometry import Points
from checkpoints import Checkpoint, Generator
from inversion import Step
from realedit import pipeline
from realedit.compare.animation import FRAMES_PER_SECOND, Frame, write_animation
from realedit.compare.marked import marked
from realedit.compare.pair import Picture, resized
from realedit.drag import DragStep
from realedit.pipeline import OnStep
from realedit.session import Drag, Session, to_picture

SIDE = 512  # pixels of a frame
MOST_FRAMES = 120
_BEGIN, _END = 0.8, 1.5  # seconds that the first and the last picture stay


class Recorder:
    """An `OnStep` that keeps every drag step, a few KB each, and asks `on_step` whether to go on."""

    def __init__(self, on_step: OnStep) -> None:
        self.on_step = on_step
        self.steps: list[DragStep] = []

    def __call__(self, step: Step | DragStep) -> bool:
        """Keep a drag's step."""
        if isinstance(step, DragStep):
            self.steps.append(step)
        return self.on_step(step)


def write_timelapse(path: Path, steps: list[DragStep], session: Session, checkpoint: Checkpoint) -> None:
    """Write the steps of a session's drags (its whole history, from the pivot on) as GIF, WebP or MP4."""
    write_animation(path, _frames(steps, session, checkpoint))


def _frames(steps: list[DragStep], session: Session, checkpoint: Checkpoint) -> Iterator[Frame]:
    generator = pipeline.generator_of(session, checkpoint)
    size = generator.resolution
    runs = list(zip(_runs(steps), session.history, strict=True))
    assert session.pivot is not None

    def drawn(latent: torch.Tensor, handles: Points, drag: Drag) -> Picture:
        starts, targets = (
            session.alignment.to_crop(points, size) * SIDE / size for points in (drag.handles, drag.targets)
        )
        now = handles * SIDE / size
        return marked(_picture(generator, latent), starts, targets, reached=now)

    first = runs[0][1]
    yield Frame(drawn(session.pivot, session.alignment.to_crop(first.handles, size), first), _BEGIN)
    every = -(-len(steps) // MOST_FRAMES)
    for run, drag in runs:
        for step in (*run[every - 1 : -1 : every], run[-1]):
            seconds = _END if step is steps[-1] else 1 / FRAMES_PER_SECOND
            yield Frame(drawn(step.latent, step.handles, drag), seconds)


def _runs(steps: list[DragStep]) -> list[list[DragStep]]:
    """The steps of each drag; every drag counts its own from 1 (or 0, where nothing was to be done)."""
    runs: list[list[DragStep]] = []
    for step in steps:
        if not runs or step.index <= runs[-1][-1].index:
            runs.append([])
        runs[-1].append(step)
    return runs


def _picture(generator: Generator, latent: torch.Tensor) -> Picture:
    """The generator's picture of a latent, `[SIDE, SIDE, 3]`."""
    device = next(generator.parameters()).device
    with torch.no_grad():
        image = to_picture(generator.synthesis(latent.to(device)))
    return resized((image * 255 + 0.5).astype(np.uint8), (SIDE, SIDE))
