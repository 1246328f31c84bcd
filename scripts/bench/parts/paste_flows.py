"""Ways to measure the flow, for `scripts/bench paste --part flows`: the kept one and the tried ones."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.parts.paste_pairs import DEFORMATIONS, Face, GeneratedPair, deformed, generated_pairs
from realedit.compositing.flow import Array, FlowSettings, blur, jacobian, measure, strain, warp

SIZE = 512
KEPT = replace(FlowSettings(), strain=np.inf)  # before it is unbent, so that bends can be counted
PLAIN = replace(KEPT, rounds=3, aliasing=0.0, most=0.0)  # searches alone
ONE = replace(PLAIN, rounds=1)


def enlarge(picture: NDArray[Any]) -> Array:
    return np.asarray(cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), np.float32)


def direct(before: Array, after: Array, settings: FlowSettings, resolution: int) -> Array:
    everywhere = np.ones((SIZE, SIZE), np.float32)
    return measure(before, after, settings, reach=everywhere, resolution=resolution)


def refined(start: Array, before: Array, after: Array, settings: FlowSettings, resolution: int) -> Array:
    """What is left after moving by `start`, measured and added."""
    step = direct(warp(before, start), after, settings, resolution)
    return step + warp(start, step)


def accumulated(pair: GeneratedPair, resolution: int) -> Array:
    """Over the drag's own frames, each step small; then once more from end to end."""
    pictures = [enlarge(p) for p in (pair.before, *pair.frames, pair.after)]
    flow = np.zeros((SIZE, SIZE, 2), np.float32)
    for one, other in pairwise(pictures):
        step = direct(one, other, ONE, resolution)
        flow = step + warp(flow, step)
    return refined(flow, pictures[0], pictures[-1], ONE, resolution)


def with_handles(pair: GeneratedPair, resolution: int, sigma: float = 10.0) -> Array:
    """Started from the motion that the drag's tracker reports for its handles, each with its surroundings."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32) + np.float32(0.5)
    flow, total = np.zeros((SIZE, SIZE, 2), np.float32), np.zeros((SIZE, SIZE), np.float32)
    scale = SIZE / resolution
    for start, end in zip(pair.handles * scale, pair.reached * scale, strict=True):
        weight = np.exp(-((x - end[0]) ** 2 + (y - end[1]) ** 2) / (2 * sigma**2)).astype(np.float32)
        flow += weight[..., None] * (start - end).astype(np.float32)
        total += weight
    flow /= np.maximum(total, 1)[..., None]
    return refined(flow, enlarge(pair.before), enlarge(pair.after), PLAIN, resolution)


def by_features(pair: GeneratedPair, radius: int = 7) -> Array:
    """The generator's features matched in a window, to a part of a cell, and smoothed."""
    before, after = (
        f / np.maximum(np.linalg.norm(f, axis=0, keepdims=True), 1e-6)
        for f in (m - m.mean((1, 2), keepdims=True) for m in pair.features)
    )
    cells = after.shape[-1]
    padded = np.pad(before, ((0, 0), (radius, radius), (radius, radius)), mode="edge")
    window = 2 * radius + 1
    scores = np.empty((window, window, cells, cells), np.float32)
    for dy in range(window):
        for dx in range(window):
            scores[dy, dx] = blur((after * padded[:, dy : dy + cells, dx : dx + cells]).sum(0), 1.0)
    best = scores.reshape(window * window, cells, cells).argmax(0)
    y, x = np.mgrid[:cells, :cells]

    def peak(low: Array, middle: Array, high: Array) -> Array:
        bend = low - 2 * middle + high
        return np.asarray(
            np.clip(np.where(bend < -1e-6, 0.5 * (low - high) / np.minimum(bend, -1e-6), 0), -0.5, 0.5)
        )

    def score(dy: NDArray[Any], dx: NDArray[Any]) -> Array:
        return np.asarray(scores[np.clip(dy, 0, window - 1), np.clip(dx, 0, window - 1), y, x])

    dy, dx = best // window, best % window
    middle = score(dy, dx)
    flow = np.stack(
        [
            dx - radius + peak(score(dy, dx - 1), middle, score(dy, dx + 1)),
            dy - radius + peak(score(dy - 1, dx), middle, score(dy + 1, dx)),
        ],
        -1,
    )
    return blur(enlarge(flow.astype(np.float32)) * np.float32(SIZE / cells), 12.0)


