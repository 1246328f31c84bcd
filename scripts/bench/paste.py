"""How well the paste keeps a photo's detail, where it puts it, and whether its border can be seen.

    python scripts/bench paste [--photos DIR] [--quick] [--part NAME] [--side PX] [--json FILE]
                               [--sheet FILE.png]

True pairs (see `paste_pairs.py`) are pasted in all modes at several sizes of crop and face and compared with
the truth, and with what the true motion itself would reach; pairs of the generator (with --photos) are
pasted on the photos it inverted; a 48-megapixel photo is timed. `--part flows` compares ways to measure the
flow instead. Without --photos the face is scikit-image's astronaut. A face's size is the side of its square.
"""

import argparse
import json
import os
import platform
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from bench.parts.paste_flows import compare_flows
from bench.parts.paste_pairs import (
    DEFORMATIONS,
    Face,
    Pair,
    deformed,
    generated_pairs,
    load_faces,
    photo_of,
    view,
)
from realedit import __version__
from realedit.compositing import MODES, Change, ChangeSettings, describe, paste
from realedit.compositing.flow import warp
from realedit.photos import Photo

Row = dict[str, Any]
MOVED = 1.5  # crop px from which a pixel counts as moved, so that doing nothing fails
SIDES = (300, 600, 1200, 3000)
PARTS = ("true", "generated", "speed", "flows")
TOUCHED = 1 / 256  # of the square: where pictures are compared


def row(what: str, value: float, unit: str, goal: float | None = None, *, least: bool = False) -> Row:
    """A figure, and whether it is at most (or at least) its goal."""
    holds = None if goal is None else bool(value >= goal if least else value <= goal)
    return {"what": what, "value": round(value, 4), "unit": unit, "goal": goal, "holds": holds}


def gradient_energy(picture: NDArray[Any]) -> NDArray[np.float32]:
    """|gradient|^2 of the brightness, per pixel."""
    y, x = np.gradient(picture.astype(np.float32).mean(-1))
    return np.asarray(x * x + y * y, np.float32)


def changes(pair: Pair) -> dict[str, Change]:
    """The change by mode."""
    settings = ChangeSettings()
    arguments = pair.before, pair.after, pair.crop, pair.valid, pair.reach
    return {mode: describe(*arguments, replace(settings, mode=mode)) for mode in MODES}


def measured(pair: Pair) -> dict[str, float]:
    """All figures of one true pair."""
    side, size = pair.photo.width, len(pair.crop)
    found = changes(pair)
    detail = found["detail"]
    flow = cv2.resize(detail.flow, (side, side)) * np.float32(side / detail.size)
    distance = np.linalg.norm(pair.flow, axis=-1) * (size / side)  # crop px
    error = np.linalg.norm(flow - pair.flow, axis=-1)[distance > MOVED] * (size / side)
    touched = np.linalg.norm(pair.flow, axis=-1) > TOUCHED * side
    energy = gradient_energy(pair.truth)
    figures = {
        "displacement": float(np.median(error)),
        "doing nothing": float(np.median(distance[distance > MOVED])),
    }
    for mode, change in found.items():
        result = paste(pair.photo, change, pair.alignment, grain=False).view()
        figures[f"{mode} PSNR"] = psnr(result, pair.truth, touched)
        figures[f"{mode} energy"] = float(gradient_energy(result)[touched].sum() / energy[touched].sum())
        figures[f"{mode} SSIM"] = similarity(result, pair.truth, touched)
        band = border(change, side)
        figures[f"{mode} seam"] = float(gradient_energy(result)[band].mean() / energy[band].mean())
    for what, limit in limits(pair, size).items():
        figures[what] = psnr(limit, pair.truth, touched)
    figures["cut seam"], figures["outside"] = cut(pair, detail)
    return figures


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8], where: NDArray[np.bool_]) -> float:
    """Peak signal to noise at `where`, in dB."""
    squares = (one.astype(np.float32) - other)[where] ** 2
    return float(10 * np.log10(255**2 / squares.mean()))


def limits(pair: Pair, size: int) -> dict[str, NDArray[np.uint8]]:
    """What no flow measured in the crops can exceed: the photo moved by the true motion, known at every pixel
    of the photo, and known once per pixel of a crop of `size` and interpolated."""
    side = pair.photo.width
    small = cv2.resize(pair.flow, (size, size), interpolation=cv2.INTER_AREA)
    flows = {
        "true motion PSNR": pair.flow,
        "true motion at the crop's size PSNR": cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC),
    }
    x, y = np.meshgrid(np.arange(side, dtype=np.float32), np.arange(side, dtype=np.float32))
    return {
        what: np.asarray(
            cv2.remap(
                np.ascontiguousarray(pair.photo.view()),
                x + flow[..., 0],
                y + flow[..., 1],
                cv2.INTER_CUBIC,
                borderMode=cv2.BORDER_REFLECT_101,
            ),
            np.uint8,
        )
        for what, flow in flows.items()
    }


