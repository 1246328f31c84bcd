"""Pairs of before and after for `scripts/bench paste`: true and generated ones.

True pairs: a photo with detail down to its pixels, made at `OVER` times its size, is moved there by a smooth
deformation in the units of its face's square. The paste is given what the generator would: the square before
and after at the crop's size. Generated pairs: a photo is inverted and dragged, so inversion error, changed
shading and things that appear are all in them; their truth is known only at the crop's size.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

import checkpoints
from alignment import Alignment, extract_crop, find_faces
from bench.shared.measuring import inverted
from checkpoints import Checkpoint
from realedit.drag.settings import feature_resolution
from realedit.editing import stages
from realedit.geometry.reach import reach_region
from realedit.photos import Format, Photo, read_photo
from realedit.sessions.pictures import generator_of, pictures
from realedit.sessions.regions import crop_region
from realedit.sessions.session import Session, to_picture

Array = NDArray[np.float32]
OVER = 2  # truths are made this much larger, then averaged, so that they are as sharp as the photo
TEXTURE = 0.011  # amplitude of the added detail per octave, share of white
# landmark -> where it goes, (right, down) in shares of the square; width of the moved bump
DEFORMATIONS: dict[str, tuple[dict[int, tuple[float, float]], float]] = {
    "smile": ({48: (-0.028, -0.024), 54: (0.028, -0.024)}, 0.055),
    "brows": ({19: (0.0, -0.03), 24: (0.0, -0.03)}, 0.06),
    "nose": ({30: (0.02, -0.02)}, 0.05),
    "jaw": ({5: (0.025, -0.01), 11: (-0.025, -0.01)}, 0.05),
}


# landmark -> movement (right, up) in interocular distances
DRAGS = {
    "smile": {48: (-0.12, 0.10), 54: (0.12, 0.10)},
    "brows": {19: (0.0, 0.12), 24: (0.0, 0.12)},
    "open mouth": {57: (0.0, -0.25)},
}
ENLARGED = 4


@dataclass(frozen=True)
class Face:
    """A sharp picture of a face's square, `[S, S, 3]` uint8, and its landmarks in [0, 1]."""

    name: str
    master: NDArray[np.uint8]
    landmarks: NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """photo and truth `[h, w, 3]` uint8 with the square in them; flow `[h, w, 2]` photo px, after to before;
    crop and after `[R, R, 3]`; reach `[R, R]`."""

    photo: Photo
    truth: NDArray[np.uint8]
    flow: Array
    alignment: Alignment
    crop: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    after: Array
    reach: Array
    handles: NDArray[np.float64]  # crop px
    targets: NDArray[np.float64]

    @property
    def before(self) -> Array:
        """`[R, R, 3]` in [0, 1]."""
        return self.crop.astype(np.float32) / 255


def photo_of(pixels: NDArray[Any]) -> Photo:
    """A photo in memory."""
    return Photo(path=Path("photo.png"), source=b"", format=Format.PNG, stored=pixels)


def textured(small: NDArray[np.uint8], size: int, *, seed: int = 0) -> NDArray[np.uint8]:
    """A square enlarged to `size`, with as much detail per octave below its own pixels (Field 1987)."""
    large = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
    random = np.random.default_rng(seed)
    octaves = max(1, round(np.log2(size / small.shape[0])) + 1)
    texture = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        cells = max(8, size >> octave)
        noise = random.standard_normal((cells, cells), np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), 0.7)
        noise *= TEXTURE * 255 / noise.std()
        texture += cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
    rows = 512
    for top in range(0, size, rows):
        part = large[top : top + rows]
        part[:] = np.clip(np.rint(part + texture[top : top + rows, :, None]), 0, 255)
    return large


def load_faces(folder: Path | None, count: int, largest: int) -> Iterator[Face]:
    """The sharpest faces of a folder, or scikit-image's astronaut, with a master for squares of `largest`."""
    for name, pixels in _sources(folder, count):
        found = find_faces(pixels)
        if not found:
            continue
        alignment = found[0].alignment
        own = extract_crop(pixels, alignment, round(alignment.side)).pixels
        yield Face(name, textured(own, largest * OVER), alignment.to_crop(found[0].landmarks, 1))


