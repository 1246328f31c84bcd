#!/usr/bin/env python
"""Do dragged landmarks land where they were sent? DragGAN's face landmark manipulation (section 4.2).

Pairs of faces that the generator draws: 1, 5 or 68 landmarks of the first are dragged to where they are in
the second, and dlib looks for them again. Distances are pixels of a 512-pixel picture. Rows: no edit, the
paper's loop (`drag_reference.py`), ours, and a thin-plate warp of the picture by the same points, which is
what dragging must beat in realism. dlib has a floor of its own, measured on jittered copies of the first
pictures. A long run may be made in pieces: what --raw holds is not run again. Seconds are the processor's, so
that they mean the same on a busy machine; compare them on one thread.

    scripts/bench_landmarks.py [--quick] [--pairs 100] [--points 1 5 68] [--model face128]
                               [--ways no-edit thin-plate reference ours] [--raw FILE.jsonl]
                               [--json FILE] [--sheet FILE.png]
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from drag_reference import Reference
from measuring import Kept, Row, report, row
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

import checkpoints
from alignment.detection import Box
from alignment.identity import descriptor, distance
from alignment.landmarks import find_landmarks
from alignment.models import face_models
from checkpoints import Checkpoint
from inversion import CodeSpace
from realedit.drag import DragSettings, Editor
from realedit.masks import reach_region

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]
SIZE = 512  # of the pictures that dlib sees, and of all distances
POINTS = {1: [30], 5: [36, 45, 30, 48, 54], 68: list(range(68))}  # nose; eyes' outer corners, nose, mouth's
TRUNCATION = 0.7
FACE = Box(155, 155, 465, 465, 1.0, turn=0)  # where an aligned face is
GOAL = 0.8
LOST_GOAL = 0.02


@dataclass(frozen=True)
class Sample:
    """A picture `[512, 512, 3]`, its latent, its landmarks `[68, 2]`."""

    latent: Tensor
    picture: Picture
    landmarks: Points


@dataclass(frozen=True)
class Outcome:
    """What one way of moving the points came to. points: where they say the handles are, 512 px."""

    picture: Picture
    steps: int = 0
    seconds: float = 0.0
    ended: str = "arrived"
    points: Points | None = None


@dataclass(frozen=True)
class Score:
    """One row's figures on one pair; seconds are the processor's."""

    error: float
    identity: float
    detection: float
    outside: float
    steps: int
    seconds: float
    lost: bool
    tracking: float


NO_EDIT = "no-edit"
KEYS = ("tracking", "identity", "detection", "outside", "steps", "seconds", "lost")
Way = Callable[[Checkpoint, Sample, Points, Points, NDArray[np.float32]], Outcome]


# --- pictures -----------------------------------------------------------------------------------------------


def picture_of(checkpoint: Checkpoint, latent: Tensor) -> Picture:
    with torch.no_grad():
        image = checkpoint.generator.synthesis(latent)[0].permute(1, 2, 0)
    pixels = (image.clamp(-1, 1) * 127.5 + 127.5).round().to(torch.uint8).cpu().numpy()
    way = cv2.INTER_CUBIC if len(pixels) < SIZE else cv2.INTER_AREA
    return np.asarray(cv2.resize(pixels, (SIZE, SIZE), interpolation=way), np.uint8)


def landmarks_of(picture: Picture) -> Points:
    return find_landmarks(picture, FACE)


def detection_score(picture: Picture) -> float:
    """How sure dlib's HOG detector is of the face; below 0 it is not."""
    _, scores, _ = face_models().hog.run(picture, 0, -1.0)
    return max(map(float, scores), default=-1.0)


def samples(checkpoint: Checkpoint, count: int) -> Iterator[Sample]:
    """Faces that dlib sees, in the order of their seeds."""
    generator, seed, found = checkpoint.generator, 0, 0
    while found < count:
        rng = torch.Generator().manual_seed(seed)
        seed += 1
        with torch.no_grad():
            z = torch.randn(1, generator.z_dim, generator=rng)
            latent = generator.mapping(z.to(generator.w_avg.device), truncation=TRUNCATION)
        picture = picture_of(checkpoint, latent)
        if detection_score(picture) > 0.3:
            found += 1
            yield Sample(latent, picture, landmarks_of(picture))


def floor(pictures: Sequence[Picture], indices: Sequence[int]) -> float:
    """Mean distance between the landmarks of a picture and of its jittered copies, brought back."""
    rng = np.random.default_rng(0)
    errors = []
    for picture in pictures:
        clean = landmarks_of(picture)[indices]
        for _ in range(3):
            scale, angle = 1 + rng.uniform(-0.02, 0.02), rng.uniform(-2, 2)
            matrix = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), angle, scale)
            matrix[:, 2] += rng.uniform(-4, 4, 2)
            moved = cv2.warpAffine(picture, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)
            turned = landmarks_of(np.asarray(moved, np.uint8))[indices] - matrix[:, 2]
            back = turned @ np.linalg.inv(matrix[:, :2]).T
            errors.append(np.linalg.norm(back - clean, axis=1).mean())
    return float(np.mean(errors))


# --- ways of moving points ----------------------------------------------------------------------------------


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
    """Until all handles are within 1 px (of the generator's; 2 px for many points), or 300 steps."""
    generator = checkpoint.generator
    scale = generator.resolution / SIZE
    begun = time.process_time()
    loop = Reference(generator, start.latent, torch.from_numpy(mask), plain=False)
    goal = torch.from_numpy((targets * scale).astype(np.float32))
    begin = torch.from_numpy((handles * scale).astype(np.float32))
    until = 1.0 if len(handles) <= 5 else 2.0
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


# --- scoring ------------------------------------------------------------------------------------------------


