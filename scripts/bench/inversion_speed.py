"""How fast inversion is on large generators, against a plain transcription of the published loops.

    python scripts/bench inversion_speed [--resolution 512 --resolution 1024] [--steps 3] [--quick]
                                     [--json FILE] [--raw FILE] [--photo FILE] [--times RATIO]

A generator in the FFHQ layout (channel_base 32768) with random weights, made on the spot. "Plain" is what the
papers describe, in float32, at full size at every step: Adam on one code and the noise maps, with LPIPS on
VGG-16 at 256 px and the noise regularisation (Karras et al. 2020, appendix D); and Adam on all weights with
L2 and LPIPS on AlexNet, the smallest, at full size, without the locality term (Roich et al. 2021). Their
networks have random weights, which cost the same. Ours is `standard`: a whole projection and a whole tuning
of few steps, with sizes and precisions in their shares.

Seconds are the processor's, per step: with one thread (OMP_NUM_THREADS=1) they say on a busy machine what
they say on an idle one. Every case runs in a process of its own, whose peak memory is told. --raw keeps each
case's figures as they come, and goes on from those that are there. --times also races at each resolution: a
whole `standard` projection, then a whole tuning, against the plain loops until these have the loss that ours
end with, or have taken so many times as long. --photo races the tuning of the bundled model to a face, for
all of PTI's steps. What the plain loop did not reach is told as a lower bound, and extrapolated.
"""

import argparse
import json
import math
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from commands import itself
from torch import Tensor

import checkpoints
from bench.parts.inversion_race import GOAL, Race, race, race_rows
from bench.shared.measuring import Kept, Row, aligned, report, row
from checkpoints import Checkpoint, Generator
from checkpoints.testing import random_checkpoint
from inversion import (
    InversionSettings,
    Pyramid,
    project,
    starting_latent,
    tune,
    tuned_copy,
)
from inversion.perceptual import untrained_lpips
from realedit.editing import stages
from realedit.sessions.session import to_tensor

MEMORY = {"project": 3.0, "tune": 5.0}
MIXED = 10  # steps of a whole projection or tuning of ours
CASES = ("plain-project", "project", "plain-tune", "tune")


def main() -> None:
    """Measure in processes of their own, print and write."""
    arguments = parse()
    if arguments.case:
        print(json.dumps(measure(arguments.case, arguments.resolution[0], arguments.steps)))
        return
    table: list[Row] = []
    for resolution in arguments.resolution or ([256] if arguments.quick else [512, 1024]):
        found = {case: run(case, resolution, arguments) for case in CASES}
        for stage in ("project", "tune"):
            table += rows(stage, resolution, found[f"plain-{stage}"], found[stage])
        if arguments.times:
            table += large_race(resolution, arguments.times)
    if arguments.photo:
        table += same_loss(arguments.photo)
    report(table, "FFHQ layout, random weights", arguments.json)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resolution", type=int, action="append")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="256 px alone")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--raw", type=Path)
    parser.add_argument("--photo", type=Path, help="a face, for the time to the same loss")
    parser.add_argument(
        "--times", type=float, default=0, metavar="RATIO", help="race to the same loss, so long at most"
    )
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    return parser.parse_args()


