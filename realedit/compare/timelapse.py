"""The drag as it happened: the generator's own pictures, with handles and targets drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import numpy as np
import torch

from alignment.geometry import Points
from checkpoints import Checkpoint, Generator
from inversion import Step
from realedit.compare.animation import FRAMES_PER_SECOND, Frame, write_animation
from realedit.compare.marked import marked
from realedit.compare.pair import Picture, resized
from realedit.drag import DragStep, OnStep
from realedit.sessions.pictures import generator_of
from realedit.sessions.session import Drag, Session, to_picture

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


def write_timelapse(
    path: Path, steps: list[DragStep], sessions: Sequence[Session], checkpoint: Checkpoint
) -> None:
    """Write the steps of sessions' drags (their whole histories, from the pivots on, one after the other) as
    GIF, WebP or MP4."""
    runs = iter(_runs(steps))
    of_session = [(session, list(islice(runs, len(_of_generator(session))))) for session in sessions]
    every = -(-len(steps) // MOST_FRAMES)
    write_animation(path, chain.from_iterable(_frames(*each, checkpoint, every) for each in of_session))


def _of_generator(session: Session) -> list[Drag]:
    """The drags of a session of which the generator had a part, and which it therefore can show."""
    return [drag for drag in session.history if not drag.carried or drag.steps]


def _frames(
    session: Session, runs: list[list[DragStep]], checkpoint: Checkpoint, every: int
) -> Iterator[Frame]:
    """The steps of each drag of a session, every so many of them and the last."""
    generator = generator_of(session, checkpoint)
    size = generator.resolution
    assert session.pivot is not None

    def drawn(latent: torch.Tensor, handles: Points, drag: Drag) -> Picture:
        starts, targets = (
            session.alignment.to_crop(points, size) * SIDE / size for points in (drag.handles, drag.targets)
        )
        now = targets.copy()  # of what the paste carries out
        now[[i for i in range(len(now)) if i not in drag.carried]] = handles * SIDE / size
        return marked(_picture(generator, latent), starts, targets, reached=now)

    drags = _of_generator(session)
    first = next(iter(drags), session.history[0])
    begun = [handle for i, handle in enumerate(first.handles) if i not in first.carried]
    yield Frame(drawn(session.pivot, session.alignment.to_crop(begun, size), first), _BEGIN)
    for run, drag in zip(runs, drags, strict=True):
        for step in (*run[every - 1 : -1 : every], run[-1]):
            seconds = _END if step is runs[-1][-1] else 1 / FRAMES_PER_SECOND
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
