"""What a device makes of drags and inversions: milliseconds per drag step at 512 and 1024 px and with the
bundled model, seconds of a known face's edit, of an inversion, of the start, and peak memory.

Under four minutes. Needs torch, numpy, OpenCV and Pillow alone: no face is looked for and no photo read.
Models of a resolution are the FFHQ layout with random weights. Every step is counted after the first ones, in
which a GPU's steps are recorded; how long the first ones take is a row of its own.

    python scripts/bench gpu [--device cuda] [--models 512 1024 face128] [--points 1 5] [--json FILE]
    python scripts/bench gpu --device cpu --quick
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import checkpoints
import inversion
from bench.parts.drag_engines import Case, load, our_editor, our_steps, places
from bench.shared.counting import operations
from bench.shared.rows import Row, report, row
from checkpoints import Checkpoint
from realedit.drag import DragSettings, Editor

GOALS = {"512": 2.0, "1024": 2.0, "face128": 1.0}  # ms per step
EDIT, INVERSION = 0.3, 0.5  # seconds
START = "import checkpoints, inversion, realedit.drag"


@dataclass(frozen=True)
class Device:
    """Where it runs, and how to wait for it."""

    torch: torch.device

    def done(self) -> float:
        """The time when everything asked of it is done."""
        if self.torch.type == "cuda":
            torch.cuda.synchronize(self.torch)
        return time.perf_counter()

    def fresh(self) -> None:
        """Forget the peak of memory so far."""
        if self.torch.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.torch)

    def peak(self) -> float:
        """Megabytes: of the device, or of this process so far."""
        if self.torch.type == "cuda":
            return torch.cuda.max_memory_allocated(self.torch) / 2**20
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def __str__(self) -> str:
        if self.torch.type == "cuda":
            return torch.cuda.get_device_name(self.torch)
        return f"{self.torch.type}, {torch.backends.cpu.get_cpu_capability()}"


def main() -> None:
    arguments = parse()
    device = Device(torch.device(arguments.device))
    table = start()
    for model in arguments.models:
        checkpoint = on_device(load(model), device)
        for count in arguments.points:
            for masked in (False, True):
                table += drag_rows(model, checkpoint, Case(count, masked), device, arguments)
        del checkpoint
    bundled = on_device(checkpoints.load("face128"), device)
    table += edit_rows(bundled, device, arguments)
    table += inversion_rows(bundled, device, arguments)
    report(table, f"{device}; {dtype_name(device)}", arguments.json)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--quick", action="store_true", help="the bundled model, 1 point, few steps")
    parser.add_argument("--models", nargs="+", default=["512", "1024", "face128"])
    parser.add_argument("--points", nargs="+", type=int, default=[1, 5])
    parser.add_argument("--steps", type=int, default=64, help="of a drag that are timed")
    parser.add_argument("--rounds", type=int, default=3, help="of edits and inversions; the median counts")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.models, arguments.points, arguments.steps, arguments.rounds = ["face128"], [1], 4, 1
    return arguments


def dtype_name(device: Device) -> str:
    """The dtype that features are computed in."""
    return str(checkpoints.fast_dtype(device.torch)).removeprefix("torch.")


def start() -> list[Row]:
    """Seconds from nothing to a program that could drag."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    plain = time.perf_counter() - begun
    begun = time.perf_counter()
    path = [str(Path(__file__).resolve().parents[2])]
    subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {path}; {START}"], check=True)
    seconds = time.perf_counter() - begun
    return [
        row("start: import torch", plain, "s"),
        row("start: import what drags and inverts, torch with it", seconds, "s"),
    ]


def on_device(checkpoint: Checkpoint, device: Device) -> Checkpoint:
    """The checkpoint with its networks there."""
    for part in (checkpoint.generator, checkpoint.encoder):
        if isinstance(part, torch.nn.Module):
            part.to(device.torch)
    return checkpoint


def latent_of(checkpoint: Checkpoint, seed: int = 1) -> Tensor:
    """A random face's, `[1, num_ws, w_dim]`."""
    generator = checkpoint.generator
    z = torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        found: Tensor = generator.mapping(z.to(generator.w_avg.device))
    return found


