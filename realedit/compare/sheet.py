"""A contact sheet of many pairs: pages of thumbnails with names and figures, one pair in memory at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from alignment import choose_face, find_faces
from alignment.errors import AlignmentError
from alignment.identity import descriptor, distance
from realedit.compare.comparison import STILL_SUFFIXES, write_still
from realedit.compare.pair import Pair, Picture, Zoom, read_pair, resized
from realedit.compare.slider import figure, write_page
from realedit.compare.still import side_by_side
from realedit.errors import EXPECTED, UsageError
from realedit.photos import EXTENSIONS
from realedit.plumbing.places import check_ours
from realedit.plumbing.printing import printable

SUFFIXES = (".html", *STILL_SUFFIXES)
PER_PAGE = 24
_COLUMNS = 3
_CELL, _WIDEST = 260, 900  # height and largest width of a pair on a picture's page
_RAW = (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw")
_HTML_SIDE = 640
_MEASURED = 1024  # pixels of the longer side that the figures are taken from
_NOTICED = 8  # of 255: what compression alone changes is less
_GAP, _LINE = 14, 18
_GROUND, _INK = (246, 246, 244), (30, 30, 30)


@dataclass(frozen=True)
class Entry:
    """One pair of a sheet. trouble: why there is no picture, in a sentence. identity: dlib's distance, None
    without a face. changed: share of the pixels that differ by more than compression does."""

    name: str
    before: Path | None
    after: Path | None
    trouble: str | None = None
    identity: float | None = None
    changed: float | None = None

    @property
    def note(self) -> str:
        """The figures in words."""
        if self.trouble is not None or self.changed is None:
            return self.trouble or ""
        identity = "no face" if self.identity is None else f"identity distance {self.identity:.2f}"
        return f"{identity}, {self.changed:.1%} changed"


def find_pairs(before: Path, after: Path) -> list[Entry]:
    """The photos of two folders, paired by name, else by name without extension, sorted.

    A photo without a counterpart is an entry with its trouble. Raises UsageError where nothing pairs.
    """
    here, there = _photos(before), _photos(after)
    entries, used = [], set()
    for path in here:
        same = [each for each in there if each.name == path.name]
        same = same or [each for each in there if each.stem == path.stem]
        used.update(same)
        if len(same) == 1:
            entries.append(Entry(path.name, path, same[0]))
            continue
        several = f"several counterparts in {after}: {', '.join(each.name for each in same)}"
        entries.append(Entry(path.name, path, None, several if same else f"no counterpart in {after}"))
    beside = tuple(f"{each.name}." for each in used)  # NAME.compare.png is of NAME
    lonely = [each for each in there if each not in used and not each.name.startswith(beside)]
    entries += [Entry(each.name, None, each, f"no counterpart in {before}") for each in lonely]
    if not any(entry.trouble is None for entry in entries):
        raise UsageError(
            f"no photo in {before} has one of the same name in {after}; give two folders whose "
            "files go together"
        )
    return sorted(entries, key=lambda entry: entry.name)


def _photos(folder: Path) -> list[Path]:
    known = {*EXTENSIONS, *_RAW}
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in known and path.is_file())


def write_sheet(
    output: Path,
    entries: Sequence[Entry],
    *,
    zoom: Zoom | None = None,
    names: tuple[str, str] = ("before", "after"),
) -> tuple[list[Path], list[Entry]]:
    """Write the pages (`sheet.html`, `sheet-2.html`, ...); what was written, and the entries with figures.

    Raises UsageError for a name that is no sheet, OutputError, ResourceError.
    """
    check_sheet(output)
    count = math.ceil(len(entries) / PER_PAGE)
    paths = [output, *(output.with_stem(f"{output.stem}-{number}") for number in range(2, count + 1))]
    check_ours(*paths)
    done: list[Entry] = []
    for number, path in enumerate(paths):
        page = _measured(entries[number * PER_PAGE : (number + 1) * PER_PAGE], zoom, done)
        if output.suffix.lower() == ".html":
            neighbours = [paths[k].name if 0 <= k < count else None for k in (number - 1, number + 1)]
            figures = (_figure(entry, pair, names) for entry, pair in page)
            title = f"{output.stem}, page {number + 1} of {count}"
            write_page(path, figures, title=title, before=neighbours[0], after=neighbours[1])
        else:
            write_still(path, _drawn([_cell(entry, pair) for entry, pair in page]))
    return paths, done


def check_sheet(output: Path) -> None:
    """Raise UsageError for a name that is no sheet, OutputError where something else is."""
    if output.suffix.lower() not in SUFFIXES:
        raise UsageError(f"a contact sheet is written as {', '.join(SUFFIXES)}; end {output} in one of them")
    check_ours(output)


def _measured(
    entries: Sequence[Entry], zoom: Zoom | None, done: list[Entry]
) -> Iterator[tuple[Entry, Pair | None]]:
    """Each entry with its figures and its pair, read now; what cannot be read is said in the entry."""
    for entry in entries:
        pair = None
        if entry.before is not None and entry.after is not None:
            try:
                pair = read_pair(entry.before, entry.after, max_side=_MEASURED, zoom=zoom).same_size()
                entry = measured(entry, pair)
            except EXPECTED as error:
                entry = Entry(entry.name, entry.before, entry.after, str(error))
        done.append(entry)
        yield entry, pair


def measured(entry: Entry, pair: Pair) -> Entry:
    """The entry with the figures of its pair, whose pictures are of one size."""
    changed = float((cv2.absdiff(pair.before, pair.after).max(axis=-1) > _NOTICED).mean())
    identity = None
    try:
        faces = [choose_face(find_faces(picture), "largest") for picture in (pair.before, pair.after)]
        one, other = (
            descriptor(picture, face.landmarks)
            for picture, face in zip((pair.before, pair.after), faces, strict=True)
        )
        identity = distance(one, other)
    except AlignmentError:
        pass  # no face in one of them: there is no distance
    return Entry(entry.name, entry.before, entry.after, None, identity, changed)


def _figure(entry: Entry, pair: Pair | None, names: tuple[str, str]) -> str:
    shown = None if pair is None else Pair(_fitted(pair.before), _fitted(pair.after))
    return figure(shown, names=names, caption=entry.name, note=entry.note)


def _fitted(picture: Picture) -> Picture:
    """The picture at the size that a page's slider needs."""
    scale = min(1.0, _HTML_SIDE / max(picture.shape[:2]))
    height, width = (max(1, round(n * scale)) for n in picture.shape[:2])
    return resized(picture, (width, height))


