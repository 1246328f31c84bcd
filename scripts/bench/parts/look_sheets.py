"""Contact sheets of edits: photo and result side by side at face zoom, the worst first."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from alignment import Alignment, extract_crop
from bench.parts.looked import Looked, Picture
from realedit.compare.comparison import write_still
from realedit.compare.labels import labelled

TILE, PAIRS = 300, 3  # pixels of a face; pairs in a row
PER_PAGE = 24


def strip_of(before: Picture, after: Picture, face: Alignment) -> Picture:
    """`[TILE, 2 TILE, 3]`: the face's square before and after."""
    return np.hstack([extract_crop(each, face, TILE).pixels for each in (before, after)])


def keep_strip(folder: Path, looked: Looked, strip: Picture) -> None:
    """One pair as a file of its own, from which sheets are made."""
    path = place_of(folder, looked)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    write_still(path, strip)


def place_of(folder: Path, looked: Looked) -> Path:
    """Where the strip of an edit is."""
    photo = Path(looked.photo).with_suffix("").as_posix().replace("/", "-")
    return folder / "pairs" / f"{looked.what.replace(' ', '-')}-{photo}.jpg"


def write_sheets(folder: Path, results: Sequence[Looked]) -> list[Path]:
    """Pages `sheet-1.jpg`, ... of the pairs there are, the worst first, instead of those that were there."""
    pairs = sorted(results, key=lambda each: each.badness, reverse=True)
    pairs = [each for each in pairs if place_of(folder, each).exists()]
    pages = []
    for number, first in enumerate(range(0, len(pairs), PER_PAGE), start=1):
        page = folder / f"sheet-{number}.jpg"
        page.unlink(missing_ok=True)
        write_still(page, _page(folder, pairs[first : first + PER_PAGE]))
        pages.append(page)
    return pages


def _page(folder: Path, pairs: Sequence[Looked]) -> Picture:
    cells = []
    for each in pairs:
        read = cv2.imread(str(place_of(folder, each)))
        assert read is not None  # it is one of ours
        cell = np.ascontiguousarray(read[:, :, ::-1])
        words = f"{each.verdict}: {each.what}, {Path(each.photo).stem}"
        cell = labelled(np.asarray(cell, np.uint8), words, "top left")
        why = ", ".join(each.reasons)
        cells.append(labelled(cell, why[:60], "bottom left") if why else cell)
    while len(cells) % PAIRS:
        cells.append(np.zeros_like(cells[0]))
    rows = [np.hstack(cells[i : i + PAIRS]) for i in range(0, len(cells), PAIRS)]
    return np.asarray(np.vstack(rows), np.uint8)