def score(start: Sample, out: Outcome, indices: Sequence[int], goal: Points, mask: Picture) -> Score:
    found = landmarks_of(out.picture)
    before, after = (p.astype(float) / 255 for p in (start.picture, out.picture))
    error = float(np.linalg.norm(found[indices] - goal, axis=1).mean())
    tracking = 0.0
    if out.points is not None:
        tracking = float(np.linalg.norm(found[indices] - out.points, axis=1).mean())
    return Score(
        error=error,
        identity=distance(descriptor(start.picture, start.landmarks), descriptor(out.picture, found)),
        detection=detection_score(out.picture),
        outside=float(np.abs(after - before).mean(-1)[mask < 128].mean()),
        steps=out.steps,
        seconds=out.seconds,
        lost=out.ended != "arrived",
        tracking=tracking,
    )


def run(checkpoint: Checkpoint, pairs: Sequence[tuple[Sample, Sample]], count: int, ways: dict[str, Way],
        kept: Kept) -> tuple[dict[str, list[Score]], dict[str, list[Picture]]]:  # fmt: skip
    """Scores of every pair by way, and the pictures of those that were not known."""
    indices = POINTS[count]
    size = checkpoint.generator.resolution
    scores: dict[str, list[Score]] = {name: [] for name in ways}
    pictures: dict[str, list[Picture]] = {name: [] for name in ways}
    for number, (start, goal) in enumerate(pairs):
        handles, targets = start.landmarks[indices], goal.landmarks[indices]
        marks = start.landmarks * (size / SIZE)
        mask = reach_region("face", marks[indices], marks[indices], size, landmarks=marks)
        large = cv2.resize((mask * 255).astype(np.uint8), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
        for name, way in ways.items():
            key = f"{count} points, pair {number}, {name}"
            if key not in kept.known:
                out = way(checkpoint, start, handles, targets, mask)
                pictures[name].append(out.picture)
                found = score(start, out, indices, targets, np.asarray(large, np.uint8))
                kept.add(key, asdict(found))
            scores[name].append(Score(**kept.known[key]))
    return scores, pictures


def tell(count: int, scores: dict[str, list[Score]], least: float) -> list[Row]:
    """Print a table, and give its rows."""
    print(f"\n{count} point{'s' * (count > 1)}; dlib's floor {least:.2f} px")
    heads = ("error", "+-", "(e-f)/(n-f)", "tracker", "identity", "detector", "outside", "steps", "s", "lost")
    print(f"{'':12}" + "".join(f"{head:>12}" for head in heads))
    means = {name: float(np.mean([s.error for s in rows])) for name, rows in scores.items()}
    table: list[Row] = []
    for name, rows in scores.items():
        error = means[name]
        spread = float(np.std([s.error for s in rows]) / max(len(rows), 1) ** 0.5)
        share = (error - least) / (means[NO_EDIT] - least) if NO_EDIT in means else float("nan")
        figures = [float(np.mean([getattr(each, key) for each in rows])) for key in KEYS]
        shown = (error, spread, share, *figures)
        print(f"{name:12}" + "".join(f"{value:>12.3f}" for value in shown), flush=True)
        goal = GOAL * means["reference"] if name == "ours" and "reference" in means else None
        what = f"{count} points, {name}"
        table += [
            row(f"{what}: distance of dlib's landmarks, px of 512", error, "px", goal),
            row(f"{what}: (distance - floor) / (no edit - floor)", share, "1"),
            row(f"{what}: identity distance", figures[1], "1"),
            row(f"{what}: dlib's detection score", figures[2], "1"),
            row(f"{what}: mean change outside of the mask", figures[3], "1", digits=5),
            row(f"{what}: steps", figures[4], "1"),
            row(f"{what}: processor seconds", figures[5], "s"),
            row(f"{what}: stuck or lost", figures[6], "share", LOST_GOAL if name == "ours" else None),
        ]  # fmt: skip
    return table


def sheet(
    pairs: Sequence[tuple[Sample, Sample]], pictures: dict[str, list[Picture]], count: int = 8
) -> Picture:
    """A row per pair: start, goal, then every way; pairs that were all known from before have none."""
    lines = []
    count = min(count, *map(len, pictures.values()))
    for number, (start, goal) in enumerate(pairs[-len(next(iter(pictures.values()))) :][:count]):
        tiles = [start.picture, goal.picture, *(found[number] for found in pictures.values())]
        lines.append(
            np.hstack([cv2.resize(tile, (256, 256), interpolation=cv2.INTER_AREA) for tile in tiles])
        )
    return np.asarray(np.vstack(lines), np.uint8)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="10 pairs, 1 and 5 points")
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--points", type=int, nargs="+", choices=list(POINTS), default=list(POINTS))
    parser.add_argument("--model", default="face128")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--raw", type=Path, help="every result as it comes; those in it are not run again")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path, help="pictures of the last number of points")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.pairs, arguments.points = 10, [1, 5]
    return arguments


def main() -> None:
    arguments = parse()
    checkpoint = checkpoints.load(arguments.model)
    found = list(samples(checkpoint, 2 * arguments.pairs))
    pairs = list(zip(found[::2], found[1::2], strict=True))
    ways, kept = {name: WAYS[name] for name in arguments.ways}, Kept(arguments.raw)
    table: list[Row] = []
    for count in arguments.points:
        scores, pictures = run(checkpoint, pairs, count, ways, kept)
        least = floor([start.picture for start, _ in pairs[:20]], POINTS[count])
        table += tell(count, scores, least)
    if arguments.sheet:
        Image.fromarray(sheet(pairs, pictures)).save(arguments.sheet)
    report(table, f"{checkpoint.name}, {len(pairs)} pairs", arguments.json)


if __name__ == "__main__":
    main()
