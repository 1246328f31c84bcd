"""Folders of photos as one file of chips: upright squares around each face, split by person.

A chip is WIDTH times as wide as the FFHQ square, so that the network's view (VIEW times as wide) can be
shifted, turned and scaled in it. Reading a file of chips needs only numpy and OpenCV, so that the teacher's
interpreter can.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH = 1.8
SIZE = 512  # pixels of a chip: 284 for the FFHQ square, 71 for the interocular distance
_VALID = 64  # the mask of what was in the photo is stored at this size
_QUALITY = 92
_PAIRS = "london"  # the folder in which a person is the first three digits of the file's name

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Chips:
    """jpegs: one encoded picture `[SIZE, SIZE, 3]` each; valid `[N, 64, 64]` bool, False outside of the
    photo; landmarks `[N, 68, 2]`: dlib's, in the unit square; scales `[N]`: photo pixels per chip pixel;
    people, names: of the file, with its folder; held_out: the people kept out of training.
    """

    jpegs: list[NDArray[np.uint8]]
    valid: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    scales: NDArray[np.float32]
    people: list[str]
    names: list[str]
    held_out: frozenset[str]

    def __len__(self) -> int:
        return len(self.people)

    def pixels(self, index: int) -> Pixels:
        """One chip, RGB."""
        picture = cv2.imdecode(self.jpegs[index], cv2.IMREAD_COLOR)
        return np.ascontiguousarray(picture[..., ::-1])

    def indices(self, *, held_out: bool) -> list[int]:
        """Which chips are of people held out, or of all the others."""
        return [i for i, person in enumerate(self.people) if (person in self.held_out) == held_out]


def build(
    folders: Sequence[Path], target: Path, *, like: Path | None, seen: Sequence[Path], processes: int
) -> None:
    """Align the photos of the folders and write them to `target`; prints what is left out and why.

    The people held out of the model file `like` are held out here too, and a tenth of those who are not in
    the `seen` folders (which it was trained from).
    """
    photos = [path for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]
    with ProcessPoolExecutor(processes) as pool:
        found = list(pool.map(_aligned, photos, chunksize=8))
    kept = []
    for path, face in zip(photos, found, strict=True):
        if isinstance(face, str):
            print(f"left out: {path}: {face}")
        else:
            kept.append((path, face))
    people = [person(path) for path, _ in kept]
    earlier = _held_out_of(like) if like else frozenset()
    known = {person(path) for folder in seen for path in folder.iterdir()}
    held_out = (earlier & set(people)) | choose_held_out(set(people) - known)
    write(target, [face for _, face in kept], people, [_named(path) for path, _ in kept], held_out)
    print(f"{len(kept)} faces of {len(set(people))} people, {len(held_out)} of them held out: {target}")


def person(path: Path) -> str:
    """Who is in a photo, by its file's name."""
    return f"{_PAIRS}-{path.stem[:3]}" if path.parent.name == _PAIRS else path.stem


def choose_held_out(people: Iterable[str]) -> frozenset[str]:
    """A tenth of the people, chosen by the hash of their names."""
    ordered = sorted(set(people), key=lambda name: hashlib.sha256(name.encode()).digest())
    return frozenset(ordered[: len(ordered) // 10])


def write(
    target: Path,
    faces: Sequence[tuple[Pixels, NDArray[np.bool_], NDArray[np.float32], float]],
    people: Sequence[str],
    names: Sequence[str],
    held_out: Iterable[str],
) -> None:
    """Store faces (pixels, valid, landmarks, photo pixels per chip pixel) as `load` reads them."""
    encoded = [_jpeg(pixels) for pixels, *_ in faces]
    np.savez(
        target,
        jpegs=np.concatenate(encoded),
        offsets=np.cumsum([0, *map(len, encoded)]),
        valid=np.stack([valid for _, valid, _, _ in faces]),
        landmarks=np.stack([landmarks for _, _, landmarks, _ in faces]).astype(np.float32),
        scales=np.array([scale for *_, scale in faces], np.float32),
        names=json.dumps({"people": list(people), "names": list(names), "held_out": sorted(held_out)}),
    )


def load(path: Path) -> Chips:
    """Read what `build` wrote."""
    with np.load(path) as stored:
        names = json.loads(str(stored["names"]))
        jpegs, offsets = stored["jpegs"], stored["offsets"]
        return Chips(
            [jpegs[a:b] for a, b in zip(offsets[:-1], offsets[1:], strict=True)],
            stored["valid"], stored["landmarks"], stored["scales"],
            names["people"], names["names"], frozenset(names["held_out"]),
        )  # fmt: skip


def _named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _jpeg(picture: Pixels) -> NDArray[np.uint8]:
    done, encoded = cv2.imencode(
        ".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    assert done
    return np.asarray(encoded, np.uint8).ravel()


def _held_out_of(model: Path) -> frozenset[str]:
    from checkpoints.storage import read_tensors

    return frozenset(json.loads(read_tensors(model)[1].get("held_out", "[]")))


def _aligned(path: Path) -> tuple[Pixels, NDArray[np.bool_], NDArray[np.float32], float] | str:
    """The chip, its mask, dlib's landmarks in it and its scale; or why there is none."""
    from dataclasses import replace

    from alignment import AlignmentError, extract_crop, find_faces
    from realedit.errors import EXPECTED
    from realedit.photos import read_photo

    try:
        photo = read_photo(path).srgb()
        faces = find_faces(photo)
    except (*EXPECTED, AlignmentError) as error:
        return str(error)
    if len(faces) != 1:
        return f"{len(faces)} faces"
    square = replace(faces[0].alignment, side=faces[0].alignment.side * WIDTH)
    pixels = np.asarray(extract_crop(photo, square, SIZE).pixels, np.uint8)
    valid = extract_crop(photo, square, _VALID).valid
    return pixels, valid, square.to_crop(faces[0].landmarks, 1).astype(np.float32), square.side / SIZE