def drag_rows(
    model: str, checkpoint: Checkpoint, case: Case, device: Device, arguments: argparse.Namespace
) -> list[Row]:
    device.fresh()
    begun = device.done()
    editor = our_editor(checkpoint, latent_of(checkpoint), case)
    steps: Iterator[Any] = our_steps(editor)
    next(steps)
    first = device.done() - begun
    for _ in range(2 if device.torch.type == "cpu" else 32):
        next(steps)
    begun = device.done()
    for _ in range(arguments.steps):
        next(steps)
    each = 1000 * (device.done() - begun) / arguments.steps
    peak = device.peak()
    name = f"{model}, {case}"
    goal = GOALS.get(model) if device.torch.type == "cuda" else None
    return [
        row(f"{name}: a step", each, "ms", goal),
        row(f"{name}: to the first step", first, "s"),
        row(f"{name}: peak memory", peak, "MB"),
        row(f"{name}: operations of a step", operations(editor), "1"),
    ]


def edit_rows(checkpoint: Checkpoint, device: Device, arguments: argparse.Namespace) -> list[Row]:
    """From a latent that is known to a drag's end and the pictures before and after it."""
    size, pivot = checkpoint.generator.resolution, latent_of(checkpoint, 3)
    codes = inversion.CodeSpace.of(checkpoint, samples=256)
    handles, targets = places(1, size)
    seconds, steps = [], 0
    for _ in range(arguments.rounds + 1):
        begun = device.done()
        settings = DragSettings(max_steps=arguments.steps)
        editor = Editor(checkpoint.generator, pivot, settings, codes, layers=checkpoint.drag_layers)
        editor.add(handles, targets)
        steps = len(list(editor.steps()))
        with torch.no_grad():
            for latent in (pivot, editor.latent):
                checkpoint.generator.synthesis(latent).cpu()
        seconds.append(device.done() - begun)
    goal = EDIT if device.torch.type == "cuda" else None
    found = statistics.median(seconds[1:])
    return [
        row("a known face: drag and pictures, the first time", seconds[0], "s"),
        row(f"a known face: drag ({steps} steps) and pictures", found, "s", goal),
    ]


def inversion_rows(checkpoint: Checkpoint, device: Device, arguments: argparse.Namespace) -> list[Row]:
    """`standard` on a picture that the model can draw nearly: a random face's with other colours."""
    settings = inversion.InversionSettings.preset("standard")
    if arguments.quick:
        settings = settings.changed({"projection.steps": "4", "tuning.steps": "4"})
    start, size = None, checkpoint.generator.resolution
    try:
        inversion.starting_latent(checkpoint, torch.zeros(1, 3, size, size, device=device.torch))
    except checkpoints.CheckpointError as error:  # without dlib's file, which its encoder looks with
        print(f"no likeness, and from the mean face: {error}")
        settings = settings.changed({"projection.likeness": "0"})
        generator = checkpoint.generator
        start = generator.w_avg.reshape(1, 1, -1).repeat(1, generator.num_ws, 1)
    with torch.no_grad():
        picture = checkpoint.generator.synthesis(latent_of(checkpoint, 5)).clamp(-1, 1)
    crop = 0.8 * picture + 0.1 * picture.roll(1, 1) + 0.05
    device.fresh()
    loss, spent, quality = inversion.choose("pyramid", checkpoint), [], 0.0
    for _ in range(arguments.rounds + 1):
        begun = device.done()
        quality = inverted(checkpoint, crop, loss, settings, start)
        spent.append(device.done() - begun)
    goal = INVERSION if device.torch.type == "cuda" else None
    return [
        row("an inversion at standard, the first time", spent[0], "s"),
        row("an inversion at standard", statistics.median(spent[1:]), "s", goal),
        row("an inversion at standard: PSNR", quality, "dB"),
        row("an inversion at standard: peak memory", device.peak(), "MB"),
    ]


def inverted(
    checkpoint: Checkpoint,
    crop: Tensor,
    loss: inversion.PerceptualLoss,
    settings: inversion.InversionSettings,
    start: Tensor | None,
) -> float:
    """Project and tune; the PSNR of the pivot's picture by the tuned generator."""
    valid, precision = torch.ones_like(crop[:, :1]), settings.precision
    *_, last = inversion.project(
        checkpoint, crop, valid, loss, settings.projection, start=start, precision=precision
    )
    tuned = inversion.tuned_copy(checkpoint.generator)
    for _ in inversion.tune(
        checkpoint, tuned, last.latent, crop, valid, loss, settings.tuning, precision=precision
    ):
        pass
    with torch.no_grad():
        error = (tuned.synthesis(last.latent) - crop).square().mean()
    return float(10 * torch.log10(4 / error))