def _sources(folder: Path | None, count: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    if folder is None:
        from skimage import data

        yield "astronaut", data.astronaut()
        return
    files = sorted((p for p in folder.iterdir() if p.is_file()), key=lambda p: (-p.stat().st_size, p.name))
    for path in files[:count]:
        yield path.stem, np.ascontiguousarray(read_photo(path).srgb())


def deformed(face: Face, name: str, side: int, crop: int) -> Pair:
    """The face's square as a photo of `side` px, moved by a deformation, seen by a generator of `crop` px."""
    moves, width = DEFORMATIONS[name]
    scale = side * OVER / face.master.shape[0]
    fine = face.master
    if scale != 1:
        fine = cv2.resize(fine, (side * OVER, side * OVER), interpolation=cv2.INTER_AREA)
    y, x = (np.mgrid[: side * OVER, : side * OVER].astype(np.float32) + 0.5) / (side * OVER)
    flow = np.zeros((*x.shape, 2), np.float32)
    handles = face.landmarks[list(moves)]
    targets = handles + np.array(list(moves.values()))
    for handle, target in zip(handles, targets, strict=True):
        bump = np.exp(-((x - target[0]) ** 2 + (y - target[1]) ** 2) / np.float32(2 * width**2))
        flow += bump[..., None] * (handle - target).astype(np.float32)
    pixels = side * OVER
    moved = cv2.remap(
        fine,
        (x + flow[..., 0]) * pixels - 0.5,
        (y + flow[..., 1]) * pixels - 0.5,
        cv2.INTER_LANCZOS4,
        borderMode=cv2.BORDER_REFLECT,
    )
    photo, truth = (cv2.resize(p, (side, side), interpolation=cv2.INTER_AREA) for p in (fine, moved))
    alignment = Alignment(centre=(side / 2, side / 2), side=float(side), angle=0.0)
    seen, after = (extract_crop(p, alignment, crop) for p in (photo, truth))
    small = cv2.resize(flow, (side, side), interpolation=cv2.INTER_AREA) * side
    reach = reach_region("all", handles * crop, targets * crop, crop, landmarks=face.landmarks * crop)
    return Pair(
        photo=photo_of(photo),
        truth=truth,
        flow=small.astype(np.float32),
        alignment=alignment,
        crop=seen.pixels,
        valid=seen.valid,
        after=after.pixels.astype(np.float32) / 255,
        reach=reach,
        handles=handles * crop,
        targets=targets * crop,
    )


@dataclass(frozen=True)
class GeneratedPair:
    """A photo, what the generator made of its crop before and after a drag, and what a `Pair` has of it.
    frames `[R, R, 3]` each: the drag's own pictures on the way, four of them."""

    name: str
    photo: Photo
    alignment: Alignment
    crop: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    before: Array
    after: Array
    reach: Array
    handles: NDArray[np.float64]  # crop px
    reached: NDArray[np.float64]
    frames: tuple[Array, ...]
    features: tuple[NDArray[np.float32], NDArray[np.float32]]  # [C, n, n] of before and after


def generated_pairs(folder: Path, count: int, model: str = "face128") -> Iterator[GeneratedPair]:
    """The drags of `DRAGS` on the sharpest photos of a folder, each at its own size and enlarged."""
    checkpoint = checkpoints.load(model)
    files = sorted((p for p in folder.iterdir() if p.is_file()), key=lambda p: (-p.stat().st_size, p.name))
    for path in files[:count]:
        photo, session = inverted(path, checkpoint, "draft")
        large = enlarged(photo)
        for name in DRAGS:
            pair = _dragged(name, photo, session, checkpoint)
            yield pair
            old = pair.alignment
            square = Alignment(
                centre=(old.centre[0] * ENLARGED, old.centre[1] * ENLARGED),
                side=old.side * ENLARGED,
                angle=old.angle,
            )
            yield replace(pair, name=f"{name}, enlarged", photo=large, alignment=square)


def enlarged(photo: Photo) -> Photo:
    """The photo `ENLARGED` times as large, with detail."""
    pixels = np.ascontiguousarray(photo.srgb())
    height, width = pixels.shape[:2]
    side = max(height, width)
    square = np.zeros((side, side, 3), np.uint8)
    square[:height, :width] = pixels
    large = textured(square, side * ENLARGED)
    return photo_of(np.ascontiguousarray(large[: height * ENLARGED, : width * ENLARGED]))


def _dragged(name: str, photo: Photo, session: Session, checkpoint: Checkpoint) -> GeneratedPair:
    landmarks = session.landmarks
    assert landmarks is not None
    across = landmarks[42:48].mean(0) - landmarks[36:42].mean(0)
    up = np.array([across[1], -across[0]])
    handles = landmarks[list(DRAGS[name])]
    targets = handles + np.array([right * across + rise * up for right, rise in DRAGS[name].values()])
    latents = []

    def keep(step: Any) -> bool:
        latents.append(step.latent.detach().clone())
        return True

    dragged = stages.drag(session, checkpoint, handles, targets, on_step=keep)
    generator = generator_of(dragged, checkpoint)
    size = generator.resolution
    cells = feature_resolution(size)
    with torch.no_grad():
        between = np.linspace(0, len(latents) - 1, 6)[1:-1].astype(int)
        frames = tuple(to_picture(generator.synthesis(latents[i])) for i in between)
        pivot, current = dragged.pivot, dragged.current
        assert pivot is not None and current is not None
        maps = [generator.features(ws, upto=cells)[cells][0].numpy() for ws in (pivot, current)]
    before, after = pictures(dragged, checkpoint)
    last = dragged.history[-1]
    square = dragged.alignment
    return GeneratedPair(
        name=name,
        photo=photo,
        alignment=square,
        crop=dragged.crop,
        valid=dragged.valid,
        before=before,
        after=after,
        reach=crop_region(dragged, last, size),
        handles=square.to_crop(last.handles, size),
        reached=square.to_crop(last.reached, size),
        frames=frames,
        features=(maps[0], maps[1]),
    )


def view(photo: Photo, alignment: Alignment) -> NDArray[np.uint8]:
    """The square of a photo at its own size."""
    return extract_crop(np.ascontiguousarray(photo.srgb()), alignment, round(alignment.side)).pixels
