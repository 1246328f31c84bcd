"""Labelled photos as one file of chips: upright squares around each face, split by person.

A chip is `teacher.WIDTH` times as wide as the FFHQ square, so that the network's view can be shifted, turned
and scaled in it.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from alignment import Alignment, extract_crop
from checkpoints.storage import read_tensors
from realedit.perception import points as parts
from realedit.photos import read_photo

from . import teacher

SIZE = 512  # pixels of a chip: 284 for the FFHQ square, 71 for the interocular distance
_VALID = 64  # the mask of what was in the photo is stored at this size
_QUALITY = 93
_PAIRS = "london"  # the folder in which a person is the first three digits of the file's name

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Chips:
    """jpegs: one encoded picture `[SIZE, SIZE, 3]` each; valid `[N, 64, 64]` bool, False outside of the
    photo; points `[N, 478, 3]` in the chip's unit square, depth in the same unit; spread `[N]`: by how much
    the teacher's looks differ, in interocular distances; mattes `[N, 160, 160]` uint8; scales `[N]`: photo
    pixels per chip pixel; squares: the chips in their photos; people; paths: of the photos; held_out: the
    people kept out of training; mirror `[478]`: which point each becomes in a mirrored picture.
    """

    jpegs: list[NDArray[np.uint8]]
    valid: NDArray[np.bool_]
    points: NDArray[np.float32]
    spread: NDArray[np.float32]
    mattes: Pixels
    scales: NDArray[np.float32]
    squares: list[Alignment]
    people: list[str]
    paths: list[Path]
    held_out: frozenset[str]
    mirror: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.people)

    def pixels(self, index: int) -> Pixels:
        """One chip, RGB."""
        picture = cv2.imdecode(self.jpegs[index], cv2.IMREAD_COLOR)
        return np.ascontiguousarray(picture[..., ::-1])

    def name(self, index: int) -> str:
        """A photo's folder and name, without the ending."""
        path = self.paths[index]
        return f"{path.parent.name}/{path.stem}"

    def glasses(self, index: int) -> bool | None:
        """Whether glasses are worn, as a person saw it; None where nobody looked."""
        return _glasses().get(self.name(index))

    def indices(self, *, held_out: bool) -> list[int]:
        """Which chips are of people held out, or of all the others."""
        return [i for i, person in enumerate(self.people) if (person in self.held_out) == held_out]


@cache
def _glasses() -> dict[str, bool]:
    lines = Path(__file__).with_name("glasses.txt").read_text().splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    return {name: worn == "1" for name, worn in rows}


def build(labels: Path, target: Path, *, like: Path | None, seen: Sequence[Path], processes: int) -> None:
    """Cut the labelled photos into chips and write them to `target`.

    The people held out of the model file `like` are held out here too, and a tenth of those who are not in
    the `seen` folders (which it was trained from). Photos about which the teacher's looks differ by more than
    0.03 interocular distances are left out.
    """
    known = {Path(name): each for name, each in teacher.load(labels).items() if each is not None}
    looks = np.stack([each.looks for each in known.values()])
    mirror = mirror_table(looks[:, 0, 0])
    points, spread = averaged(looks, mirror)
    kept = {path: i for i, path in enumerate(known) if spread[i] < 0.03}
    print(f"looks differ by {np.median(spread):.4f} interocular distances; {len(known) - len(kept)} left out")
    squares = [_square(known[path].square) for path in kept]
    with ProcessPoolExecutor(processes) as pool:
        cut = list(pool.map(_cut, kept, squares, chunksize=16))
    people = [person(path) for path in kept]
    earlier = _held_out_of(like) if like else frozenset()
    others = {person(path) for folder in seen for path in folder.iterdir()}
    held_out = (earlier & set(people)) | choose_held_out(set(people) - others)
    places = [_in_square(points[i], square) for i, square in zip(kept.values(), squares, strict=True)]
    write(
        target,
        jpegs=[jpeg for jpeg, _ in cut],
        valid=np.stack([valid for _, valid in cut]),
        points=np.stack(places).astype(np.float32),
        spread=spread[list(kept.values())].astype(np.float32),
        mattes=np.stack([known[path].matte for path in kept]),
        mirror=mirror,
        squares=squares,
        people=people,
        paths=list(kept),
        held_out=held_out,
    )
    print(f"{len(kept)} faces of {len(set(people))} people, {len(held_out)} of them held out: {target}")


def person(path: Path) -> str:
    """Who is in a photo, by its file's name."""
    return f"{_PAIRS}-{path.stem[:3]}" if path.parent.name == _PAIRS else path.stem


