#!/usr/bin/env python
"""How fast a drag step is, and how much memory it takes: the paper's loop against ours.

`reference` is DragGAN's loop as people run it (`drag_reference.py`). Both run in processes of their
own and take turns, so that what else the machine does falls on both. Peak memory is a process's, with Python,
torch and the weights.

    scripts/bench_drag.py [--quick] [--threads 2] [--resolutions 256 512 1024] [--points 1 5 68]
                          [--json FILE]
"""

import argparse
import json
import multiprocessing
import os
import platform
import resource
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from drag_reference import Reference
from numpy.typing import NDArray
from torch import Tensor

import checkpoints
from checkpoints import Checkpoint
from checkpoints.testing import random_checkpoint
from checkpoints.windows import convolutions
from inversion import CodeSpace
from realedit import __version__
from realedit.drag import DragSettings, Editor

Points = NDArray[np.float64]
# Seconds per step of the paper's authors' code on a machine whose float32 convolutions reach 300 GFLOP/s.
AUTHORS = {512: 2.12, 1024: 4.26}
AUTHORS_RATE = 300.0
GOALS = {512: 30.0, 1024: 60.0}
MEMORY_GOAL = 1300


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
    ("arithmetic", case) -> see there; None -> peak megabytes, and end.
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
        elif what == "arithmetic":
            pipe.send(arithmetic(editor, value))
        else:
            for _ in range(value):
                next(steps)
            pipe.send((time.perf_counter() - begun) / value)
    pipe.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


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
    """One case on one model: seconds per step in every round, seconds to the first preview."""

    case: Case
    reference: list[float]
    ours: list[float]
    preview: tuple[float, float]
    arithmetic: tuple[float, float]

    @property
    def ratios(self) -> list[float]:
        return sorted(r / o for r, o in zip(self.reference, self.ours, strict=True))


def compare(
    model: str, cases: Sequence[Case], rounds: int, threads: int
) -> tuple[list[Timing], dict[str, float]]:
    engines = {name: Engine(name, model, threads) for name in ENGINES}
    timings = []
    for case in cases:
        preview = tuple(engines[name].ask(("start", case)) for name in ENGINES)
        engines["ours"].ask(("steps", 3))
        found: dict[str, list[float]] = {name: [] for name in ENGINES}
        for _ in range(rounds):
            for name, count in (("reference", 1), ("ours", 10)):
                found[name].append(engines[name].ask(("steps", count)))
        arithmetic = engines["ours"].ask(("arithmetic", case))
        timing = Timing(case, found["reference"], found["ours"], preview, arithmetic)
        timings.append(timing)
        show(model, timing)
    return timings, {name: engine.ask(None) for name, engine in engines.items()}


def show(model: str, timing: Timing) -> None:
    reference, ours = statistics.median(timing.reference), statistics.median(timing.ours)
    low, high = timing.ratios[0], timing.ratios[-1]
    print(
        f"{model:>8} {timing.case!s:16} reference {reference:7.3f} s  ours {ours:7.4f} s"
        f" = {1 / ours:6.1f} steps/s"
        f"  ratio {statistics.median(timing.ratios):6.1f} ({low:.1f} to {high:.1f})"
        f"  first preview {timing.preview[0]:.2f} / {timing.preview[1]:.2f} s",
        flush=True,
    )


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


def rows(
    model: str, timings: Sequence[Timing], peak: dict[str, float], rate: float
) -> list[dict[str, object]]:
    found = []
    for timing in timings:
        name = f"{model}, {timing.case}"
        few = timing.case.points <= 5
        ratio = statistics.median(timing.ratios)
        spread = timing.ratios[-1] - timing.ratios[0]
        goal = GOALS.get(int(model)) if model.isdigit() and few else None
        ours = statistics.median(timing.ours)
        found += [
            row(f"{name}: reference, seconds per step", statistics.median(timing.reference), "s"),
            row(f"{name}: ours, seconds per step", ours, "s"),
            row(f"{name}: ours, steps per second", 1 / ours, "1/s"),
            row(f"{name}: times the reference", ratio, "1", goal, None if goal is None else ratio >= goal),
            row(f"{name}: spread of that (most - least)", spread, "1"),
            row(f"{name}: ours, first preview", timing.preview[1], "s"),
            row(f"{name}: ours, multiply-adds per step", timing.arithmetic[0] / 1e9, "1e9"),
            row(f"{name}: ours, GFLOP/s", 2 * timing.arithmetic[0] / ours / 1e9, "GFLOP/s"),
            row(f"{name}: ours, speed of plain convolutions of the same shapes", timing.arithmetic[1] / ours,
                "share", 0.65, timing.arithmetic[1] >= 0.65 * ours),
        ]  # fmt: skip
        if goal is not None:
            found.append(row(f"{name}: 100 steps", 100 * ours, "s", 7.0, 100 * ours < 7))
    goal = MEMORY_GOAL if model.isdigit() and int(model) >= 512 else None
    held = None if goal is None else peak["ours"] <= goal
    found.append(row(f"{model}: ours, peak memory", peak["ours"], "MB", goal, held))
    found.append(row(f"{model}: reference, peak memory", peak["reference"], "MB"))
    if model.isdigit() and int(model) in AUTHORS:
        seconds = AUTHORS[int(model)] * AUTHORS_RATE / rate
        share = statistics.median(timings[0].reference) / seconds
        found.append(row(f"{model}: reference / authors' code scaled to this machine", share, "1", 1.1,
                         0.9 <= share <= 1.1))  # fmt: skip
    return found


def row(
    what: str, value: float, unit: str, goal: float | None = None, holds: bool | None = None
) -> dict[str, object]:
    return {"what": what, "value": round(value, 4), "unit": unit, "goal": goal, "holds": holds}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="512 px alone, 1 and 5 points")
    parser.add_argument("--points", type=int, nargs="+", default=[1, 5, 68])
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--resolutions", type=int, nargs="*", default=[256, 512, 1024])
    parser.add_argument("--bundled", default="face128")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.resolutions, arguments.rounds, arguments.points = [512], 3, [1, 5]
    return arguments


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    cases = [Case(count, masked) for count in arguments.points for masked in (False, True)]
    models = [*map(str, arguments.resolutions), arguments.bundled]
    rates = [convolution_rate(dtype) for dtype in (torch.float32, torch.bfloat16)]
    print(
        f"realedit {__version__}, torch {torch.__version__}, {platform.machine()},"
        f" {arguments.threads} threads;"
    )
    print(f"a plain convolution: {rates[0]:.0f} GFLOP/s in float32, {rates[1]:.0f} in bfloat16", flush=True)
    table: list[dict[str, object]] = []
    for model in models:
        timings, peak = compare(model, cases, arguments.rounds, arguments.threads)
        table += rows(model, timings, peak, rates[0])
    for each in table:
        held = "holds" if each["holds"] else "MISSED"
        goal = "" if each["goal"] is None else f"  (goal {each['goal']}, {held})"
        print(f"{each['what']:62} {each['value']:>10} {each['unit']}{goal}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": table}, indent=1))


if __name__ == "__main__":
    main()
