"""What the benchmarks share: which photos, their inversions, the rows of a table, and how one is printed."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np

from bench.shared.rows import Row, line, report, row
from checkpoints import Checkpoint
from inversion import InversionSettings, Quality
from realedit.editing import stages
from realedit.photos import Photo, read_photo
from realedit.sessions.session import Session

__all__ = ["Kept", "Row", "aligned", "choose_photos", "inverted", "line", "report", "row"]


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
