#!/usr/bin/env python
"""How fast a drag step is, and how much memory it takes: the paper's loop against ours.

`reference` is DragGAN's loop as people run it (`drag_reference.py`). For every case both run in processes of
their own and take turns, so that what else the machine does falls on both. Peak memory is a process's, with
Python, torch, the weights and one picture. A model is the FFHQ layout with random weights by its resolution,
or one that realedit knows. A long run may be made in pieces: what --raw holds is not run again.

    scripts/bench_drag.py [--quick] [--threads 2] [--models 256 512 1024 face128] [--points 1 5 68]
                          [--mask no yes] [--rounds 5] [--raw FILE.jsonl] [--json FILE]
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from drag_reference import Reference
from measuring import Kept, Row, report, row
from numpy.typing import NDArray
from torch import Tensor

import checkpoints
from checkpoints import Checkpoint
from checkpoints.testing import random_checkpoint
from checkpoints.windows import convolutions
from inversion import CodeSpace
from realedit.drag import DragSettings, Editor

Points = NDArray[np.float64]
# Seconds per step of the paper's authors' code on a machine whose float32 convolutions reach 300 GFLOP/s.
AUTHORS = {"512": 2.12, "1024": 4.26}
AUTHORS_RATE = 300.0
GOALS = {"512": 30.0, "1024": 60.0}
MEMORY_GOAL = 1300  # MB (of 1024^2 bytes)
RATE_GOAL = 0.65


# --- one engine in one process ------------------------------------------------------------------------------


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


# --- comparing ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timing:
    """One case on one model: seconds per step in every round; seconds to the first preview and peak
    megabytes, the reference's and ours; multiply-adds, and the seconds plain convolutions take for them.
    """

    reference: list[float]
    ours: list[float]
    preview: list[float]
    memory: list[float]
    arithmetic: list[float]

    @property
    def ratios(self) -> list[float]:
        return sorted(r / o for r, o in zip(self.reference, self.ours, strict=True))


def compare(model: str, case: Case, rounds: int, threads: int) -> Timing:
    engines = {name: Engine(name, model, threads) for name in ENGINES}
    preview = [engines[name].ask(("start", case)) for name in ENGINES]
    engines["ours"].ask(("steps", 3))
    found: dict[str, list[float]] = {name: [] for name in ENGINES}
    for _ in range(rounds):
        for name, count in (("reference", 1), ("ours", 10)):
            found[name].append(engines[name].ask(("steps", count)))
    memory = [engines[name].ask(("memory", None)) for name in ENGINES]
    arithmetic = engines["ours"].ask(("arithmetic", case))
    for engine in engines.values():
        engine.ask(None)
    return Timing(found["reference"], found["ours"], preview, memory, arithmetic)


def convolution_rate(dtype: torch.dtype) -> float:
    """GFLOP/s of a plain 3x3 convolution, 256 channels at 128 x 128."""
    x = torch.randn(1, 256, 128, 128, dtype=dtype).to(memory_format=torch.channels_last)
    weight = torch.randn(256, 256, 3, 3, dtype=dtype).to(memory_format=torch.channels_last)
    seconds = []
    with torch.no_grad():
        for _ in range(5):
            begun = time.perf_counter()
            F.conv2d(x, weight, padding=1)
            seconds.append(time.perf_counter() - begun)
    return 2 * 9 * 256**2 * 128**2 / min(seconds) / 1e9


def rows(model: str, case: Case, timing: Timing, rate: float) -> list[Row]:
    name = f"{model}, {case}"
    goal = GOALS.get(model) if case.points <= 5 else None
    ours, reference = statistics.median(timing.ours), statistics.median(timing.reference)
    most = MEMORY_GOAL if model in GOALS else None
    found = [
        row(f"{name}: reference, seconds per step", reference, "s"),
        row(f"{name}: ours, seconds per step", ours, "s", digits=4),
        row(f"{name}: ours, steps per second", 1 / ours, "1/s"),
        row(f"{name}: times the reference", statistics.median(timing.ratios), "1", goal, least=True),
        row(f"{name}: spread of that (most - least)", timing.ratios[-1] - timing.ratios[0], "1"),
        row(f"{name}: reference, first preview", timing.preview[0], "s"),
        row(f"{name}: ours, first preview", timing.preview[1], "s"),
        row(f"{name}: reference, peak memory", timing.memory[0], "MB"),
        row(f"{name}: ours, peak memory", timing.memory[1], "MB", most),
        row(f"{name}: ours, multiply-adds per step", timing.arithmetic[0] / 1e9, "1e9"),
        row(f"{name}: ours, GFLOP/s", 2 * timing.arithmetic[0] / ours / 1e9, "GFLOP/s"),
        row(f"{name}: ours, speed of plain convolutions of the same shapes", timing.arithmetic[1] / ours,
            "share", RATE_GOAL, least=True),
    ]  # fmt: skip
    if goal is not None:
        found.append(row(f"{name}: 100 steps", 100 * ours, "s", 7.0))
    if model in AUTHORS and case == Case(1, False):
        seconds = AUTHORS[model] * AUTHORS_RATE / rate
        found.append(row(f"{name}: reference / authors' code scaled to this machine", reference / seconds,
                         "1", 1.1))  # fmt: skip
    return found


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="512 px alone, 1 and 5 points")
    parser.add_argument("--models", nargs="+", default=["256", "512", "1024", "face128"])
    parser.add_argument("--points", type=int, nargs="+", default=[1, 5, 68])
    parser.add_argument("--mask", nargs="+", choices=["no", "yes"], default=["no", "yes"])
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--raw", type=Path, help="every case as it comes; those in it are not run again")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.models, arguments.rounds, arguments.points = ["512"], 3, [1, 5]
    return arguments


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    cases = [Case(count, mask == "yes") for count in arguments.points for mask in arguments.mask]
    kept = Kept(arguments.raw)
    rates = [convolution_rate(dtype) for dtype in (torch.float32, torch.bfloat16)]
    table: list[Row] = []
    for model in arguments.models:
        for case in cases:
            key = f"{model}, {case}"
            if key not in kept.known:
                timing = compare(model, case, arguments.rounds, arguments.threads)
                kept.add(key, {"rate": rates[0], **asdict(timing)})
            known = dict(kept.known[key])
            rate = known.pop("rate")
            table += rows(model, case, Timing(**known), rate)
    about = f"a plain convolution: {rates[0]:.0f} GFLOP/s in float32, {rates[1]:.0f} in bfloat16"
    report(table, about, arguments.json)


if __name__ == "__main__":
    main()