def _cell(entry: Entry, pair: Pair | None) -> Picture:
    """A pair at the height of a cell, or an empty place, with its name and figures below."""
    shown = np.full((_CELL, _CELL * 2, 3), 225, np.uint8)
    if pair is not None:
        shown = side_by_side(pair.before, pair.after, max_height=_CELL)
        if shown.shape[1] > _WIDEST:
            shown = resized(shown, (_WIDEST, max(1, round(shown.shape[0] * _WIDEST / shown.shape[1]))))
    lines = [
        line for text in (entry.name, entry.note) for line in wrap(printable(text), shown.shape[1] // 7)[:3]
    ]
    caption = Image.new("RGB", (shown.shape[1], _LINE * len(lines) + 4), _GROUND)
    draw, font = ImageDraw.Draw(caption), ImageFont.load_default(_LINE - 5)
    for number, line in enumerate(lines):
        draw.text((0, 2 + _LINE * number), line, fill=_INK, font=font)
    return np.vstack([shown, np.asarray(caption)])


def _drawn(cells: Sequence[Picture]) -> Picture:
    """The cells in rows, each row as high as its highest cell."""
    rows = [cells[i : i + _COLUMNS] for i in range(0, len(cells), _COLUMNS)]
    width = max(sum(cell.shape[1] + _GAP for cell in row) for row in rows) + _GAP
    heights = [max(cell.shape[0] for cell in row) + _GAP for row in rows]
    page = np.empty((sum(heights) + _GAP, width, 3), np.uint8)
    page[:] = _GROUND
    y = _GAP
    for row, height in zip(rows, heights, strict=True):
        x = _GAP
        for cell in row:
            page[y : y + cell.shape[0], x : x + cell.shape[1]] = cell
            x += cell.shape[1] + _GAP
        y += height
    return page
