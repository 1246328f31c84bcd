"""How fast a drag step is, and how much memory it takes: the paper's loop against ours.

`reference` is DragGAN's loop as people run it (`drag_reference.py`). For every case both run in processes of
their own and take turns, so that what else the machine does falls on both. Peak memory is a process's, with
Python, torch, the weights and one picture. A model is the FFHQ layout with random weights by its resolution,
or one that realedit knows. A long run may be made in pieces: what --raw holds is not run again.

    python scripts/bench drag [--quick] [--threads 2] [--models 256 512 1024 face128] [--points 1 5 68]
                          [--mask no yes] [--rounds 5] [--seconds S] [--raw FILE.jsonl] [--json FILE]
"""

import argparse
import os
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from bench.parts.drag_engines import ENGINES, Case, Engine
from bench.shared.measuring import Kept, Row, report, row

# Seconds per step of the paper's authors' code on a machine whose float32 convolutions reach 300 GFLOP/s.
AUTHORS = {"512": 2.12, "1024": 4.26}
AUTHORS_RATE = 300.0
GOALS = {"512": 30.0, "1024": 60.0}
MEMORY_GOAL = 1300  # MB (of 1024^2 bytes)
RATE_GOAL = 0.65


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


def compare(model: str, case: Case, rounds: int, threads: int, seconds: float) -> Timing:
    """seconds: no round begins after so many."""
    begun = time.monotonic()
    engines = {name: Engine(name, model, threads) for name in ENGINES}
    preview = [engines[name].ask(("start", case)) for name in ENGINES]
    engines["ours"].ask(("steps", 3))
    found: dict[str, list[float]] = {name: [] for name in ENGINES}
    for number in range(rounds):
        if number and time.monotonic() - begun > seconds:
            break
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
    parser.add_argument("--seconds", type=float, default=600.0, help="of a case begin no round after so many")
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
                timing = compare(model, case, arguments.rounds, arguments.threads, arguments.seconds)
                kept.add(key, {"rate": rates[0], **asdict(timing)})
            known = dict(kept.known[key])
            rate = known.pop("rate")
            table += rows(model, case, Timing(**known), rate)
    about = f"a plain convolution: {rates[0]:.0f} GFLOP/s in float32, {rates[1]:.0f} in bfloat16"
    report(table, about, arguments.json)