def run(case: str, resolution: int, arguments: argparse.Namespace) -> dict[str, float]:
    """`measure` in a process of its own, unless the raw file has it."""
    kept, key = Kept(arguments.raw), f"{case} {resolution} {arguments.steps}"
    if key in kept.known:
        return dict(kept.known[key])
    command = [
        *itself("bench", "inversion_speed"),
        "--case",
        case,
        f"--resolution={resolution}",
        f"--steps={arguments.steps}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-500:])
        return {"seconds": float("nan"), "memory": float("nan")}
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(f"{case} at {resolution} px: {found}", flush=True)
    kept.add(key, found)
    return found


def measure(case: str, resolution: int, steps: int) -> dict[str, float]:
    """Seconds per step, after one that does not count, and the process's peak memory in GB."""
    checkpoint, crop = large(resolution)
    if case == "project":
        list(our_projection(checkpoint, crop))  # as warm as the others after their first step
        walk, count = our_projection(checkpoint, crop), MIXED
    elif case == "tune":
        next(our_tuning(checkpoint, crop))
        walk, count = our_tuning(checkpoint, crop), MIXED
    else:
        walk, count = (
            {"plain-project": plain_projector, "plain-tune": plain_tuning}[case](checkpoint, crop),
            steps,
        )
    if case.startswith("plain"):
        next(walk)
    started = time.process_time()
    for _ in range(count):
        next(walk)
    seconds = (time.process_time() - started) / count
    return {"seconds": seconds, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


def large(resolution: int) -> tuple[Checkpoint, Tensor]:
    """A generator in the FFHQ layout, and what it draws of a random latent."""
    checkpoint = random_checkpoint(
        resolution, w_dim=512, channel_base=32768, channel_max=512, mapping_layers=8, encoder=False
    )
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        ws = checkpoint.generator.mapping(torch.randn(1, 512, generator=rng))
        return checkpoint, checkpoint.generator.synthesis(ws).clamp(-1, 1)


def same_loss(path: Path) -> list[Row]:
    """How long PTI's loop takes to the loss that ours ends at, from the same pivot with the bundled model."""
    checkpoint = checkpoints.load("face128")
    settings = InversionSettings.preset("standard")
    _, session = aligned(path, checkpoint)
    untuned = replace(settings, tuning=replace(settings.tuning, steps=0))
    pivot = stages.invert(session, checkpoint, untuned).pivot
    assert pivot is not None
    valid = torch.from_numpy(session.valid.astype("float32"))[None, None]
    found = tuning_race(checkpoint, to_tensor(session.crop), valid, pivot)
    return race_rows("bundled model", found)


def large_race(resolution: int, times: float) -> list[Row]:
    """The same at a large size, and of the projection: the crop is drawn of another latent, the pivot is its
    projection.
    """
    checkpoint, crop = large(resolution)
    valid, latents = torch.ones_like(crop[:, :1]), []

    def ours() -> Tensor:
        projection = InversionSettings.preset("standard").projection
        for step in project(checkpoint, crop, valid, Pyramid(), projection, precision="auto"):
            latents[:] = [step.latent]
        with torch.no_grad():
            return checkpoint.generator.synthesis(latents[0])

    # the plain loop changes its generator's noise maps
    plain = plain_projector(replace(checkpoint, generator=tuned_copy(checkpoint.generator)), crop)
    found = race(ours, plain, lambda image: float(Pyramid()(image, crop, valid)), most=1000, times=times)
    table = race_rows(f"project at {resolution} px", found)
    found = tuning_race(checkpoint, crop, valid, latents[0], times=times)
    return table + race_rows(f"tune at {resolution} px", found)


def tuning_race(
    checkpoint: Checkpoint, crop: Tensor, valid: Tensor, pivot: Tensor, times: float = math.inf
) -> Race:
    """A whole `standard` tuning, and the plain loop to where it ended."""
    settings = InversionSettings.preset("standard").tuning

    def ours() -> Generator:
        tuned = tuned_copy(checkpoint.generator)
        for _ in tune(checkpoint, tuned, pivot, crop, valid, Pyramid(), settings, precision="auto"):
            pass
        return tuned

    @torch.no_grad()
    def loss_of(generator: Generator) -> float:
        return float(Pyramid()(generator.synthesis(pivot), crop, valid))

    return race(ours, plain_tuning(checkpoint, crop, pivot), loss_of, times=times)


def perceptual(net: str, resolution: int | None) -> Callable[[Tensor, Tensor], Tensor]:
    """LPIPS with random weights, at `resolution` (None: as it is)."""
    torch.manual_seed(0)
    network = untrained_lpips(net, spatial=False).eval().requires_grad_(False)

    def distance(one: Tensor, other: Tensor) -> Tensor:
        if resolution is not None and one.shape[-1] > resolution:
            one, other = (F.interpolate(x, size=[resolution] * 2, mode="area") for x in (one, other))
        found: Tensor = network(one, other).sum()
        return found

    return distance


def plain_projector(checkpoint: Checkpoint, crop: Tensor) -> Iterator[Tensor]:
    """Karras et al. 2020: one code, noise maps, LPIPS at 256 px, noise regularisation. -> the picture before
    each step.
    """
    generator, distance = checkpoint.generator, perceptual("vgg", 256)
    code = generator.w_avg.reshape(1, 1, -1).clone().requires_grad_(True)
    maps = [b.requires_grad_(True) for n, b in generator.named_buffers() if n.endswith("noise_const")]
    optimiser = torch.optim.Adam([code, *maps], lr=0.1, betas=(0.9, 0.999))
    while True:
        image = generator.synthesis(code.repeat(1, generator.num_ws, 1))
        loss = distance(image, crop)
        for noise in maps:
            level = noise[None, None]
            while True:
                shifted = ((level * level.roll(1, axis)).mean().square() for axis in (2, 3))
                loss = loss + 1e5 * sum(shifted)
                if level.shape[-1] <= 8:
                    break
                level = F.avg_pool2d(level, 2) * 2
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        yield image.detach()


def plain_tuning(checkpoint: Checkpoint, crop: Tensor, pivot: Tensor | None = None) -> Iterator[Generator]:
    """Roich et al. 2021: all weights, LPIPS and L2."""
    generator, distance = tuned_copy(checkpoint.generator), perceptual("alex", None)
    weights = [p.requires_grad_(True) for p in generator.synthesis_network.parameters()]
    optimiser = torch.optim.Adam(weights, lr=3e-4)
    pivot = starting_latent(checkpoint, crop) if pivot is None else pivot
    while True:
        image = generator.synthesis(pivot)
        loss = distance(image, crop) + F.mse_loss(image, crop)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        yield generator


def our_projection(checkpoint: Checkpoint, crop: Tensor) -> Iterator[None]:
    """realedit's: a whole one of few steps, its sizes in the shares they have in a long one."""
    valid = torch.ones_like(crop[:, :1])
    settings = replace(InversionSettings().projection, steps=MIXED)
    for _ in project(checkpoint, crop, valid, Pyramid(), settings, precision="auto"):
        yield


def our_tuning(checkpoint: Checkpoint, crop: Tensor) -> Iterator[None]:
    """The same of the tuning, with its precisions."""
    valid = torch.ones_like(crop[:, :1])
    generator = tuned_copy(checkpoint.generator)
    pivot = starting_latent(checkpoint, crop)
    settings = replace(InversionSettings().tuning, steps=MIXED)
    for _ in tune(checkpoint, generator, pivot, crop, valid, Pyramid(), settings, precision="auto"):
        yield


def rows(stage: str, resolution: int, plain: dict[str, float], ours: dict[str, float]) -> list[Row]:
    """The table of one stage at one size."""
    where = f"{stage} at {resolution} px"
    ratio = plain["seconds"] / ours["seconds"]
    goal = MEMORY[stage] if resolution == 1024 else None
    return [
        row(f"{where}: seconds per step, plain", plain["seconds"], "s"),
        row(f"{where}: seconds per step, realedit", ours["seconds"], "s"),
        row(f"{where}: times as fast", ratio, "x", GOAL, least=True),
        row(f"{where}: peak memory, plain", plain["memory"], "GB"),
        row(f"{where}: peak memory, realedit", ours["memory"], "GB", goal),
    ]
