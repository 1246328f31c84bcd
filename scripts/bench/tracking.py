"""How well points are tracked, apart from dragging: known motions of the features against the tracked points.

Faces that the generator draws are moved inside of it: the features of a coarse block are warped by a smooth
random field that grows over 20 steps, up to 24 px of a 512-pixel picture, and the finer blocks draw the rest,
whose styles drift towards those of another face. So the true place of every landmark is known, while its
features change as they do in a drag. The paper's tracker (nearest neighbour on whole pixels) and ours see the
same.

    python scripts/bench tracking [--quick] [--faces 20] [--model face128] [--json FILE]
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

import checkpoints
from bench.shared.drag_reference import Reference
from bench.shared.drawn_faces import SIZE, Sample, samples
from bench.shared.measuring import report, row
from checkpoints import Checkpoint
from realedit.drag import DragSettings, Lengths, feature_resolution
from realedit.drag.maps import Maps
from realedit.drag.supervision import templates_at, track

STEPS = 20
LONGEST = 24 / SIZE  # of the motion, in shares of the picture's side
DRIFT = 0.25  # of the way to the other face's styles
LOST = 8.0  # px of 512: farther from the truth than this a point is lost


class Motion:
    """A smooth random field over the unit square: `at(points)` is how far a point that arrives there came."""

    def __init__(self, seed: int) -> None:
        rng = torch.Generator().manual_seed(seed)
        self.waves = torch.rand(4, 2, generator=rng) * 4 - 2
        self.phases = torch.rand(4, 2, generator=rng) * 6.28
        self.weights = torch.randn(4, 2, generator=rng)

    def at(self, points: Tensor, share: float) -> Tensor:
        """points `[..., 2]` -> `[..., 2]`."""
        angles = points @ self.waves.T  # [..., 4]
        field = (torch.sin(angles[..., None] * 3.14 + self.phases) * self.weights).sum(-2)
        return field / 4 * LONGEST * share

    def forward(self, points: Tensor, share: float) -> Tensor:
        """Where points go."""
        moved = points.clone()
        for _ in range(30):
            moved = points + self.at(moved, share)
        return moved


def moved_features(checkpoint: Checkpoint, sample: Sample, other: Sample, motion: Motion) -> Iterator[Tensor]:
    """The supervised features after 0, 1, ... STEPS steps of the motion."""
    generator = checkpoint.generator
    network = generator.synthesis_network
    cells = feature_resolution(generator.resolution)
    coarse = max(8, cells // 4)
    with torch.no_grad():
        start = generator.features(sample.latent, upto=coarse)[coarse]
    line = (torch.arange(coarse) + 0.5) / coarse
    y, x = torch.meshgrid(line, line, indexing="ij")
    grid = torch.stack([x, y], -1)
    for step in range(STEPS + 1):
        share = step / STEPS
        ws = torch.lerp(sample.latent, other.latent, DRIFT * share)
        source = (grid - motion.at(grid, share)) * 2 - 1
        with torch.no_grad():
            moved = F.grid_sample(start, source[None], mode="bicubic", padding_mode="reflection",
                                  align_corners=False)  # fmt: skip
            for resolution in network.upto(cells)[network.upto(cells).index(coarse) + 1 :]:
                moved = network.block(resolution).features(moved, ws[:, network.block_ws(resolution)])
        yield moved


def errors(checkpoint: Checkpoint, sample: Sample, other: Sample, seed: int) -> dict[str, list[Tensor]]:
    """By tracker: the distance of every landmark from the truth, px of 512, after every step."""
    generator = checkpoint.generator
    cells, resolution = feature_resolution(generator.resolution), generator.resolution
    motion = Motion(seed)
    lengths = Lengths.of(DragSettings(), cells)
    begin = torch.from_numpy(sample.landmarks / SIZE).float()
    inside = ((begin > 0.08) & (begin < 0.92)).all(-1)
    begin = begin[inside]
    plain = Reference(generator, sample.latent, None)
    r2 = max(1, round(12 * resolution / SIZE))
    found: dict[str, list[Tensor]] = {"paper": [], "ours": []}
    ours, paper = begin * cells, begin * resolution
    for step, features in enumerate(moved_features(checkpoint, sample, other, motion)):
        large = F.interpolate(features, (resolution, resolution), mode="bilinear", align_corners=False)
        maps = Maps.whole(features, len(begin))
        if step == 0:
            templates = templates_at(maps, ours, r1=lengths.r1)
            plain_templates = plain.look(large, paper)
            continue
        ours = track(maps, templates, ours, r1=lengths.r1, r2=lengths.r2)
        paper = plain.track(large, plain_templates, paper, r2)
        truth = motion.forward(begin, step / STEPS)
        found["ours"].append((ours / cells - truth).norm(dim=-1) * SIZE)
        found["paper"].append((paper / resolution - truth).norm(dim=-1) * SIZE)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="4 faces")
    parser.add_argument("--faces", type=int, default=20)
    parser.add_argument("--model", default="face128")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    count = 4 if arguments.quick else arguments.faces
    checkpoint = checkpoints.load(arguments.model)
    faces = list(samples(checkpoint, 2 * count))
    ends: dict[str, list[Tensor]] = {"paper": [], "ours": []}
    for seed, (one, other) in enumerate(zip(faces[::2], faces[1::2], strict=True)):
        for name, steps in errors(checkpoint, one, other, seed).items():
            ends[name].append(steps[-1])
    table = []
    for name, tensors in ends.items():
        final = torch.cat(tensors).numpy()
        lost = float((final > LOST).mean())
        kept = final[final <= LOST]
        table += [
            row(f"{name}: distance from the truth, median, px of 512", float(np.median(final)), "px"),
            row(f"{name}: mean of the points that are kept, px of 512", float(kept.mean()), "px"),
            row(f"{name}: points lost (more than {LOST:g} px off)", lost, "share"),
        ]
    report(table, f"{checkpoint.name}, {count} faces", arguments.json)
