"""Ways to move points of a picture: the paper's loop, ours, a thin-plate warp, and not at all."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from bench.shared.drag_reference import Reference
from bench.shared.drawn_faces import SIZE, Picture, Points, Sample, picture_of
from checkpoints import Checkpoint
from inversion import CodeSpace
from realedit.drag import DragSettings, Editor

NO_EDIT = "no-edit"


@dataclass(frozen=True)
class Outcome:
    """What one way of moving the points came to. points: where they say the handles are, 512 px."""

    picture: Picture
    steps: int = 0
    seconds: float = 0.0
    ended: str = "arrived"
    points: Points | None = None


Way = Callable[[Checkpoint, Sample, Points, Points, NDArray[np.float32]], Outcome]


def stopping_distance(count: int) -> float:
    """How near the paper's loop wants `count` handles, in the generator's pixels."""
    return 1.0 if count <= 5 else 2.0


def nothing(_: Checkpoint, start: Sample, *__: object) -> Outcome:
    return Outcome(start.picture)


def ours(checkpoint: Checkpoint, start: Sample, handles: Points, targets: Points,
         mask: NDArray[np.float32], settings: DragSettings | None = None) -> Outcome:  # fmt: skip
    scale = checkpoint.generator.resolution / SIZE
    begun = time.process_time()
    editor = Editor(checkpoint.generator, start.latent, settings or DragSettings(), CodeSpace.of(checkpoint),
                    mask=mask, layers=checkpoint.drag_layers)  # fmt: skip
    editor.add(handles * scale, targets * scale)
    *_, last = editor.steps()
    seconds = time.process_time() - begun
    picture = picture_of(checkpoint, editor.latent)
    return Outcome(picture, last.index, seconds, last.ending, editor.handles / scale)


def reference(checkpoint: Checkpoint, start: Sample, handles: Points, targets: Points,
              mask: NDArray[np.float32]) -> Outcome:  # fmt: skip
    """Until all handles are near enough, or 300 steps."""
    generator = checkpoint.generator
    scale = generator.resolution / SIZE
    begun = time.process_time()
    loop = Reference(generator, start.latent, torch.from_numpy(mask), plain=False)
    goal = torch.from_numpy((targets * scale).astype(np.float32))
    begin = torch.from_numpy((handles * scale).astype(np.float32))
    until = stopping_distance(len(handles))
    steps, ended = 0, "steps"
    for steps, (_, at) in enumerate(loop.drag(begin, goal)):
        if float((at - goal).norm(dim=-1).max()) <= until:
            ended = "arrived"
            break
        if steps == 300:
            break
    seconds = time.process_time() - begun
    latent = torch.cat([loop.moving.detach(), loop.rest], 1)
    return Outcome(picture_of(checkpoint, latent), steps, seconds, ended, at.numpy() / scale)


def thin_plate(_: Checkpoint, start: Sample, handles: Points, targets: Points, __: object) -> Outcome:
    """The picture itself, bent so that the points move; its border stays."""
    line = np.linspace(0, SIZE, 5)
    border = np.array([(x, y) for x in line for y in line if x in (0, SIZE) or y in (0, SIZE)])
    begun = time.process_time()
    there, here = np.concatenate([targets, border]), np.concatenate([handles, border])
    y, x = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5, indexing="ij")
    source = spline(there, here, np.stack([x, y], -1).reshape(-1, 2)).reshape(SIZE, SIZE, 2) - 0.5
    bent = cv2.remap(start.picture, source.astype(np.float32), None, cv2.INTER_CUBIC,
                     borderMode=cv2.BORDER_REFLECT)  # fmt: skip
    return Outcome(np.asarray(bent, np.uint8), 1, time.process_time() - begun, points=targets)


def spline(points: Points, values: Points, at: Points) -> Points:
    """Thin-plate spline through values `[N, 2]` at points `[N, 2]`, at other points."""

    def kernel(a: Points, b: Points) -> Points:
        squared = ((a[:, None] - b[None]) ** 2).sum(-1)
        return np.asarray(squared * np.log(squared + 1e-9))

    count = len(points)
    plane = np.concatenate([np.ones((count, 1)), points], 1)
    system = np.block([[kernel(points, points) + 1e-6 * np.eye(count), plane], [plane.T, np.zeros((3, 3))]])
    weights = np.linalg.lstsq(system, np.concatenate([values, np.zeros((3, 2))]), rcond=None)[0]
    return (
        kernel(at, points) @ weights[:count]
        + np.concatenate([np.ones((len(at), 1)), at], 1) @ weights[count:]
    )


WAYS: dict[str, Way] = {NO_EDIT: nothing, "thin-plate": thin_plate, "reference": reference, "ours": ours}