def choose_held_out(people: Iterable[str]) -> frozenset[str]:
    """A tenth of the people, each by the hash of its name, so that more people change nothing for others."""
    digests = {name: hashlib.sha256(name.encode()).digest() for name in people}
    return frozenset(name for name, digest in digests.items() if digest[-1] * 10 < 256)


def write(
    target: Path,
    *,
    jpegs: Sequence[Pixels],
    squares: Sequence[Alignment],
    people: Sequence[str],
    paths: Sequence[Path],
    held_out: Iterable[str],
    **arrays: Any,
) -> None:
    """Store chips as `load` reads them."""
    names = {
        "people": list(people),
        "paths": list(map(str, paths)),
        "squares": [square.to_dict() for square in squares],
        "held_out": sorted(held_out),
    }
    offsets = np.cumsum([0, *map(len, jpegs)])
    np.savez(target, jpegs=np.concatenate(jpegs), offsets=offsets, names=json.dumps(names), **arrays)


def load(path: Path) -> Chips:
    """Read what `build` wrote."""
    with np.load(path) as stored:
        names = json.loads(str(stored["names"]))
        jpegs, offsets = stored["jpegs"], stored["offsets"]
        squares = [Alignment.from_dict(each) for each in names["squares"]]
        return Chips(
            jpegs=[jpegs[a:b] for a, b in pairwise(offsets)],
            valid=stored["valid"],
            points=stored["points"],
            spread=stored["spread"],
            mattes=stored["mattes"],
            scales=np.array([square.side / SIZE for square in squares], np.float32),
            squares=squares,
            people=names["people"],
            paths=[Path(each) for each in names["paths"]],
            held_out=frozenset(names["held_out"]),
            mirror=stored["mirror"],
        )


def encoded(picture: Pixels, quality: int = _QUALITY) -> Pixels:
    """An RGB picture as JPEG."""
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    done, stream = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), settings)
    assert done
    return np.asarray(stream, np.uint8).ravel()


def interocular(points: Points) -> Points:
    """`[N]`: the distances between the middles of both eyes' corners of `[N, 478, 2 or 3]`."""
    left, right = (points[:, list(eye.corners), :2].mean(axis=1) for eye in parts.EYES)
    return np.asarray(np.linalg.norm(right - left, axis=1))


def averaged(looks: Points, mirror: NDArray[np.int64]) -> tuple[Points, Points]:
    """The mean of the teacher's looks `[N, 2, L, 478, 3]`, of which the second half is mirrored.

    Returns points `[N, 478, 3]` with mean depth 0, and `[N]`: the mean distance of one look to the mean of
    all, in interocular distances.
    """
    straight = np.concatenate([looks[:, 0], looks[:, 1][:, :, mirror]], axis=1)
    straight[..., 2] -= straight[..., 2].mean(axis=2, keepdims=True)
    points = straight.mean(axis=1)
    apart = np.linalg.norm((straight - points[:, None])[..., :2], axis=3).mean(axis=(1, 2))
    return points, apart / interocular(points)


def mirror_table(points: Points) -> NDArray[np.int64]:
    """Which point each of 478 becomes when faces `[N, 478, 3]` are mirrored, from their mean shape."""
    left, right = (points[:, list(eye.corners)].mean(axis=1) for eye in parts.EYES)
    middle, unit = (left + right) / 2, interocular(points)[:, None, None]
    mean = ((points - middle[:, None]) / unit).mean(axis=0)
    apart = np.linalg.norm(mean[:, None] - (mean * (-1, 1, 1))[None], axis=2)
    mirror = np.asarray(linear_sum_assignment(apart + apart.T)[1], np.int64)
    if not (mirror[mirror] == np.arange(len(mirror))).all():
        raise ValueError("The mean face is not symmetric enough to tell which point mirrors which.")
    return mirror


def _square(values: NDArray[np.float64]) -> Alignment:
    x, y, side, angle = map(float, values)
    return Alignment(centre=(x, y), side=side, angle=angle)


def _in_square(points: Points, square: Alignment) -> Points:
    return np.column_stack([square.to_crop(points[:, :2], 1), points[:, 2] / square.side])


def _held_out_of(model: Path) -> frozenset[str]:
    return frozenset(json.loads(read_tensors(model)[1].get("held_out", "[]")))


def _cut(path: Path, square: Alignment) -> tuple[Pixels, NDArray[np.bool_]]:
    photo = read_photo(path).srgb()
    pixels = np.asarray(extract_crop(photo, square, SIZE).pixels, np.uint8)
    return encoded(pixels), extract_crop(photo, square, _VALID).valid
