"""How well points are tracked, apart from dragging: known motions of the features against the tracked points.

Faces that the generator draws are moved inside of it: the features of a coarse block are warped by a smooth
random field that grows over 20 steps, up to 24 px of a 512-pixel picture, and the finer blocks draw the rest,
whose styles drift towards those of another face. So the true place of every landmark is known, while its
features change as they do in a drag. The paper's tracker (nearest neighbour on whole pixels) and ours see the
same features. Optical flow sees the pictures: from each to the next, which is how a flow follows points, by
OpenCV's DIS and its pyramidal Lucas-Kanade, and by torchvision's RAFT (Teed & Deng 2020, arXiv 2003.12039)
where its weights are given, which are not fetched.

    python scripts/bench tracking [--quick] [--faces 20] [--model face128] [--raft FILE] [--json FILE]
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

import checkpoints
from bench.shared.drag_reference import Reference
from bench.shared.drawn_faces import SIZE, Picture, Sample, levels, samples
from bench.shared.measuring import report, row
from checkpoints import Checkpoint
from realedit.drag import DragSettings, Lengths, feature_resolution
from realedit.drag.maps import Maps
from realedit.drag.supervision import templates_at, track
from realedit.sessions.session import to_tensor

STEPS = 20
LONGEST = 24 / SIZE  # of the motion, in shares of the picture's side
DRIFT = 0.25  # of the way to the other face's styles
LOST = 8.0  # px of 512: farther from the truth than this a point is lost
RAFT_SIDE = 8  # pictures' sides are multiples of it, and at least this many times as long:
RAFT_LEAST = 16

Follow = Callable[[Picture, Picture, Tensor], Tensor]
"""From one picture `[R, R, 3]` to the next, where points `[K, 2]` go, all in its pixels."""


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


def moved_faces(
    checkpoint: Checkpoint, sample: Sample, other: Sample, motion: Motion
) -> Iterator[tuple[Tensor, Picture]]:
    """The supervised features and the picture `[R, R, 3]` after 0, 1, ... STEPS steps of the motion."""
    generator = checkpoint.generator
    network = generator.synthesis_network
    cells = feature_resolution(generator.resolution)
    coarse = max(8, cells // 4)
    with torch.no_grad():
        start = generator.features(sample.latent, upto=coarse)[coarse]
        drawn = network(sample.latent, upto=coarse)
    line = (torch.arange(coarse) + 0.5) / coarse
    y, x = torch.meshgrid(line, line, indexing="ij")
    grid = torch.stack([x, y], -1)
    for step in range(STEPS + 1):
        share = step / STEPS
        ws = torch.lerp(sample.latent, other.latent, DRIFT * share)
        source = ((grid - motion.at(grid, share)) * 2 - 1)[None]
        with torch.no_grad():
            moved, image = (
                F.grid_sample(each, source, mode="bicubic", padding_mode="reflection", align_corners=False)
                for each in (start, drawn)
            )
            for resolution in network.resolutions[network.resolutions.index(coarse) + 1 :]:
                moved, image = network.block(resolution)(moved, image, ws[:, network.block_ws(resolution)])
                if resolution == cells:
                    features = moved
        yield features, levels(image)


def dis(old: Picture, new: Picture, points: Tensor) -> Tensor:
    """By dense inverse search (Kroeger et al. 2016, arXiv 1603.03590)."""
    one, other = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (old, new))
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(one, other, None)  # type: ignore[call-overload]
    return along(torch.from_numpy(flow), points)


def lucas_kanade(old: Picture, new: Picture, points: Tensor) -> Tensor:
    """By pyramidal Lucas-Kanade (Bouguet 2000)."""
    one, other = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (old, new))
    start = (points.numpy() - 0.5).astype(np.float32)
    found, seen, _ = cv2.calcOpticalFlowPyrLK(one, other, start[:, None], None)  # type: ignore[call-overload]
    return torch.from_numpy(np.where(seen > 0, found[:, 0], start) + np.float32(0.5))


def raft(weights: Path) -> Follow:
    """By torchvision's RAFT of the weights in a file, the large or the small one."""
    from torchvision.models.optical_flow import raft_large, raft_small

    state = torch.load(weights, map_location="cpu", weights_only=True)
    kinds = (raft_small, raft_large)
    network = next(
        (each for kind in kinds if (each := kind(weights=None)).state_dict().keys() == state.keys()), None
    )
    if network is None:
        raise SystemExit(f"{weights} holds no weights of torchvision's RAFT")
    network.load_state_dict(state)
    network.eval()

    def follow(old: Picture, new: Picture, points: Tensor) -> Tensor:
        side = old.shape[0]
        size = max(RAFT_SIDE * RAFT_LEAST, -(-side // RAFT_SIDE) * RAFT_SIDE)
        pictures = [F.interpolate(to_tensor(each), (size, size), mode="bilinear") for each in (old, new)]
        with torch.no_grad():
            flow = network(*pictures)[-1]
        flow = F.interpolate(flow, (side, side), mode="bilinear") * (side / size)
        return along(flow[0].permute(1, 2, 0), points)

    return follow


def along(flow: Tensor, points: Tensor) -> Tensor:
    """Points `[K, 2]` after a flow `[h, w, 2]`, pixels."""
    height, width = flow.shape[:2]
    places = points / torch.tensor([width, height]) * 2 - 1
    there = F.grid_sample(
        flow.permute(2, 0, 1)[None], places[None, None], padding_mode="border", align_corners=False
    )
    return points + there[0, :, 0].T


def errors(
    checkpoint: Checkpoint, sample: Sample, other: Sample, seed: int, flows: dict[str, Follow]
) -> dict[str, tuple[list[Tensor], float]]:
    """By tracker: the distance of every landmark from the truth, px of 512, after every step, and the
    processor's seconds for a step."""
    generator = checkpoint.generator
    cells, resolution = feature_resolution(generator.resolution), generator.resolution
    motion = Motion(seed)
    lengths = Lengths.of(DragSettings(), cells)
    begin = torch.from_numpy(sample.landmarks / SIZE).float()
    inside = ((begin > 0.08) & (begin < 0.92)).all(-1)
    begin = begin[inside]
    plain = Reference(generator, sample.latent, None)
    r2 = max(1, round(12 * resolution / SIZE))
    sides = {"ours": cells} | dict.fromkeys(("paper", *flows), resolution)
    places = {name: begin * side for name, side in sides.items()}
    found: dict[str, list[Tensor]] = {name: [] for name in sides}
    seconds = dict.fromkeys(sides, 0.0)
    for step, (features, picture) in enumerate(moved_faces(checkpoint, sample, other, motion)):
        large = F.interpolate(features, (resolution, resolution), mode="bilinear", align_corners=False)
        maps = Maps.whole(features, len(begin))
        if step == 0:
            templates = templates_at(maps, places["ours"], r1=lengths.r1)
            plain_templates = plain.look(large, places["paper"])
            before = picture
            continue
        truth = motion.forward(begin, step / STEPS)
        for name in sides:
            started = time.process_time()
            if name == "ours":
                new = track(maps, templates, places[name], r1=lengths.r1, r2=lengths.r2)
            elif name == "paper":
                new = plain.track(large, plain_templates, places[name], r2)
            else:
                new = flows[name](before, picture, places[name])
            seconds[name] += (time.process_time() - started) / STEPS
            places[name] = new
            found[name].append((new / sides[name] - truth).norm(dim=-1) * SIZE)
        before = picture
    return {name: (found[name], seconds[name]) for name in sides}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="4 faces")
    parser.add_argument("--faces", type=int, default=20)
    parser.add_argument("--model", default="face128")
    parser.add_argument("--raft", type=Path, help="weights of torchvision's RAFT, a .pth file")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    count = 4 if arguments.quick else arguments.faces
    checkpoint = checkpoints.load(arguments.model)
    faces = list(samples(checkpoint, 2 * count))
    flows: dict[str, Follow] = {"DIS": dis, "Lucas-Kanade": lucas_kanade}
    if arguments.raft is not None:
        flows["RAFT"] = raft(arguments.raft)
    ends: dict[str, list[Tensor]] = {}
    seconds: dict[str, list[float]] = {}
    for seed, (one, other) in enumerate(zip(faces[::2], faces[1::2], strict=True)):
        for name, (steps, each) in errors(checkpoint, one, other, seed, flows).items():
            ends.setdefault(name, []).append(steps[-1])
            seconds.setdefault(name, []).append(each)
    table = []
    for name, tensors in ends.items():
        final = torch.cat(tensors).numpy()
        lost = float((final > LOST).mean())
        kept = final[final <= LOST]
        table += [
            row(f"{name}: distance from the truth, median, px of 512", float(np.median(final)), "px"),
            row(f"{name}: mean of the points that are kept, px of 512", float(kept.mean()), "px"),
            row(f"{name}: points lost (more than {LOST:g} px off)", lost, "share"),
            row(f"{name}: processor milliseconds a step", 1000 * float(np.mean(seconds[name])), "ms"),
        ]
    report(table, f"{checkpoint.name}, {count} faces", arguments.json)
