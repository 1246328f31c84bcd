"""The figures of labelled edits, measured anew from their pictures: needed when a measure changes."""

import csv
import gc
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from alignment import find_faces
from alignment.identity import descriptor, distance
from alignment.landmarks import landmarks_in
from bench.parts.look_labels import LABELS, Key
from bench.parts.looked import DRAGS
from realedit.looks.effects import Did
from realedit.looks.pair import Pair, square_after
from realedit.looks.verdict import Asked, did, measure
from realedit.perception import Perceived, perceive
from realedit.photos import read_photo
from realedit.recipes import Frame


def measured_labels(
    edits: Path, roots: Sequence[Path], known: Container[Key] = (), labels: Path = LABELS
) -> Iterator[tuple[Key, tuple[list[Did], Mapping[str, float]]]]:
    """What each labelled edit did that is not `known`, and its measures.

    edits: a folder of `COMMIT/FOLDER_NAME__RECIPE.png`. roots: folders of the photos'
    folders.
    """
    with labels.open(encoding="utf-8", newline="") as file:
        keys = [(each["photo"], each["recipe"], each["commit"]) for each in csv.DictReader(file)]
    keys = [key for key in keys if key not in known]
    for photo in dict.fromkeys(key[0] for key in keys):
        path = next((root / photo for root in roots if (root / photo).exists()), None)
        if path is None:
            print(f"{photo} is not there", flush=True)
            continue
        yield from _of_photo(path, [key for key in keys if key[0] == photo], edits)
        gc.collect()


def _of_photo(
    path: Path, keys: Sequence[Key], edits: Path
) -> Iterator[tuple[Key, tuple[list[Did], Mapping[str, float]]]]:
    before = read_photo(path).srgb()
    face = max(find_faces(before), key=lambda each: each.alignment.side)
    old: Perceived | None = None
    known = None
    for key in keys:
        photo, recipe, commit = key
        stem = photo.replace("/", "_").rsplit(".", 1)[0]
        place = edits / commit / f"{stem}__{recipe}.png"
        if not place.exists():
            print(f"{place} is not there", flush=True)
            continue
        after = read_photo(place).srgb()
        old = old or perceive(before, face.alignment)
        known = descriptor(before, face.landmarks) if known is None else known
        pair = Pair.of(before, after, face.alignment, old)
        square = square_after(after, face.alignment)
        places = face.landmarks if square == face.alignment else landmarks_in(after, square)
        measures = measure(pair) | {"identity": distance(known, descriptor(after, places))}
        done = did(pair, _asked(recipe, face.landmarks))
        yield key, ([] if done is None else [done], measures)


def _asked(recipe: str, landmarks: np.ndarray) -> Asked:
    if recipe not in DRAGS:
        return Asked(recipe)
    point, frame = DRAGS[recipe], Frame.of_face(landmarks)
    handle = frame.handle(point)
    return Asked(handles=handle[None], targets=(handle + frame.movement(point))[None])
