"""Inversions of many portraits: is it the person, does it look like the photo, can it still be dragged, how
long?

    python scripts/bench inversion --photos DIR [--without DIR] [--count 40] [--quick] [--json FILE]
                               [--raw FILE]
                               [--quality draft --quality standard ...] [--set NAME=VALUE]
                               [--trade-off FILE.png] [--looks DIR]

People the generator was trained on are left out with --without DIR (files of the same stem). The standard
drag moves both corners of the mouth (0.12 outwards, 0.10 up) and one brow (0.12 up), in units of the
interocular distance; the handle error is how far from their targets dlib finds these landmarks in the
generated picture, in pixels of a 512-pixel crop. The same is done to pictures that the generator draws of
random codes, which need no inversion: what is left there is the drag's own.

--trade-off compares settings instead of presets and draws identity against handle error. --raw keeps every
inversion's figures as they come, and goes on from those that are there. --looks writes crop, inversion and
their difference of every photo.
"""

import argparse
import dataclasses
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

import checkpoints
from alignment import Alignment, find_faces
from bench.edit import in_photo
from bench.parts.inversion_plot import plot
from bench.shared.measuring import Kept, Row, aligned, choose_photos, report, row
from checkpoints import Checkpoint
from inversion import ALGORITHM, QUALITIES, InversionSettings
from realedit.editing import stages
from realedit.editing.report import inversion_identity, report_of, sheet
from realedit.errors import EXPECTED
from realedit.photos import Photo
from realedit.plumbing.files import write_png
from realedit.sessions.pictures import pictures
from realedit.sessions.session import Session, to_picture

STANDARD_DRAG = {48: (-0.12, 0.10), 54: (0.12, 0.10), 19: (0.0, 0.12)}
GOALS = {
    "identity distance, median": {"standard": 0.20, "best": 0.14},
    "PSNR on valid pixels, median": {"standard": 33.0},
    "seconds per photo, median": {"draft": 2.0, "standard": 10.0},
}
VARIANTS = {
    "no tuning": ("tuning.steps=0",),
    "regularisers x 0.1": ("projection.whitened=0.00001", "projection.spread=0.00004"),
    "regularisers x 10": ("projection.whitened=0.001", "projection.spread=0.004"),
    "regularisers x 50": ("projection.whitened=0.005", "projection.spread=0.02"),
    "all blocks": ("tuning.first_resolution=0",),
    "from 32 px": ("tuning.first_resolution=32",),
    "standard": (),
    "locality": ("tuning.locality=0.3",),
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """One inversion. seconds: of the clock; cpu: of the
    processor. error: of the handles after the standard drag, in pixels of 512; after: identity distance then.
    """

    photo: str
    plan: str
    identity: float
    psnr: float
    ssim: float
    whitened: float
    seconds: float
    cpu: float
    megabytes: float
    error: float
    after: float


def main() -> None:
    """Measure, print and write."""
    arguments = parse()
    checkpoint = checkpoints.load(arguments.model)
    kept = Kept(arguments.raw)
    named = plans(arguments)
    results: dict[str, list[Result]] = {name: [] for name in named}
    for path in choose_photos(arguments.photos, arguments.without, arguments.count):
        for each in measured(path, named, checkpoint, arguments, kept):
            results[each.plan].append(each)
    generated = generated_error(checkpoint, arguments, kept)
    table: list[Row] = [row("handle error in generated pictures, median", generated, "px")]
    for name, found in results.items():
        table += rows(name, found, generated)
    if arguments.trade_off:
        points = {n: (median(found, "identity"), median(found, "error")) for n, found in results.items()}
        cv2.imwrite(str(arguments.trade_off), plot(points, generated))
    count = max(map(len, results.values()))
    report(table, f"{arguments.model}, {count} photos", arguments.json)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--without", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--model", default="face128")
    parser.add_argument("--quality", choices=QUALITIES, action="append")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--quick", action="store_true", help="3 photos at draft and standard")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--raw", type=Path)
    parser.add_argument("--looks", type=Path, metavar="DIR")
    parser.add_argument("--trade-off", type=Path, metavar="FILE.png")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.count, arguments.quality = 3, ["draft", "standard"]
    return arguments


def plans(arguments: argparse.Namespace) -> dict[str, InversionSettings]:
    """What to compare, by name."""
    changes = dict(text.split("=", 1) for text in arguments.changes)
    if arguments.trade_off:
        standard = InversionSettings.preset("standard").changed(changes)
        return {
            name: standard.changed(dict(text.split("=", 1) for text in texts))
            for name, texts in VARIANTS.items()
        }
    return {name: InversionSettings.preset(name).changed(changes) for name in arguments.quality or QUALITIES}


