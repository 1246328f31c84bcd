"""What the benchmarks share: which photos, their inversions, the rows of a table, and how one is printed."""

import json
import platform
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from checkpoints import Checkpoint
from inversion import InversionSettings, Quality
from realedit import __version__
from realedit.editing import stages
from realedit.photos import Photo, read_photo
from realedit.sessions.session import Session

Row = dict[str, Any]


class Kept:
    """Results by key, in a file (a JSON object per line) as they come, so that a long run can go on."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        lines = path.read_text().splitlines() if path is not None and path.exists() else []
        self.known: dict[str, Any] = {found["key"]: found["value"] for found in map(json.loads, lines)}

    def add(self, key: str, value: Any) -> None:
        """value: of JSON's types."""
        self.known[key] = value
        if self.path is not None:
            with self.path.open("a") as file:
                file.write(json.dumps({"key": key, "value": value}) + "\n")


def choose_photos(folder: Path, without: Path | None, count: int) -> list[Path]:
    """`count` of the files of `folder`, always the same; none of a person (a name without its ending) whom
    the generator was trained on: who is in the folder `without`, or was not held out in that `.npz` file,
    which is what `scripts/train generator prepare` made.
    """
    known = _known(without) if without else set()
    photos = sorted(path for path in folder.iterdir() if path.is_file() and path.stem not in known)
    random.Random(0).shuffle(photos)
    return photos[:count]


def _known(without: Path) -> set[str]:
    if without.suffix != ".npz":
        return {path.stem for path in without.iterdir()}
    with np.load(without) as stored:
        names = json.loads(str(stored["names"]))
    return set(names["people"]) - set(names["held_out"])


def aligned(path: Path, checkpoint: Checkpoint, quality: Quality = "standard") -> tuple[Photo, Session]:
    """The photo and the square of its face, with nothing inverted yet."""
    photo = read_photo(path)
    settings = InversionSettings.preset(quality)
    return photo, stages.align(photo, checkpoint, photo_path=path, settings=settings, quality=quality)


def inverted(path: Path, checkpoint: Checkpoint, quality: Quality) -> tuple[Photo, Session]:
    """The photo and its inverted face."""
    photo, session = aligned(path, checkpoint, quality)
    return photo, stages.invert(session, checkpoint, InversionSettings.preset(quality))


def row(
    what: str, value: float, unit: str, goal: float | None = None, *, least: bool = False, digits: int = 3
) -> Row:
    """A figure, and whether it is at most its goal (`least`: at least)."""
    holds = None if goal is None else bool(value >= goal if least else value <= goal)
    return {"what": what, "value": round(float(value), digits), "unit": unit, "goal": goal, "holds": holds}


def line(each: Row, width: int) -> str:
    """A row as it is printed."""
    goal = (
        "" if each["goal"] is None else f"  (goal {each['goal']:g}, {'holds' if each['holds'] else 'MISSED'})"
    )
    return f"{each['what']:{width}} {each['value']:>9} {each['unit']}{goal}"


def report(table: Sequence[Row], about: str, file: Path | None = None) -> None:
    """Print versions, machine, `about` (the model, how many photos) and the table; keep it as JSON."""
    print(f"\nrealedit {__version__}, torch {torch.__version__}, {platform.machine()}, "
          f"{torch.get_num_threads()} threads; {about}")  # fmt: skip
    width = max(len(each["what"]) for each in table)
    for each in table:
        print(line(each, width))
    if file:
        file.write_text(json.dumps({"rows": list(table)}, indent=1))