def similarity(one: NDArray[np.uint8], other: NDArray[np.uint8], where: NDArray[np.bool_]) -> float:
    """Mean SSIM at `where`, computed on its bounding box."""
    rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    _, every = structural_similarity(one[box], other[box], channel_axis=-1, full=True)
    return float(every.mean(-1)[where[box]].mean())


def border(change: Change, side: int) -> NDArray[np.bool_]:
    """The pixels within 3 of the border of what is changed, `[side, side]`."""
    inside = (cv2.resize(change.amount, (side, side)) > 1 / 512).astype(np.uint8)
    kernel = np.ones((7, 7), np.uint8)
    return np.asarray(cv2.dilate(inside, kernel) != cv2.erode(inside, kernel), np.bool_)


def cut(pair: Pair, change: Change) -> tuple[float, float]:
    """With a mask that ends in the middle of the motion: gradient energy along its border as a share of the
    photo's there, and how many pixels differ outside."""
    side = pair.photo.width
    mask = np.zeros((side, side), np.bool_)
    y = int(np.argmax(np.linalg.norm(pair.flow, axis=-1).max(1)))
    mask[:y] = True
    result = paste(pair.photo, change, pair.alignment, mask=mask).view()
    columns = np.linalg.norm(pair.flow[y], axis=-1) > TOUCHED * side
    old, new = (gradient_energy(p)[y - 3 : y + 3, columns].mean() for p in (pair.photo.view(), result))
    return float(new / old), float((result != pair.photo.view()).any(-1)[~mask].sum())


def true_rows(faces: list[Face], sides: Sequence[int], crops: Sequence[int]) -> Iterator[Row]:
    """Medians over faces and deformations for each size of face and crop."""
    for side in sides:
        for crop in crops:
            if crop > side:
                continue
            names = list(DEFORMATIONS) if side < 3000 else ["smile"]
            all_figures = defaultdict(list)
            for face in faces if side < 3000 else faces[:1]:
                for name in names:
                    for what, value in measured(deformed(face, name, side, crop)).items():
                        all_figures[what].append(value)
            yield from summary(f"face {side}, crop {crop}", all_figures, sharp=side >= 2 * crop)


def summary(where: str, figures: dict[str, list[float]], *, sharp: bool) -> Iterator[Row]:
    middle = {what: float(np.median(values)) for what, values in figures.items()}
    yield row(f"{where}: displacement error, median", middle["displacement"], "crop px", 1.0)
    yield row(f"{where}: displacement error, doing nothing", middle["doing nothing"], "crop px")
    yield row(f"{where}: gradient energy kept", middle["detail energy"], "1", 0.9, least=True)
    for mode in MODES:
        yield row(f"{where}: PSNR {mode}", middle[f"{mode} PSNR"], "dB")
        yield row(f"{where}: SSIM {mode}", middle[f"{mode} SSIM"], "1")
    for what in ("true motion PSNR", "true motion at the crop's size PSNR"):
        yield row(f"{where}: {what}", middle[what], "dB")
    gain = middle["detail PSNR"] - middle["plain PSNR"]
    yield row(f"{where}: PSNR above plain", gain, "dB", 6.0 if sharp else None, least=True)
    for mode in ("plain", "seamless"):
        yield row(f"{where}: gradient energy kept by {mode}", middle[f"{mode} energy"], "1")
    yield row(f"{where}: seam", middle["detail seam"], "1", 1.1)
    yield row(f"{where}: seam of a mask through the motion", middle["cut seam"], "1", 1.1)
    yield row(f"{where}: pixels that differ outside of the mask", max(figures["outside"]), "px", 0)


def zero_rows(face: Face) -> Iterator[Row]:
    pair = deformed(face, "smile", 300, 128)
    change = describe(pair.before, pair.before.copy(), pair.crop, pair.valid, pair.reach, ChangeSettings())
    same = paste(pair.photo, change, pair.alignment)
    yield row(
        "drag of length zero: pixels that differ", float((same.view() != pair.photo.view()).sum()), "px", 0
    )


