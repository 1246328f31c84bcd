"""Whole edits over many portraits: does the point go where it was sent, and is it still the same person?

Every photo is inverted once and edited once per drag; dlib looks for the landmarks again in the edited
photo. Splits go by
person: names the generator was trained on are left out with --without DIR (files of the same stem).

    python scripts/bench edit --photos DIR [--without DIR] [--count 20] [--quality standard] [--quick] [--json
    FILE]
                          [--sheet FILE.png]
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import checkpoints
from alignment import Face, extract_crop, find_faces
from alignment.identity import descriptor, distance
from bench.shared.measuring import Row, aligned, choose_photos, report, row
from checkpoints import Checkpoint
from inversion import QUALITIES, InversionSettings
from realedit.editing import stages
from realedit.errors import EXPECTED
from realedit.photos import Photo
from realedit.sessions.session import Session

# landmark -> movement (right, up) in units of the interocular distance
DRAGS = {
    "smile": {48: (-0.12, 0.10), 54: (0.12, 0.10)},
    "raise-brows": {19: (0.0, 0.12), 24: (0.0, 0.12)},
}
SHEET = 240


@dataclass(frozen=True)
class Result:
    """One edit. asked: share of the movement that the tracker reports; found: that dlib finds again."""

    drag: str
    tracked: float
    found: float
    identity: float
    seconds: float
    outside: int
    ending: str


def main() -> None:
    arguments = parse()
    checkpoint = checkpoints.load(arguments.model)
    results: list[Result] = []
    inversions: list[float] = []
    tiles: list[NDArray[np.uint8]] = []
    for path in choose_photos(arguments.photos, arguments.without, arguments.count):
        try:
            photo, session = aligned(path, checkpoint, arguments.quality)
        except EXPECTED as error:
            print(f"{path.name}: left out: {error}")
            continue
        started = time.perf_counter()
        session = stages.invert(session, checkpoint, InversionSettings.preset(arguments.quality))
        inversions.append(time.perf_counter() - started)
        for name in DRAGS:
            result, edited = run(name, photo, session, checkpoint)
            results.append(result)
            print(f"{path.name:20} {name:12} tracked {result.tracked:5.2f} found {result.found:5.2f} "
                  f"identity {result.identity:.2f} {result.ending}")  # fmt: skip
            tiles.append(tile(photo, edited, session))
    if arguments.sheet:
        Image.fromarray(sheet(tiles)).save(arguments.sheet)
    about = f"{arguments.model} at {arguments.quality}, {len(inversions)} photos"
    report(rows(results, inversions), about, arguments.json)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--without", type=Path)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--model", default="face128")
    parser.add_argument("--quality", choices=QUALITIES, default="standard")
    parser.add_argument("--quick", action="store_true", help="4 photos at draft quality")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.count, arguments.quality = 4, "draft"
    return arguments


def run(name: str, photo: Photo, session: Session, checkpoint: Checkpoint) -> tuple[Result, Photo]:
    landmarks = session.landmarks
    assert landmarks is not None
    indices = list(DRAGS[name])
    moves = in_photo(landmarks, list(DRAGS[name].values()))
    handles = landmarks[indices]
    started = time.perf_counter()
    dragged = stages.drag(session, checkpoint, handles, handles + moves)
    edited = stages.render(photo, dragged, checkpoint)
    seconds = time.perf_counter() - started
    last = dragged.history[-1]
    before, after = photo.srgb(), edited.srgb()
    again = same_face(find_faces(after), session)
    found = 0.0 if again is None else share(again.landmarks[indices] - handles, moves)
    identity = distance(
        descriptor(before, landmarks), descriptor(after, landmarks if again is None else again.landmarks)
    )
    tracked = share(np.array(last.reached) - handles, moves)
    outside = 0
    if edited.changed is not None:
        left, top, right, bottom = edited.changed
        differs = (before != after).any(-1)
        differs[top:bottom, left:right] = False
        outside = int(differs.sum())
    return Result(name, tracked, found, identity, seconds, outside, last.ending), edited


def in_photo(landmarks: NDArray[np.float64], moves: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """Movements (right, up) in interocular distances -> photo pixels."""
    across = landmarks[42:48].mean(0) - landmarks[36:42].mean(0)
    up = np.array([across[1], -across[0]])
    return np.array([right * across + rise * up for right, rise in moves])


def share(got: NDArray[np.float64], asked: NDArray[np.float64]) -> float:
    """How much of the asked movements [K, 2] was made, along them, on average."""
    return float(np.mean((got * asked).sum(1) / (asked * asked).sum(1)))


def same_face(faces: Sequence[Face], session: Session) -> Face | None:
    if not faces:
        return None
    centre = np.array(session.alignment.centre)
    return min(faces, key=lambda face: float(np.linalg.norm(np.array(face.alignment.centre) - centre)))


def tile(before: Photo, after: Photo, session: Session) -> NDArray[np.uint8]:
    return np.vstack([extract_crop(p.srgb(), session.alignment, SHEET).pixels for p in (before, after)])


def sheet(tiles: Sequence[NDArray[np.uint8]], columns: int = 8) -> NDArray[np.uint8]:
    blank = np.zeros_like(tiles[0])
    padded = [*tiles, *[blank] * (-len(tiles) % columns)]
    return np.vstack([np.hstack(padded[i : i + columns]) for i in range(0, len(padded), columns)])


def rows(results: Sequence[Result], inversions: Sequence[float]) -> list[Row]:
    found = []
    for name in DRAGS:
        these = [r for r in results if r.drag == name]
        made = float(np.median([r.found for r in these]))
        identity = float(np.median([r.identity for r in these]))
        found += [
            row(f"{name}: share of the movement the tracker reports, median",
                float(np.median([r.tracked for r in these])), "1"),
            row(f"{name}: share of the movement dlib finds again, median", made, "1", 0.5, least=True),
            row(f"{name}: identity distance to the photo, median", identity, "1", 0.30),
            row(f"{name}: edits with identity distance below 0.30",
                float(np.mean([r.identity < 0.30 for r in these])), "share"),
            row(f"{name}: handles arrived", float(np.mean([r.ending == "arrived" for r in these])), "share"),
            row(f"{name}: seconds for drag and paste, median",
                float(np.median([r.seconds for r in these])), "s"),
        ]  # fmt: skip
    outside = sum(r.outside for r in results)
    found.append(row("pixels changed outside of the changed box", outside, "px", 0))
    found.append(row("seconds for the inversion, median", float(np.median(inversions)), "s"))
    return found
