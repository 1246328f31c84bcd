"""What a worker of `realedit batch` computes: seconds of one thread per stage of an edit, by the size of the
photo, and what handing a worker several photos at once (`--together`) saves. Counts the process's own
seconds, so that a busy machine tells nearly the same as an idle one.

    python scripts/bench stages --photos DIR [--count 3] [--quality draft standard] [--megapixels 0.15 12]
    python scripts/bench stages --photos DIR --side-by-side 1 2 4
"""

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bench.shared.measuring import Row, report, row
from realedit.batch.edits import NOWHERE, Editor, EditWork
from realedit.batch.work import Finished, Task, attempts
from realedit.editing.request import EditRequest
from realedit.recipes import Use, load

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
    parser.add_argument("--side-by-side", nargs="+", type=int, help="photos that a worker has at once")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.count, arguments.quality = 1, ["draft"]
    return arguments


def stages(arguments: argparse.Namespace, quality: str, megapixels: float) -> list[Row]:
    """Seconds per photo by stage, of a worker that has done one photo before."""
    run = opened(arguments, quality)
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="realedit-bench-") as folder:
        for number, path in enumerate(sorted(arguments.photos.glob("*.jpg"))[: arguments.count + 1]):
            photo = Path(folder) / path.name
            copied(path, photo, megapixels)
            output = Path(folder) / str(number) / path.name
            output.parent.mkdir()
            clock = Clock()
            run.finish(run.prepare(Task(id=number, photo=photo, output=output, seconds=0), clock))
            for name, spent in clock.ended().items() if number else ():
                seconds[name] = seconds.get(name, 0.0) + spent / arguments.count
    total = sum(seconds.values())
    name = f"{quality}, {megapixels:g} megapixels"
    share = 1 - sum(seconds[stage] for stage in FILES) / total
    rows = [row(f"{name}: seconds of {stage}", value, "s") for stage, value in seconds.items()]
    rows.append(row(f"{name}: share that is work on the picture", share, "1", 0.95, least=True))
    return rows


def opened(arguments: argparse.Namespace, quality: str) -> Editor:
    """A worker's edit with its model loaded."""
    use = Use(recipe=load(arguments.recipe), strength=1.0)
    request = EditRequest(photo=NOWHERE, output=NOWHERE, quality=quality, recipes=(use,), cache=False)
    return EditWork.of(request).open(1)


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
    """Whole edits of the same photos, handed to a worker so many at a time, in turn."""
    run = opened(arguments, quality)
    photos = sorted(arguments.photos.glob("*.jpg"))[: arguments.count]
    found: dict[int, list[tuple[float, float]]] = {}
    memory: dict[int, float] = {}
    with tempfile.TemporaryDirectory(prefix="realedit-bench-") as folder:
        edited(run, photos[:1], Path(folder))  # what is made once
        for _ in range(2):
            for together in sorted(arguments.side_by_side):
                begun, distances = time.process_time(), []
                for first in range(0, len(photos), together):
                    distances += edited(run, photos[first : first + together], Path(folder))
                spent = (time.process_time() - begun) / len(photos)
                found.setdefault(together, []).append((spent, float(np.mean(distances))))
                memory.setdefault(together, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    rows = []
    for together, turns in found.items():
        name = f"{quality}, {together} side by side"
        rows.append(row(f"{name}: seconds per photo", min(seconds for seconds, _ in turns), "s"))
        rows.append(row(f"{name}: largest of two turns", max(seconds for seconds, _ in turns), "s"))
        rows.append(row(f"{name}: peak memory so far", memory[together], "MB", digits=0))
        rows.append(row(f"{name}: identity distance", turns[0][1], "1"))
    return rows


def edited(run: Editor, photos: Sequence[Path], folder: Path) -> list[float]:
    """Edit photos as a worker that is handed them together; the identity distances."""
    tasks = [
        Task(id=number, photo=photo, output=folder / photo.name, seconds=0)
        for number, photo in enumerate(photos)
    ]
    events = list(attempts(run, tasks, lambda task: lambda name, index, total: None))
    return [event.outcome.report["identity"] for event in events if isinstance(event, Finished)]