def key_of(what: str, checkpoint: Checkpoint, settings: object) -> str:
    """Names a measurement: the photo or the number of the picture, the model, the settings."""
    text = json.dumps([ALGORITHM, what, checkpoint.sha256, settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def measured(
    path: Path,
    named: dict[str, InversionSettings],
    checkpoint: Checkpoint,
    arguments: argparse.Namespace,
    kept: Kept,
) -> Iterator[Result]:
    """Every plan on one photo: what is in the raw file, the rest anew."""
    opened: tuple[Photo, Session] | None = None
    for name, settings in named.items():
        key = key_of(path.stem, checkpoint, dataclasses.asdict(settings))
        if key in kept.known:
            yield Result(**{**kept.known[key], "plan": name})
            continue
        try:
            opened = opened or aligned(path, checkpoint)
        except EXPECTED as error:
            print(f"{path.name}: left out: {error}")
            return
        found = measure(name, *opened, checkpoint, settings, arguments.looks)
        print(f"{found.photo:10} {name:20} identity {found.identity:.3f} {found.psnr:.1f} dB, "
              f"{found.error:.1f} px, {found.cpu:.1f} s", flush=True)  # fmt: skip
        kept.add(key, dataclasses.asdict(found))
        yield found


def measure(
    name: str,
    photo: Photo,
    session: Session,
    checkpoint: Checkpoint,
    settings: InversionSettings,
    looks: Path | None,
) -> Result:
    """Invert, measure, drag, measure."""
    started, worked = time.perf_counter(), time.process_time()
    session = stages.invert(session, checkpoint, settings)
    seconds, worked = time.perf_counter() - started, time.process_time() - worked
    found = report_of(session, checkpoint, photo, seconds=seconds)
    assert found.identity is not None
    if looks:
        looks.mkdir(exist_ok=True)
        write_png(looks / f"{session.photo_path.stem}-{name}.png", sheet(session, checkpoint))
    error, dragged = handle_error(session, checkpoint)
    after = inversion_identity(session, dragged, photo)
    assert after is not None
    return Result(
        photo=session.photo_path.stem,
        plan=name,
        identity=found.identity,
        psnr=found.psnr,
        ssim=found.ssim,
        whitened=found.whitened,
        seconds=seconds,
        cpu=worked,
        megabytes=found.tuned_bytes / 1e6,
        error=error,
        after=after,
    )


def handle_error(session: Session, checkpoint: Checkpoint) -> tuple[float, NDArray[np.float32]]:
    """How far from their targets dlib finds the handles of the standard drag, in pixels of 512 (NaN without a
    face), and the dragged picture.
    """
    square, size = session.alignment, checkpoint.generator.resolution
    before, _ = pictures(session, checkpoint)
    landmarks = landmarks_of(before)
    if landmarks is None:
        return float("nan"), before
    indices = list(STANDARD_DRAG)
    moves = in_photo(landmarks, list(STANDARD_DRAG.values()))
    targets = landmarks[indices] + moves
    dragged = stages.drag(
        session,
        checkpoint,
        square.to_photo(landmarks[indices] * size, size),
        square.to_photo(targets * size, size),
    )
    _, after = pictures(dragged, checkpoint)
    again = landmarks_of(after)
    if again is None:
        return float("nan"), after
    return float(np.linalg.norm(again[indices] - targets, axis=1).mean()) * 512, after


def landmarks_of(picture: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """dlib's landmarks in a generated picture, in units of its side."""
    shown = cv2.resize(np.asarray(picture * 255 + 0.5, np.uint8), (512, 512), interpolation=cv2.INTER_CUBIC)
    faces = find_faces(np.asarray(shown, np.uint8))
    return faces[0].landmarks / 512 if faces else None


def generated_error(checkpoint: Checkpoint, arguments: argparse.Namespace, kept: Kept) -> float:
    """The median handle error in pictures that the generator makes of random codes."""
    generator, size = checkpoint.generator, checkpoint.generator.resolution
    count = 6 if arguments.quick else 24
    z = torch.randn(count, generator.z_dim, generator=torch.Generator().manual_seed(0))
    errors = []
    for index, ws in enumerate(generator.mapping(z, truncation=0.7).split(1)):
        key = key_of(f"generated {index}", checkpoint, None)
        if key not in kept.known:
            with torch.no_grad():
                picture = to_picture(generator.synthesis(ws))
            landmarks = landmarks_of(picture)
            if landmarks is None:
                continue
            session = Session(
                photo_path=Path("generated"), photo_sha256="", photo_size=(size, size), model=checkpoint.name,
                model_sha256="", quality="", seed=0, settings={}, face=0, landmarks=landmarks * size,
                alignment=Alignment(centre=(size / 2, size / 2), side=float(size), angle=0.0),
                crop=np.asarray(picture * 255 + 0.5, np.uint8), valid=np.ones((size, size), bool), pivot=ws,
                current=ws,
            )  # fmt: skip
            kept.add(key, handle_error(session, checkpoint)[0])
        errors.append(kept.known[key])
    return float(np.nanmedian(np.array(errors, np.float64)))


def median(results: Sequence[Result], name: str) -> float:
    """Over the photos."""
    return float(np.nanmedian([getattr(result, name) for result in results]))


def rows(name: str, results: Sequence[Result], generated: float) -> list[Row]:
    """The table of one preset."""
    figures = [
        ("identity distance, median", median(results, "identity"), "1"),
        ("PSNR on valid pixels, median", median(results, "psnr"), "dB"),
        ("SSIM on valid pixels, median", median(results, "ssim"), "1"),
        ("whitened distance of the latent, median", median(results, "whitened"), "1"),
        ("size of the tuning, median", median(results, "megabytes"), "MB"),
        ("seconds per photo, median", median(results, "seconds"), "s"),
        ("seconds of the processor per photo, median", median(results, "cpu"), "s"),
        ("handle error after the standard drag, median", median(results, "error"), "px"),
        ("identity distance after it, median", median(results, "after"), "1"),
    ]
    table = []
    for what, value, unit in figures:
        goal = GOALS.get(what, {}).get(name)
        table.append(row(f"{name}: {what}", value, unit, goal, least=unit == "dB"))
    ratio = median(results, "error") / generated
    table.append(row(f"{name}: handle error over that in generated pictures", ratio, "1", 1.3))
    return table