def generated_rows(folder: Path, count: int, sheet: Path | None) -> Iterator[Row]:
    """Pairs of the generator: how much of its change the flow explains, and what became of the detail."""
    figures = defaultdict(list)
    tiles = []
    for pair in generated_pairs(folder, count):
        change = describe(pair.before, pair.after, pair.crop, pair.valid, pair.reach, ChangeSettings())
        result = paste(pair.photo, change, pair.alignment)
        size = change.size
        before, after, reach = (cv2.resize(p, (size, size)) for p in (pair.before, pair.after, pair.reach))
        left = np.abs(after - warp(before, change.flow))[reach > 0.5].mean()
        figures[pair.name, "share of the change the flow does not explain"].append(
            float(left / np.abs(after - before)[reach > 0.5].mean())
        )
        old, new = (view(photo, pair.alignment) for photo in (pair.photo, result))
        inside = cv2.resize(change.amount, old.shape[1::-1]) > 0.5
        band = border(change, len(old))
        one, other = gradient_energy(old), gradient_energy(new)
        figures[pair.name, "gradient energy, to the photo's there"].append(
            float(other[inside].mean() / one[inside].mean())
        )
        figures[pair.name, "seam, to the photo's there"].append(float(other[band].mean() / one[band].mean()))
        if "enlarged" not in pair.name:
            tiles.append(np.vstack([cv2.resize(picture, (256, 256)) for picture in (old, new)]))
    if sheet is not None:
        columns = 12
        tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
        lines = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
        cv2.imwrite(str(sheet), np.vstack(lines)[..., ::-1])
    for (name, what), values in figures.items():
        goal = 1.1 if what.startswith("seam") else None
        yield row(f"generated {name}: {what}, median", float(np.median(values)), "1", goal)


def speed_rows(face: Face) -> Iterator[Row]:
    """A 48-megapixel frame with a face of 2500 px."""
    pair = deformed(face, "smile", 2500, 128)
    frame = np.full((6000, 8000, 3), 96, np.uint8)
    frame[1000:3500, 2000:4500] = pair.photo.view()
    photo: Photo = photo_of(frame)
    alignment = replace(pair.alignment, centre=(3250.0, 2250.0))
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        change = describe(pair.before, pair.after, pair.crop, pair.valid, pair.reach, ChangeSettings())
        paste(photo, change, alignment)
        seconds.append(time.perf_counter() - start)
    yield row("48 MP with a face of 2500 px: seconds, median of 3", float(np.median(seconds[1:])), "s", 3.0)
    yield row("48 MP: slowest minus fastest", max(seconds[1:]) - min(seconds[1:]), "s")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--count", type=int, default=6, help="photos for pairs of the generator")
    parser.add_argument("--quick", action="store_true", help="one face, few sizes, no generator")
    parser.add_argument(
        "--part", action="append", choices=PARTS, help="only this; may be repeated [default: all but flows]"
    )
    parser.add_argument(
        "--side", action="append", type=int, choices=SIDES, help="only faces of this size in true pairs"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path, help="write before and after of the generator's pairs here")
    options = parser.parse_args()
    print(f"realedit {__version__}, OpenCV {cv2.__version__}, {platform.machine()}, {os.cpu_count()} cores\n")
    parts = options.part or [part for part in PARTS if part != "flows"]
    sides = options.side or ((300, 1200) if options.quick else SIDES)
    crops = (128, 256) if options.quick else (128, 256, 512)
    # the same for every piece, so that pieces add up to one run
    largest = 1200 if options.quick or parts == ["flows"] else 3000
    faces = list(load_faces(options.photos, 1 if options.quick else 2, largest))

    def all_rows() -> Iterator[Row]:
        if "true" in parts:
            yield from zero_rows(faces[0])
            yield from true_rows(faces, sides, crops)
        if "generated" in parts and options.photos and not options.quick:
            yield from generated_rows(options.photos, options.count, options.sheet)
        if "speed" in parts:
            yield from speed_rows(faces[0])
        if "flows" in parts:
            yield from compare_flows(faces, options.photos, options.count)

    rows = []
    for found in all_rows():
        goal = "" if found["goal"] is None else f"goal {found['goal']:g}: "
        goal += "" if found["holds"] is None else "holds" if found["holds"] else "MISSED"
        print(f"{found['what']:<76}{found['value']:>10.4g} {found['unit']:<8}{goal}", flush=True)
        rows.append(found)
    if options.json:
        options.json.write_text(json.dumps({"rows": rows}, indent=1))
