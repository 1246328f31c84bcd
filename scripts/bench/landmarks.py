"""Do dragged landmarks land where they were sent? DragGAN's face landmark manipulation (section 4.2).

Pairs of faces that the generator draws: 1, 5 or 68 landmarks of the first are dragged to where they are in
the second, and dlib looks for them again. Distances are pixels of a 512-pixel picture. Rows: no edit, the
paper's loop (`drag_reference.py`), ours, and a thin-plate warp of the picture by the same points, which is
what dragging must beat in realism. dlib has a floor of its own, measured on jittered copies of the first
pictures. A long run may be made in pieces: what --raw holds is not run again. Seconds are the processor's, so
that they mean the same on a busy machine; compare them on one thread.

    python scripts/bench landmarks [--quick] [--pairs 100] [--points 1 5 68] [--model face128]
                               [--ways no-edit thin-plate reference ours] [--raw FILE.jsonl]
                               [--json FILE] [--sheet FILE.png]
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import checkpoints
from alignment.identity import descriptor, distance
from bench.parts.landmark_ways import NO_EDIT, WAYS, Outcome, Way, stopping_distance
from bench.shared.drawn_faces import (
    SIZE,
    Picture,
    Points,
    Sample,
    detection_score,
    floor,
    landmarks_of,
    samples,
)
from bench.shared.measuring import Kept, Row, report, row
from checkpoints import Checkpoint
from realedit.geometry.reach import reach_region

POINTS = {1: [30], 5: [36, 45, 30, 48, 54], 68: list(range(68))}  # nose; eyes' outer corners, nose, mouth's
GOAL = 0.8
LOST_GOAL = 0.02


@dataclass(frozen=True)
class Score:
    """One row's figures on one pair; seconds are the processor's. unfinished: it ended without having
    arrived, by its own measure; stuck: some handle ended farther from its target than the paper's loop stops
    at.
    """

    error: float
    identity: float
    detection: float
    outside: float
    steps: int
    seconds: float
    unfinished: bool
    stuck: bool
    tracking: float


KEYS = ("tracking", "identity", "detection", "outside", "steps", "seconds", "unfinished", "stuck")


def score(
    start: Sample, out: Outcome, indices: Sequence[int], goal: Points, mask: Picture, size: int
) -> Score:
    """size: the generator's, in whose pixels the paper's loop stops."""
    found = landmarks_of(out.picture)
    before, after = (p.astype(float) / 255 for p in (start.picture, out.picture))
    error = float(np.linalg.norm(found[indices] - goal, axis=1).mean())
    tracking, stuck = 0.0, False
    if out.points is not None:
        away = np.linalg.norm(out.points - goal, axis=1).max() * (size / SIZE)
        stuck = bool(away > stopping_distance(len(indices)))
        tracking = float(np.linalg.norm(found[indices] - out.points, axis=1).mean())
    return Score(
        error=error,
        identity=distance(descriptor(start.picture, start.landmarks), descriptor(out.picture, found)),
        detection=detection_score(out.picture),
        outside=float(np.abs(after - before).mean(-1)[mask < 128].mean()),
        steps=out.steps,
        seconds=out.seconds,
        unfinished=out.ended != "arrived",
        stuck=stuck,
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
                found = score(start, out, indices, targets, np.asarray(large, np.uint8), size)
                kept.add(key, asdict(found))
            scores[name].append(Score(**kept.known[key]))
    return scores, pictures


def tell(count: int, scores: dict[str, list[Score]], least: float) -> list[Row]:
    """Print a table, and give its rows."""
    print(f"\n{count} point{'s' * (count > 1)}; dlib's floor {least:.2f} px")
    heads = (
        "error",
        "+-",
        "(e-f)/(n-f)",
        "tracker",
        "identity",
        "detector",
        "outside",
        "steps",
        "s",
        "unfinished",
        "stuck",
    )
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
            row(f"{what}: ended without having arrived", figures[6], "share"),
            row(f"{what}: stuck or lost", figures[7], "share", LOST_GOAL if name == "ours" else None),
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
