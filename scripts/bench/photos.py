"""What reading and writing photos costs, how much of a JPEG stays as it was, and what damaged files do.

    python scripts/bench photos [--quick] [--json FILE] [--photos DIR]

Large photos are made from a portrait enlarged with grain (scikit-image's astronaut, or the largest photo in
DIR); each format and size is read, shown, edited and written in a process of its own, whose peak memory is
compared with the decoded photo. The corpus of the tests, whole and damaged, is read in processes that are
watched: a crash or a hang is seen, and counted.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from commands import itself

from realedit.errors import RealeditError
from realedit.photos import Provenance, read_photo, write_photo
from tests.checkpoints.guarded import peak, reset_peak

Row = dict[str, Any]
PATIENCE = 20  # seconds after which a worker that says nothing hangs
FACE = 2500  # pixels of an edit, as large as a face in a 48 MP portrait
EXTENSIONS = {
    "JPEG 4:2:0": "jpg",
    "JPEG 4:4:4": "jpg",
    "JPEG progressive": "jpg",
    "PNG": "png",
    "PNG 16 bit": "png",
}
EXTENSIONS |= {"TIFF 16 bit": "tif", "WebP": "webp", "HEIC": "heic", "AVIF": "avif"}


def row(what: str, value: float, unit: str, goal: float | None = None) -> Row:
    """A figure, and whether it is at most its goal."""
    holds = None if goal is None else bool(value <= goal)
    return {"what": what, "value": value, "unit": unit, "goal": goal, "holds": holds}


# --- large photos
# ---------------------------------------------------------------------------------------------


def large(source: Path | None, megapixels: float) -> np.ndarray:
    """A portrait of that size [h, w, 3] uint8, with grain."""
    import cv2
    from skimage import data

    small = data.astronaut() if source is None else np.ascontiguousarray(read_photo(source).srgb())
    scale = (megapixels * 1e6 / (small.shape[0] * small.shape[1])) ** 0.5
    size = round(small.shape[1] * scale), round(small.shape[0] * scale)
    picture = cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 3, (1024, 1024, 3)).astype(np.int8)
    for top in range(0, picture.shape[0], 1024):
        for left in range(0, picture.shape[1], 1024):
            part = picture[top : top + 1024, left : left + 1024]
            part[:] = np.clip(part.astype(np.int16) + grain[: part.shape[0], : part.shape[1]], 0, 255)
    return picture


def encode(kind: str, picture: np.ndarray, path: Path) -> None:
    """Write `picture` as one of the kinds."""
    import cv2
    import pillow_heif
    import tifffile
    from PIL import Image

    image = Image.fromarray(picture)
    deep = picture.astype(np.uint16) * 257 if "16" in kind else picture
    if kind.startswith("JPEG"):
        sampling = 0 if "4:4:4" in kind else 2
        image.save(path, quality=92, subsampling=sampling, progressive="progressive" in kind, dpi=(300, 300))
    elif kind == "PNG 16 bit":
        cv2.imwrite(str(path), deep[..., ::-1])
    elif kind == "TIFF 16 bit":
        tifffile.imwrite(path, deep, photometric="rgb", compression="zlib", predictor=True, metadata=None)
    elif kind == "HEIC":
        size = picture.shape[1], picture.shape[0]
        pillow_heif.encode("RGB", size, picture.tobytes(), str(path), quality=80)
    else:
        options = {"PNG": {"compress_level": 1}, "AVIF": {"quality": 80, "speed": 9}}.get(
            kind, {"quality": 90}
        )
        image.save(path, **options)


def cost(path: Path) -> dict[str, float]:
    """In a process of its own: seconds of each step, and peak bytes per pixel beyond the decoded photo."""
    before = reset_peak()
    taken: dict[str, float] = {}

    def step(name: str, start: float) -> float:
        now = time.perf_counter()
        taken[name] = now - start
        return now

    start = time.perf_counter()
    photo = read_photo(path)
    start = step("read", start)
    photo.srgb_reduced(1600)
    start = step("show at 1600 px", start)
    side = min(FACE, photo.width, photo.height)
    box = (photo.width - side) // 2, (photo.height - side) // 2
    face = (box[0], box[1], box[0] + side, box[1] + side)
    block = photo.view(face)
    block[side // 4 : 3 * side // 4] //= 2
    edited = photo.with_block(face, block)
    del block
    start = step("edit", start)
    write_photo(edited, path.with_stem("edited"), provenance=Provenance())
    step("write", start)
    pixels = photo.width * photo.height
    taken["megapixels"] = pixels / 1e6
    taken["peak"] = (peak() - before - photo.stored.nbytes) / pixels
    return taken


def shown(path: Path) -> dict[str, float]:
    """In a process of its own: what detection and alignment cost, reading and the models' loading left
    out.
    """
    from alignment import extract_crop, find_faces

    photo = read_photo(path)
    find_faces(np.ascontiguousarray(photo.srgb_reduced(400)))  # loads the models
    start = time.perf_counter()
    faces = find_faces(photo.eight_bit())
    if faces:
        extract_crop(photo.view(), faces[0].alignment, 256)
    aligned = time.perf_counter() - start
    start = time.perf_counter()
    stripped = path.with_stem("stripped")
    write_photo(photo, stripped, provenance=None, strip="gps")
    return {"faces": len(faces), "align": aligned, "metadata": time.perf_counter() - start}


def worker(job: str, path: Path) -> dict[str, float]:
    """The figures of a job that runs in a process of its own."""
    command = [*itself("bench", "photos"), "--job", job, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=900)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def costs(folder: Path, source: Path | None, quick: bool) -> Iterator[Row]:
    """Seconds and memory of every kind and size."""
    plan = {12: list(EXTENSIONS), 48: list(EXTENSIONS)[:6], 100: ["JPEG 4:2:0"]}
    plan = {12: ["JPEG 4:2:0", "PNG 16 bit"], 48: ["JPEG 4:2:0"]} if quick else plan
    for megapixels, kinds in plan.items():
        picture = large(source, megapixels)
        for kind in kinds:
            path = folder / f"photo.{EXTENSIONS[kind]}"
            encode(kind, picture, path)
            found = worker("cost", path)
            name = f"{found['megapixels']:.0f} MP {kind}"
            yield row(f"{name}: read", found["read"], "s")
            yield row(f"{name}: show at 1600 px", found["show at 1600 px"], "s")
            yield row(f"{name}: write an edit of {FACE} px", found["edit"] + found["write"], "s")
            yield row(f"{name}: peak beyond the decoded photo", found["peak"], "B/px", 8.0)
            if kind == "JPEG 4:2:0":
                found = worker("shown", path)
                total = found["align"] + found["metadata"]
                yield row(
                    f"{name}: detection, alignment, metadata", total, "s", 1.5 if megapixels == 48 else None
                )


# --- JPEG
# -----------------------------------------------------------------------------------------------------


def exactness(folder: Path, source: Path | None) -> Iterator[Row]:
    """How much of a JPEG changes outside of the touched MCUs, and how much the file grows."""
    from PIL import Image

    from realedit.photos.jpeg.coefficients import read_coefficients
    from realedit.photos.jpeg.segments import read_segments

    picture = large(source, 3)
    path, output = folder / "exact.jpg", folder / "exact-edited.jpg"
    for quality in (60, 90, 98):
        for sampling in (0, 2):
            for progressive in (False, True):
                options = {"quality": quality, "subsampling": sampling, "progressive": progressive}
                Image.fromarray(picture).save(path, **options)
                photo = read_photo(path)
                box = (photo.width // 3 + 5, photo.height // 3 + 3, photo.width // 2, photo.height // 2)
                block = photo.view(box)
                photo = photo.with_block(box, np.roll(block, 3, axis=1))
                write_photo(photo, output, provenance=None)
                old, new = read_segments(path.read_bytes()), read_segments(output.read_bytes())
                unit = [8 * factor for factor in old.frame.sampling]
                differing = 0
                pairs = zip(old.frame.components, read_coefficients(old), read_coefficients(new), strict=True)
                for component, before, after in pairs:
                    outside = np.ones(before.shape[:2], bool)
                    top, bottom = (box[1] // unit[1], -(-box[3] // unit[1]))
                    left, right = (box[0] // unit[0], -(-box[2] // unit[0]))
                    high, wide = component.vertical, component.horizontal
                    outside[top * high : bottom * high, left * wide : right * wide] = False
                    differing += int((before[outside] != after[outside]).sum())
                name = (
                    f"JPEG q{quality} {'4:4:4' if sampling == 0 else '4:2:0'}{' progressive' * progressive}"
                )
                yield row(f"{name}: coefficients changed outside", differing, "", 0)
                growth = 100 * (output.stat().st_size / path.stat().st_size - 1)
                yield row(f"{name}: growth of the file", growth, "%", 3)
                assert old.frame == new.frame


# --- damage
# ---------------------------------------------------------------------------------------------------


def corpus_files(quick: bool) -> Iterator[tuple[str, str, bytes]]:
    """(kind of file, kind of damage, content)."""
    from tests.realedit.photos import corpus

    cuts, flips = (10, 10) if quick else (50, 50)
    for sample in corpus.samples():
        kind = sample.name.split("-")[0].split(".")[0]
        yield kind, "whole", sample.data
        if "turned" in sample.name:
            continue
        for what, data in corpus.damaged(sample, cuts, flips):
            yield kind, "cut short" if ": cut" in what else "bits flipped", data
    for name, data in corpus.odd_files():
        yield "odd", name.split(".")[0].split("-")[0], data


def read_all(folder: Path) -> None:
    """Read, edit and write every file named on standard input, saying after each how it went."""
    for line in sys.stdin:
        path = Path(line.strip())
        try:
            photo = read_photo(path)
            box = (0, 0, min(9, photo.width), min(9, photo.height))
            edited = photo.with_block(box, np.iinfo(photo.dtype).max - photo.view(box))
            write_photo(edited, folder / f"out{path.suffix}", provenance=Provenance())
            read_photo(folder / f"out{path.suffix}")
            outcome = "ok"
        except RealeditError:
            outcome = "clean refusal"
        except Exception as error:
            outcome = f"crash ({type(error).__name__}: {error})"
        print(outcome, flush=True)


def watched(folder: Path, files: list[Path]) -> Iterator[str]:
    """The outcome of each file; a worker that dies or says nothing is replaced."""
    process = None
    for path in files:
        if process is None:
            command = [*itself("bench", "photos"), "--job", "read-all", str(folder)]
            pipe = subprocess.PIPE
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        outcome = answer(process)
        if outcome in ("crash", "hang"):
            process.kill()
            process = None
        yield outcome
    if process is not None:
        process.kill()


def answer(process: "subprocess.Popen[str]") -> str:
    """The next line of a worker, "hang" after a while without one, "crash" when it has died."""
    import select

    ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
    if not ready:
        return "hang"
    assert process.stdout is not None
    return process.stdout.readline().strip() or "crash"


def damage(folder: Path, quick: bool) -> Iterator[Row]:
    """N files by outcome."""
    extensions = {"jpeg": "jpg", "tiff": "tif", "odd": "jpg"}
    known = list(corpus_files(quick))
    paths = []
    for number, (kind, _, data) in enumerate(known):
        path = folder / f"{number}.{extensions.get(kind, kind)}"
        path.write_bytes(data)
        paths.append(path)
    table: Counter[tuple[str, str, str]] = Counter()
    for (kind, what, _), outcome in zip(known, watched(folder, paths), strict=True):
        if outcome.startswith("crash"):
            print(f"{kind}, {what}: {outcome}")
        table[kind, what if kind != "odd" else "of odd kinds", outcome.split(" (")[0]] += 1
    groups = sorted({key[:2] for key in table})
    for kind, what in groups:
        name = f"{kind} {what}"
        for outcome in ("ok", "clean refusal"):
            yield row(f"{name}: {outcome}", table[kind, what, outcome], "files")
    for outcome in ("crash", "hang"):
        total = sum(count for key, count in table.items() if key[2] == outcome)
        yield row(f"{len(known)} files: {outcome}", total, "files", 0)


def main() -> None:
    """Measure, print and, if asked to, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="12 and 48 MP, a few formats, less damage")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="enlarge the largest photo in DIR instead")
    parser.add_argument("--job", nargs=2, metavar=("NAME", "PATH"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        name, path = options.job[0], Path(options.job[1])
        if name == "read-all":
            read_all(path)
        else:
            print(json.dumps({"cost": cost, "shown": shown}[name](path)))
        return
    source = None
    if options.photos:
        files = sorted(p for p in options.photos.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
        source = max(files, key=lambda p: p.stat().st_size)
    libraries = ", ".join(
        f"{n} {version(n)}" for n in ("pillow", "jpeglib", "tifffile", "pillow_heif", "numpy")
    )
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}; Python {platform.python_version()}, {libraries}; one run each\n")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in (
            costs(folder, source, options.quick),
            exactness(folder, source),
            damage(folder, options.quick),
        ):
            for found in part:
                goal = "" if found["goal"] is None else f"goal {found['goal']:g}: "
                goal += "" if found["holds"] is None else "holds" if found["holds"] else "MISSED"
                print(f"{found['what']:<64}{found['value']:>10.4g} {found['unit']:<6}{goal}", flush=True)
                rows.append(found)
    if options.json:
        options.json.write_text(
            json.dumps({"machine": machine, "libraries": libraries, "rows": rows}, indent=2)
        )
