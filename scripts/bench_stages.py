#!/usr/bin/env python
"""What a worker of `realedit batch` computes: seconds of one thread per stage of an edit, by the size of the
photo, and what inverting several photos side by side would save. Counts the process's own seconds, so that a
busy machine tells nearly the same as an idle one.

    scripts/bench_stages.py --photos DIR [--count 3] [--quality draft standard] [--megapixels 0.15 12]
    scripts/bench_stages.py --photos DIR --side-by-side 1 2 4
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from measuring import Row, report, row  # noqa: E402
from PIL import Image  # noqa: E402

import checkpoints  # noqa: E402
import inversion  # noqa: E402
from inversion import InversionSettings  # noqa: E402
from realedit import pipeline  # noqa: E402
from realedit.batch.edits import NOWHERE, EditWork  # noqa: E402
from realedit.batch.work import Task  # noqa: E402
from realedit.editing import EditRequest  # noqa: E402
from realedit.photos import read_photo  # noqa: E402
from realedit.recipes import Use, load  # noqa: E402

FILES = ("read", "load", "write", "verify")  # stages that are not work on the picture


def main() -> None:
    arguments = parse()
    torch.set_num_threads(1)
    table: list[Row] = []
    for quality in arguments.quality:
        if arguments.side_by_side:
            table += side_by_side(arguments, quality)
            continue
        for size in arguments.megapixels:
            table += stages(arguments, quality, size)
    report(table, f"{arguments.count} photos, the process's own seconds", arguments.json)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--quality", nargs="+", default=["draft", "standard"])
    parser.add_argument("--megapixels", nargs="+", type=float, default=[0.15, 12.0])
    parser.add_argument("--recipe", default="smile")
    parser.add_argument("--side-by-side", nargs="+", type=int, help="photos inverted as one batch")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.count, arguments.quality = 1, ["draft"]
    return arguments


def stages(arguments: argparse.Namespace, quality: str, megapixels: float) -> list[Row]:
    """Seconds per photo by stage, of a worker that has done one photo before."""
    use = Use(recipe=load(arguments.recipe), strength=1.0)
    request = EditRequest(photo=NOWHERE, output=NOWHERE, quality=quality, recipes=(use,), cache=False)
    run = EditWork.of(request).open(1)
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="realedit-bench-") as folder:
        for number, path in enumerate(sorted(arguments.photos.glob("*.jpg"))[: arguments.count + 1]):
            photo = Path(folder) / path.name
            copied(path, photo, megapixels)
            output = Path(folder) / str(number) / path.name
            output.parent.mkdir()
            clock = Clock()
            run(Task(id=number, photo=photo, output=output, seconds=0), clock)
            for name, spent in clock.ended().items() if number else ():
                seconds[name] = seconds.get(name, 0.0) + spent / arguments.count
    total = sum(seconds.values())
    name = f"{quality}, {megapixels:g} megapixels"
    share = 1 - sum(seconds[stage] for stage in FILES) / total
    rows = [row(f"{name}: seconds of {stage}", value, "s") for stage, value in seconds.items()]
    rows.append(row(f"{name}: share that is work on the picture", share, "1", 0.95, least=True))
    return rows


class Clock:
    """An `OnStage` that gives the process's seconds to stages as they begin."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._name, self._since = "", 0.0

    def __call__(self, name: str, index: int, total: int) -> None:
        if total == 0:  # a stage begins; else a step of it
            self.ended()
            self._name = name

    def ended(self) -> dict[str, float]:
        """Seconds by stage, when the last one has ended."""
        now = time.process_time()
        if self._name:
            self._seconds[self._name] = self._seconds.get(self._name, 0.0) + now - self._since
        self._name, self._since = "", now
        return self._seconds


def copied(photo: Path, place: Path, megapixels: float | None) -> None:
    """A photo as it is, or of another size."""
    if megapixels is None:
        shutil.copyfile(photo, place)
        return
    with Image.open(photo) as opened:
        scale = (megapixels * 1e6 / (opened.width * opened.height)) ** 0.5
        size = (round(opened.width * scale), round(opened.height * scale))
        opened.resize(size, Image.Resampling.LANCZOS).save(place, quality=92)


def side_by_side(arguments: argparse.Namespace, quality: str) -> list[Row]:
    """Projecting several photos at once; the tuning is each generator's own, and has nothing to share."""
    checkpoint = checkpoints.load("face128")
    settings = InversionSettings.preset(quality)
    loss = inversion.choose(settings.perceptual, checkpoint, checkpoints.backbone)
    crops, valids = [], []
    for path in sorted(arguments.photos.glob("*.jpg"))[: arguments.count]:
        session = pipeline.align(
            read_photo(path), checkpoint, photo_path=path, settings=settings, quality=quality
        )
        crops.append(torch.from_numpy(session.crop.astype(np.float32)).permute(2, 0, 1) / 127.5 - 1)
        valids.append(torch.from_numpy(session.valid.astype(np.float32))[None])

    def seconds(together: int) -> tuple[float, float]:
        begun, losses = time.process_time(), []
        for first in range(0, len(crops), together):
            batch = slice(first, first + together)
            *_, last = inversion.project(
                checkpoint, torch.stack(crops[batch]), torch.stack(valids[batch]), loss,
                settings.projection, precision=settings.precision,
            )  # fmt: skip
            losses.append(last.loss * len(crops[batch]))
        return (time.process_time() - begun) / len(crops), sum(losses) / len(crops)

    seconds(1)  # what is made once
    turns = [{together: seconds(together) for together in arguments.side_by_side} for _ in range(2)]
    rows = []
    for together in arguments.side_by_side:
        best = min(turn[together][0] for turn in turns)
        rows.append(row(f"{quality}, {together} side by side: seconds per photo", best, "s"))
        rows.append(row(f"{quality}, {together} side by side: loss", turns[0][together][1], "1", digits=5))
    return rows


if __name__ == "__main__":
    main()
