"""A folder of photos as one file of aligned faces, split by person.

`build` finds the face in every photo, cuts a square somewhat wider than the FFHQ one (so that the crop can be
shifted and turned while training) and stores all of them as JPEG in one .npz file. `person_of` says who is in
a photo; the same name in two folders is the same person.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from alignment import AlignmentError, Face, NoFaceError, extract_crop, find_faces
from alignment.detection import HogDetector
from realedit.errors import EXPECTED
from realedit.perception import perceive
from realedit.photos import read_photo
from train.faces.kinds import NAMES, kinds_of

MARGIN = 1.125  # side of the stored square over the FFHQ square's
SIZE = 288  # its pixels: 256 for the FFHQ square
_VALID = 72  # the mask of what was in the photo is stored at this size
_QUALITY = 92
_TOLD = 200  # photos between two words on how far it is

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Faces:
    """Aligned faces: squares MARGIN times as wide as the FFHQ one.

    pixels `[N, S, S, 3]` uint8 RGB; valid `[N, V, V]` bool, False outside of the photo; landmarks `[N, 68,
    2]` float32 in the unit square; sides `[N]` float32, the width of the FFHQ square in pixels of the photo;
    kinds `[N, K]` bool, in the order of `kinds.NAMES`; people, folders and photos `[N]` names (photos: the
    files' without ending); held_out: the people kept out of training.
    """

    pixels: Pixels
    valid: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    sides: NDArray[np.float32]
    kinds: NDArray[np.bool_]
    people: list[str]
    folders: list[str]
    photos: list[str]
    held_out: frozenset[str]

    def __len__(self) -> int:
        return len(self.people)

    def indices(self, *, held_out: bool) -> NDArray[np.int64]:
        """Which faces are of people held out, or of all the others."""
        return np.array([i for i, p in enumerate(self.people) if (p in self.held_out) == held_out], np.int64)

    def square(self, index: int, size: int) -> tuple[Pixels, NDArray[np.bool_]]:
        """The FFHQ square `[size, size, 3]` out of a stored one, and where the photo has pixels."""
        wide = self.pixels.shape[1]
        edge = round(wide * (1 - 1 / MARGIN) / 2)
        inner = slice(edge, wide - edge)
        valid = cv2.resize(self.valid[index].astype(np.float32), (wide, wide), interpolation=cv2.INTER_LINEAR)
        valid = cv2.resize(valid[inner, inner], (size, size), interpolation=cv2.INTER_AREA)
        crop = cv2.resize(self.pixels[index, inner, inner], (size, size), interpolation=cv2.INTER_AREA)
        return np.asarray(crop, np.uint8), np.asarray(valid > 0.99)

    def landmarks_in(self, index: int, size: int) -> NDArray[np.float64]:
        """The landmarks `[68, 2]` in pixels of that square."""
        return np.asarray(((self.landmarks[index] - 0.5) * MARGIN + 0.5) * size, np.float64)


def build(
    folders: Sequence[Path],
    target: Path,
    *,
    seen: Sequence[Path] = (),
    unseen: Iterable[str] = (),
    processes: int = 1,
) -> None:
    """Align every photo of the folders and write them to `target`; prints what is left out and why.

    A tenth of the people is held out: the `unseen` ones first (whom the weights to start from held out), none
    of those in the `seen` folders (which these weights were trained on).
    """
    photos = [path for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]
    found: list[_Aligned | str] = []
    with ProcessPoolExecutor(processes) as pool:
        for each in pool.map(_aligned, photos, chunksize=8):
            found.append(each)
            if len(found) % _TOLD == 0:
                print(f"{len(found)} of {len(photos)} photos", flush=True)
    kept = [(path, face) for path, face in zip(photos, found, strict=True) if not isinstance(face, str)]
    for path, reason in zip(photos, found, strict=True):
        if isinstance(reason, str):
            print(f"left out: {path}: {reason}")
    people = [person_of(path) for path, _ in kept]
    known = {person_of(path) for folder in seen for path in folder.iterdir()}
    held_out = choose_held_out(people, known, unseen)
    write(
        target,
        np.stack([face[0] for _, face in kept]),
        np.stack([face[1] for _, face in kept]),
        np.stack([face[2] for _, face in kept]),
        np.array([face[3] for _, face in kept], np.float32),
        np.stack([face[4] for _, face in kept]),
        people,
        [path.parent.name for path, _ in kept],
        [path.stem for path, _ in kept],
        held_out,
    )
    print(f"{len(kept)} faces of {len(set(people))} people, {len(held_out)} of them held out: {target}")


def write(
    target: Path,
    pixels: Pixels,
    valid: NDArray[np.bool_],
    landmarks: NDArray[np.float32],
    sides: NDArray[np.float32],
    kinds: NDArray[np.bool_],
    people: Sequence[str],
    folders: Sequence[str],
    photos: Sequence[str],
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
        sides=sides,
        kinds=kinds,
        names=json.dumps(
            {"people": people, "folders": folders, "photos": photos, "held_out": sorted(held_out)}
        ),
    )


def _jpeg(picture: Pixels) -> bytes:
    turned = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done
    return encoded.tobytes()


def person_of(photo: Path) -> str:
    """Who is in a photo: its name without ending; of names like `007_03` and `007_08-smiling` the number."""
    numbered = re.fullmatch(r"(\d{3})_\d{2}(-\w+)?", photo.stem)
    return photo.stem if numbered is None else f"{photo.parent.name}-{numbered[1]}"


def choose_held_out(
    people: Iterable[str], known: Iterable[str], unseen: Iterable[str] = ()
) -> frozenset[str]:
    """A tenth of the people: the `unseen` ones, then by the hash of their names among those not `known`."""
    everyone, before = set(people), set(unseen)
    fresh = sorted(
        everyone - (set(known) - before),
        key=lambda name: (name not in before, hashlib.sha256(name.encode()).digest()),
    )
    return frozenset(fresh[: max(len(everyone) // 10, len(everyone & before))])


def load(path: Path, size: int) -> Faces:
    """Read what `build` wrote, with squares of `size` pixels (MARGIN times the FFHQ square's)."""
    with np.load(path) as stored:
        names = json.loads(str(stored["names"]))
        jpegs, offsets = stored["jpegs"], stored["offsets"]
        if "kinds" not in stored or stored["kinds"].shape[1] != len(NAMES):
            raise SystemExit(f"{path} does not say of which kinds its faces are; prepare the photos again.")
        landmarks, sides, kinds = stored["landmarks"], stored["sides"], stored["kinds"]
        count = len(names["people"])
        valid = np.unpackbits(stored["valid"], count=count * _VALID * _VALID).astype(np.bool_)
    pixels = np.empty((count, size, size, 3), np.uint8)
    for i in range(count):
        picture = cv2.imdecode(jpegs[offsets[i] : offsets[i + 1]], cv2.IMREAD_COLOR_RGB)
        assert picture is not None
        pixels[i] = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    return Faces(
        pixels, valid.reshape(count, _VALID, _VALID), landmarks, sides, kinds,
        names["people"], names["folders"], names["photos"], frozenset(names["held_out"]),
    )  # fmt: skip


def _found(photo: Pixels) -> list[Face]:
    """The faces that one look from the front finds; where it finds none, those of a full search."""
    try:
        return find_faces(photo, detector=HogDetector())
    except NoFaceError:
        return find_faces(photo)


_Aligned = tuple[Pixels, NDArray[np.bool_], NDArray[np.float32], float, NDArray[np.bool_]]


def _aligned(path: Path) -> _Aligned | str:
    """The square, its mask, the landmarks in it, the FFHQ square's side, its kinds; or why there is none."""
    try:
        photo = read_photo(path).srgb()
        faces = _found(photo)
    except (*EXPECTED, AlignmentError) as error:
        return str(error)
    if len(faces) != 1:
        return f"{len(faces)} faces"
    square = replace(faces[0].alignment, side=faces[0].alignment.side * MARGIN)
    pixels = np.asarray(extract_crop(photo, square, SIZE).pixels, np.uint8)
    valid = extract_crop(photo, square, _VALID).valid
    landmarks = square.to_crop(faces[0].landmarks, 1).astype(np.float32)
    kinds = kinds_of(photo, perceive(photo, faces[0].alignment))
    return pixels, valid, landmarks, faces[0].alignment.side, kinds