def ways(pair: GeneratedPair, resolution: int) -> dict[str, Callable[[], Array]]:
    before, after = enlarge(pair.before), enlarge(pair.after)
    old = replace(ONE, smooth=(3.0, 8.0, 24.0), least=0.0)
    return {
        "one search, smoothed over 3 px": lambda: direct(before, after, old, resolution),
        "one search": lambda: direct(before, after, ONE, resolution),
        "three rounds": lambda: direct(before, after, PLAIN, resolution),
        "four rounds and least squares (kept)": lambda: direct(before, after, KEPT, resolution),
        "over the drag's frames": lambda: accumulated(pair, resolution),
        "started from the handles": lambda: with_handles(pair, resolution),
        "generator features": lambda: by_features(pair),
        "generator features, then one search": lambda: refined(
            by_features(pair), before, after, ONE, resolution
        ),
    }


def compare_flows(faces: Sequence[Face], folder: Path | None, count: int) -> Iterator[dict[str, Any]]:
    """Displacement errors on true pairs, and what the flows of the generator's pairs explain and bend."""

    def row(what: str, value: float, unit: str) -> dict[str, Any]:
        return {"what": what, "value": round(value, 4), "unit": unit, "goal": None, "holds": None}

    for crop in (128, 256, 512):
        errors = defaultdict(list)
        for face in faces:
            for name in DEFORMATIONS:
                pair = deformed(face, name, 600, crop)
                truth = enlarge(pair.flow) * np.float32(SIZE / 600)
                moved = np.linalg.norm(truth, axis=-1) > 1.5 * SIZE / crop
                before, after = enlarge(pair.before), enlarge(pair.after)
                for rounds in (1, 2, 3):
                    flow = direct(before, after, replace(PLAIN, rounds=rounds), crop)
                    error = np.linalg.norm(flow - truth, axis=-1)[moved] * crop / SIZE
                    errors[rounds].append(float(np.median(error)))
        for rounds, values in errors.items():
            yield row(
                f"crop {crop}, {rounds} rounds: displacement error, mean of medians",
                float(np.mean(values)),
                "crop px",
            )
    if folder is None:
        return
    found = defaultdict(list)
    for pair in generated_pairs(folder, count):
        if "enlarged" in pair.name:
            continue
        resolution = len(pair.before)
        inside = enlarge(pair.reach) > 0.5
        before, after = enlarge(pair.before), enlarge(pair.after)
        for name, way in ways(pair, resolution).items():
            start = time.perf_counter()
            flow = way()
            seconds = time.perf_counter() - start
            left = np.abs(after - warp(before, flow))[inside].mean() / np.abs(after - before)[inside].mean()
            at = np.clip((pair.reached * SIZE / resolution).astype(int), 0, SIZE - 1)
            known = (pair.handles - pair.reached) * SIZE / resolution
            apart = np.linalg.norm(flow[at[:, 1], at[:, 0]] - known, axis=-1).mean() * resolution / SIZE
            found[name].append(
                (
                    left,
                    (strain(flow)[inside] > 2).mean(),
                    (jacobian(flow)[inside] < 0.1).mean(),
                    apart,
                    seconds,
                )
            )
    units = (
        "unexplained share",
        "strained more than twice",
        "folded",
        "off the tracker's handles, crop px",
        "seconds",
    )
    for name, values in found.items():
        for unit, value in zip(units, np.mean(values, 0), strict=True):
            yield row(f"{name}: {unit}", float(value), "")
