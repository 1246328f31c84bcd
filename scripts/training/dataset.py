"""A folder of photos as one file of aligned faces, split by person.

`build` finds the face in every photo, cuts a square somewhat wider than the FFHQ one (so that the crop can be
shifted and turned while training) and stores all of them as JPEG in one .npz file. The person is the photo's
file name without its ending, so the same name in two folders is the same person.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from alignment import AlignmentError, extract_crop, find_faces
from realedit.errors import EXPECTED
from realedit.photos import read_photo

MARGIN = 1.125  # side of the stored square over the FFHQ square's
SIZE = 288  # its pixels: 256 for the FFHQ square
_VALID = 72  # the mask of what was in the photo is stored at this size
_QUALITY = 92

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Faces:
    """Aligned faces: squares MARGIN times as wide as the FFHQ one.

    pixels `[N, S, S, 3]` uint8 RGB; valid `[N, V, V]` bool, False outside of the photo; landmarks `[N, 68,
    2]` float32 in the unit square; people and folders `[N]` names; held_out: the people kept out of training.
    """

    pixels: Pixels
    valid: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    people: list[str]
    folders: list[str]
    held_out: frozenset[str]

    def __len__(self) -> int:
        return len(self.people)

    def indices(self, *, held_out: bool) -> NDArray[np.int64]:
        """Which faces are of people held out, or of all the others."""
        return np.array([i for i, p in enumerate(self.people) if (p in self.held_out) == held_out], np.int64)


def build(folders: Sequence[Path], target: Path, *, seen: Sequence[Path] = (), processes: int = 1) -> None:
    """Align every photo of the folders and write them to `target`; prints what is left out and why.

    A tenth of the people is held out, none of those in the `seen` folders (which weights to start from were
    trained on).
    """
    photos = [path for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]
    with ProcessPoolExecutor(processes) as pool:
        found = list(pool.map(_aligned, photos, chunksize=8))
    kept = [(path, face) for path, face in zip(photos, found, strict=True) if not isinstance(face, str)]
    for path, reason in zip(photos, found, strict=True):
        if isinstance(reason, str):
            print(f"left out: {path}: {reason}")
    people = [path.stem for path, _ in kept]
    known = {path.stem for folder in seen for path in folder.iterdir()}
    held_out = choose_held_out(people, known)
    write(
        target,
        np.stack([face[0] for _, face in kept]),
        np.stack([face[1] for _, face in kept]),
        np.stack([face[2] for _, face in kept]),
        people,
        [path.parent.name for path, _ in kept],
        held_out,
    )
    print(f"{len(kept)} faces of {len(set(people))} people, {len(held_out)} of them held out: {target}")


def write(
    target: Path,
    pixels: Pixels,
    valid: NDArray[np.bool_],
    landmarks: NDArray[np.float32],
    people: Sequence[str],
    folders: Sequence[str],
    held_out: Iterable[str],
) -> None:
    """Store faces as `load` reads them: pixels `[N, SIZE, SIZE, 3]`, the others as in `Faces`."""
    encoded = [_jpeg(picture) for picture in pixels]
    np.savez(
        target,
        jpegs=np.frombuffer(b"".join(encoded), np.uint8),
        offsets=np.cumsum([0, *map(len, encoded)]),
        valid=np.packbits(valid, axis=None),
        landmarks=landmarks,
        names=json.dumps({"people": people, "folders": folders, "held_out": sorted(held_out)}),
    )


def _jpeg(picture: Pixels) -> bytes:
    turned = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done
    return encoded.tobytes()


def choose_held_out(people: Iterable[str], known: Iterable[str]) -> frozenset[str]:
    """A tenth of the people, chosen by the hash of their names among those not `known`."""
    everyone = set(people)
    fresh = sorted(everyone - set(known), key=lambda name: hashlib.sha256(name.encode()).digest())
    return frozenset(fresh[: len(everyone) // 10])


def load(path: Path, size: int) -> Faces:
    """Read what `build` wrote, with squares of `size` pixels (MARGIN times the FFHQ square's)."""
    with np.load(path) as stored:
        names = json.loads(str(stored["names"]))
        jpegs, offsets, landmarks = stored["jpegs"], stored["offsets"], stored["landmarks"]
        count = len(names["people"])
        valid = np.unpackbits(stored["valid"], count=count * _VALID * _VALID).astype(np.bool_)
    pixels = np.empty((count, size, size, 3), np.uint8)
    for i in range(count):
        picture = cv2.imdecode(jpegs[offsets[i] : offsets[i + 1]], cv2.IMREAD_COLOR_RGB)
        assert picture is not None
        pixels[i] = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    return Faces(
        pixels, valid.reshape(count, _VALID, _VALID), landmarks,
        names["people"], names["folders"], frozenset(names["held_out"]),
    )  # fmt: skip


def _aligned(path: Path) -> tuple[Pixels, NDArray[np.bool_], NDArray[np.float32]] | str:
    """The square, its mask and the landmarks in it; or why there is none."""
    try:
        photo = read_photo(path).srgb()
        faces = find_faces(photo)
    except (*EXPECTED, AlignmentError) as error:
        return str(error)
    if len(faces) != 1:
        return f"{len(faces)} faces"
    square = replace(faces[0].alignment, side=faces[0].alignment.side * MARGIN)
    pixels = np.asarray(extract_crop(photo, square, SIZE).pixels, np.uint8)
    valid = extract_crop(photo, square, _VALID).valid
    return pixels, valid, square.to_crop(faces[0].landmarks, 1).astype(np.float32)
