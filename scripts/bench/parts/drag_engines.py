"""A drag in a process of its own: the paper's loop or ours, timed on request."""

import multiprocessing
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

import checkpoints
from bench.shared.drag_reference import Reference
from checkpoints import Checkpoint
from checkpoints.testing import random_checkpoint
from checkpoints.windows import convolutions
from inversion import CodeSpace
from realedit.drag import DragSettings, Editor

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """What is dragged."""

    points: int
    masked: bool

    def __str__(self) -> str:
        return f"{self.points} point{'s' * (self.points > 1)}{', mask' * self.masked}"


def load(model: str) -> Checkpoint:
    """A bundled model by name, or the FFHQ layout with random weights by its resolution."""
    if not model.isdigit():
        return checkpoints.load(model)
    return random_checkpoint(
        int(model), w_dim=512, channel_base=32768, channel_max=512, mapping_layers=2, encoder=False
    )


def places(count: int, size: int) -> tuple[Points, Points]:
    """Handles and targets in pixels: like landmarks, within the middle of the picture."""
    rng = np.random.default_rng(count)
    handles = np.array([[0.5, 0.6]]) if count == 1 else rng.uniform(0.25, 0.75, (count, 2))
    angle = rng.uniform(0, 2 * np.pi, count)
    return handles * size, (handles + 0.12 * np.stack([np.cos(angle), np.sin(angle)], -1)) * size


def movable(size: int) -> NDArray[np.float32]:
    mask = np.zeros((size, size), np.float32)
    mask[size // 5 : -size // 5, size // 5 : -size // 5] = 1
    return mask


def reference_steps(checkpoint: Checkpoint, latent: Tensor, case: Case) -> Iterator[Tensor]:
    size = checkpoint.generator.resolution
    mask = torch.from_numpy(movable(size)) if case.masked else None
    handles, targets = (torch.from_numpy(p.astype(np.float32)) for p in places(case.points, size))
    for picture, _ in Reference(checkpoint.generator, latent, mask).drag(handles, targets):
        yield picture


def our_steps(editor: Editor) -> Iterator[Any]:
    while True:
        yield from editor.steps()
        editor.undo()  # it has arrived: once more


def our_editor(checkpoint: Checkpoint, latent: Tensor, case: Case) -> Editor:
    size = checkpoint.generator.resolution
    settings = DragSettings(max_steps=10**6, patience=10**6, until=1e-6)
    editor = Editor(
        checkpoint.generator,
        latent,
        settings,
        CodeSpace.of(checkpoint, samples=256),
        mask=movable(size) if case.masked else None,
    )
    editor.add(*places(case.points, size))
    return editor


def arithmetic(editor: Editor, case: Case) -> tuple[float, float]:
    """Multiply-adds of a step's convolutions, forward and backward, and seconds that plain convolutions of
    the same shapes take.
    """
    source = editor.source
    plan = source.plan(
        torch.from_numpy(editor.handles * (editor.cells / editor.resolution)), hold=case.masked
    )
    work, seconds = 0.0, 0.0
    for layer, count, (height, width) in convolutions(source.synthesis.shapes, plan):
        x = torch.randn(count, layer.in_channels, height, width).to(source.synthesis.const)
        weight = torch.randn(layer.out_channels, layer.in_channels, 3, 3).to(x)
        x, weight = (t.contiguous(memory_format=torch.channels_last) for t in (x, weight))
        work += 9 * layer.in_channels * layer.out_channels * count * height * width
        times = []
        with torch.no_grad():
            for _ in range(4):
                begun = time.perf_counter()
                F.conv2d(x, weight, padding=1)
                times.append(time.perf_counter() - begun)
        seconds += min(times)
    return 2 * work, 2 * seconds


ENGINES = ("reference", "ours")


def worker(pipe: Connection, engine: str, model: str, threads: int) -> None:
    """Answer requests: ("start", case) -> seconds to the first preview; ("steps", n) -> seconds per step;
    ("memory", None) -> peak megabytes so far; ("arithmetic", case) -> see there; None -> end.
    """
    torch.set_num_threads(threads)
    checkpoint = load(model)
    generator = checkpoint.generator
    rng = torch.Generator().manual_seed(1)
    latent = generator.mapping(torch.randn(1, generator.z_dim, generator=rng))
    steps: Iterator[Any] = iter(())
    while (request := pipe.recv()) is not None:
        what, value = request
        begun = time.perf_counter()
        if what == "start" and engine == "reference":
            steps = reference_steps(checkpoint, latent, value)
            next(steps)
            pipe.send(time.perf_counter() - begun)
        elif what == "start":
            editor = our_editor(checkpoint, latent, value)
            steps = our_steps(editor)
            first = next(steps)
            with torch.no_grad():
                generator.synthesis(first.latent)
            pipe.send(time.perf_counter() - begun)
        elif what == "memory":
            pipe.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        elif what == "arithmetic":
            pipe.send(arithmetic(editor, value))
        else:
            for _ in range(value):
                next(steps)
            pipe.send((time.perf_counter() - begun) / value)
    pipe.send(None)


class Engine:
    """A worker process."""

    def __init__(self, engine: str, model: str, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=worker, args=(other, engine, model, threads), daemon=True)
        self.process.start()

    def ask(self, request: tuple[str, Any] | None) -> Any:
        self.pipe.send(request)
        return self.pipe.recv()
