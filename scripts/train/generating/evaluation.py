"""The figures of `scripts/train evaluate`. Each part returns values with their units, and a sheet of
pictures.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

import inversion
from alignment import AlignmentError, find_faces
from alignment.identity import descriptor, distance
from checkpoints import Checkpoint
from inversion import InversionSettings
from realedit.editing import stages
from realedit.errors import EXPECTED
from realedit.photos import read_photo
from realedit.sessions.session import Session, to_tensor
from train.faces.dataset import Faces
from train.generating.prior import PSI
from train.generating.watching import pixels

Values = dict[str, tuple[float, str]]
Pixels = NDArray[np.uint8]
Array = NDArray[np.float64]

DIVERSITY = "diversity: median distance of samples over that of people"
MEMORISED = "samples nearer to a training person than people are to each other"

NEAR = 0.05  # of the interocular distance: a handle has arrived

# landmark -> movement (right, up) in units of the interocular distance
DRAGS = {
    "smile": {48: (-0.12, 0.10), 54: (0.12, 0.10)},
    "open-mouth": {57: (0.0, -0.12), 8: (0.0, -0.08)},
    "turn-left": {30: (-0.12, 0.0), 27: (-0.06, 0.0)},
    "raise-brows": {19: (0.0, 0.12), 24: (0.0, 0.12)},
}


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many samples and portraits; the encoder sees every held-out face."""

    samples: int = 200
    people: int = 400
    inverted: int = 20
    dragged: int = 20

    @classmethod
    def quick(cls) -> "Counts":
        return cls(samples=32, people=80, inverted=4, dragged=3)

    def with_drags(self, dragged: int) -> "Counts":
        return replace(self, dragged=dragged)


def samples(checkpoint: Checkpoint, faces: Faces, counts: Counts) -> tuple[Values, Pixels]:
    """Random samples at psi 0.7 beside the people the generator was trained on."""
    rng = torch.Generator().manual_seed(0)
    z = torch.randn(counts.samples, checkpoint.generator.z_dim, generator=rng)
    pictures: list[Pixels] = []
    for part in z.split(16):
        pictures += list(_pictures(checkpoint, checkpoint.generator.mapping(part, truncation=PSI)))
    ours, one_face = [], 0
    for picture in pictures:
        large = cv2.resize(picture, (256, 256), interpolation=cv2.INTER_CUBIC)
        found = find_faces(np.asarray(large, np.uint8))
        one_face += len(found) == 1
        if len(found) == 1:
            ours.append(descriptor(np.asarray(large, np.uint8), found[0].landmarks))
    people = _one_each(faces, faces.indices(held_out=False))
    chosen = people[:: max(1, len(people) // counts.people)]
    theirs = np.array([_descriptor(faces, i) for i in chosen])
    values: Values = {"samples with exactly one face": (one_face / len(pictures), "share")}
    if len(ours) >= 2:
        strangers = np.array([_descriptor(faces, i) for i in _one_each(faces, faces.indices(held_out=True))])
        values |= _compared(np.array(ours), theirs) | _nearer(np.array(ours), theirs, strangers)
    return values, _grid(pictures[:48], 12)


def _compared(ours: Array, theirs: Array) -> Values:
    between, among, across = _apart(ours, ours), _apart(theirs, theirs), _apart(ours, theirs)
    pairs = between[np.triu_indices(len(ours), 1)]
    people = among[np.triu_indices(len(theirs), 1)]
    np.fill_diagonal(among, np.inf)
    limit = np.percentile(among.min(axis=1), 5)
    return {
        DIVERSITY: (float(np.median(pairs) / np.median(people)), "1"),
        "median descriptor distance between samples": (float(np.median(pairs)), "1"),
        "Frechet distance between descriptors of samples and people": (frechet(ours, theirs), "1"),
        "median distance of a sample to the nearest training person": (
            float(np.median(across.min(axis=1))),
            "1",
        ),
        "the same between training people": (float(np.median(among.min(axis=1))), "1"),
        MEMORISED: (
            float((across.min(axis=1) < limit).mean()), "share",
        ),
    }  # fmt: skip


def _nearer(ours: Array, theirs: Array, strangers: Array) -> Values:
    """Whether samples are like the people that were trained on, more than like as many that were not."""
    count = min(len(theirs), len(strangers))
    known, unknown = (_apart(ours, people[:count]).min(axis=1) for people in (theirs, strangers))
    return {
        "samples nearer to training people than to as many held out": (
            float((known < unknown).mean()),
            "share",
        )
    }


def _apart(a: Array, b: Array) -> Array:
    return np.asarray(np.linalg.norm(a[:, None] - b[None], axis=2))


def frechet(a: Array, b: Array) -> float:
    """The Frechet distance of two clouds `[N, D]`, each taken for a Gaussian (Heusel et al. 2017, arXiv
    1706.08500).
    """
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    values, axes = np.linalg.eigh(first)
    root = axes * np.sqrt(values.clip(0)) @ axes.T
    common = np.sqrt(np.linalg.eigvalsh(root @ second @ root).clip(0)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(first) + np.trace(second) - 2 * common)


def reconstruction(checkpoint: Checkpoint, faces: Faces, counts: Counts) -> tuple[Values, Pixels]:
    """Held-out people: the encoder on all of them; projection and tuning on some. Medians."""
    if checkpoint.encoder is None:
        raise SystemExit(f"{checkpoint.name} has no encoder to evaluate.")
    chosen = _one_each(faces, faces.indices(held_out=True))
    rows: dict[str, list[float]] = {}
    tiles = []
    for number, index in enumerate(chosen):
        crop, valid = faces.square(index, checkpoint.generator.resolution)
        target, weight = (
            to_tensor(crop, torch.device("cpu")),
            torch.from_numpy(valid.astype(np.float32))[None, None],
        )
        photo = _descriptor(faces, index)
        shown = {"the crop itself": crop, "encoder": _pictures(checkpoint, checkpoint.encoder(target))[0]}
        if number < counts.inverted:
            shown |= dict(_inverted(checkpoint, target, weight))
            tiles.append(np.vstack(list(shown.values())))
        points = faces.landmarks_in(index, checkpoint.generator.resolution)
        for name, picture in shown.items():
            rows.setdefault(f"identity distance, {name}", []).append(
                distance(photo, descriptor(picture, points))
            )
            if name != "the crop itself":
                rows.setdefault(f"PSNR, {name}", []).append(_psnr(picture, crop, valid))
    values: Values = {
        name: (float(np.median(found)), "dB" if name.startswith("PSNR") else "1")
        for name, found in rows.items()
    }
    return values, np.hstack(tiles)


def _inverted(
    checkpoint: Checkpoint, crop: torch.Tensor, valid: torch.Tensor
) -> Iterator[tuple[str, Pixels]]:
    """The picture after projection and after tuning, at the standard quality, with what needs no download."""
    settings = InversionSettings.preset("standard")
    loss = inversion.choose(settings.perceptual, checkpoint)
    latent = inversion.starting_latent(checkpoint, crop)
    for step in inversion.project(checkpoint, crop, valid, loss, settings.projection, start=latent):
        latent = step.latent
    yield "projection", _pictures(checkpoint, latent)[0]
    tuned = inversion.tuned_copy(checkpoint.generator)
    for _ in inversion.tune(checkpoint, tuned, latent, crop, valid, loss, settings.tuning):
        pass
    yield "tuning", _pictures(replace(checkpoint, generator=tuned), latent)[0]


def drags(checkpoint: Checkpoint, faces: Faces, counts: Counts) -> tuple[Values, Pixels]:
    """Four drags on held-out portraits through the whole product, at draft quality."""
    chosen = _one_each(faces, faces.indices(held_out=True))[: counts.dragged]
    arrived: dict[str, list[bool]] = {name: [] for name in DRAGS}
    moved: dict[str, list[float]] = {name: [] for name in DRAGS}
    kept: dict[str, list[float]] = {name: [] for name in DRAGS}
    tiles = []
    with tempfile.TemporaryDirectory() as folder:
        for index in chosen:
            path = Path(folder) / f"{faces.people[index]}.png"
            Image.fromarray(faces.pixels[index]).save(path)
            column = [faces.pixels[index]]
            for name, near, share, identity, edited in _dragged(checkpoint, path):
                arrived[name] += near
                moved[name].append(share)
                kept[name].append(identity)
                column.append(edited)
            if len(column) == len(DRAGS) + 1:
                tiles.append(np.vstack(column))
    everything = [near for found in arrived.values() for near in found]
    values: Values = {"handles that arrive, all drags": (float(np.mean(everything)), "share")}
    for name in DRAGS:
        values |= {
            f"{name}: handles that arrive": (float(np.mean(arrived[name])), "share"),
            f"{name}: share of the movement dlib finds again, median": (float(np.median(moved[name])), "1"),
            f"{name}: identity distance after, median": (float(np.median(kept[name])), "1"),
        }  # fmt: skip
    return values, np.hstack(tiles)


def _dragged(checkpoint: Checkpoint, path: Path) -> Iterator[tuple[str, list[bool], float, float, Pixels]]:
    """One portrait, every drag: which handles arrive, the share of the movement dlib finds, identity, the
    picture. Handles that are or go outside of the square are left out.
    """
    photo = read_photo(path)
    settings = InversionSettings.preset("draft")
    try:
        session = stages.align(photo, checkpoint, photo_path=path, settings=settings, quality="draft")
    except EXPECTED as error:
        print(f"left out: {error}")
        return
    session = stages.invert(session, checkpoint, settings)
    landmarks = session.landmarks
    assert landmarks is not None
    across = landmarks[42:48].mean(0) - landmarks[36:42].mean(0)
    up = np.array([across[1], -across[0]])
    before = descriptor(photo.srgb(), landmarks)
    for name, movement in DRAGS.items():
        moved = {number: right * across + rise * up for number, (right, rise) in movement.items()}
        numbers = [n for n, move in moved.items() if _seen([landmarks[n], landmarks[n] + move], session)]
        handles, moves = landmarks[numbers], np.array([moved[number] for number in numbers])
        reach = "head" if name == "turn-left" else "local"
        dragged = stages.drag(session, checkpoint, handles, handles + moves, reach=reach)
        edited = stages.render(photo, dragged, checkpoint).srgb()
        reached = np.array(dragged.history[-1].reached)
        missing = np.linalg.norm(reached - handles - moves, axis=1) / np.linalg.norm(across)
        try:
            found = find_faces(edited)
        except AlignmentError:
            found = []
        again = found[0].landmarks if found else landmarks
        share = float(np.mean(((again[numbers] - handles) * moves).sum(1) / (moves * moves).sum(1)))
        print(f"{path.stem} {name}: {missing.round(3)}, found {share:.2f}", flush=True)
        yield name, list(missing <= NEAR), share, distance(before, descriptor(edited, again)), edited


def _seen(points: list[Array], session: Session) -> bool:
    """Whether points of the photo lie in the aligned square: a chin may lie just below it, or go there."""
    places = session.alignment.to_crop(points, 1)
    return bool(((places >= 0) & (places <= 1)).all())


def _one_each(faces: Faces, indices: NDArray[np.int64]) -> list[int]:
    """The last photo of each person among the indices, in a fixed mixed order."""
    last = {faces.people[i]: int(i) for i in indices}
    order = np.random.default_rng(0).permutation(len(last))
    return [list(last.values())[i] for i in order]


def _descriptor(faces: Faces, index: int) -> Array:
    size = faces.pixels.shape[1]
    return descriptor(faces.pixels[index], faces.landmarks[index] * size)


@torch.no_grad()
def _pictures(checkpoint: Checkpoint, ws: torch.Tensor) -> Pixels:
    return pixels(checkpoint.generator.synthesis(ws))


def _psnr(picture: Pixels, crop: Pixels, valid: NDArray[np.bool_]) -> float:
    error = (picture.astype(np.float64) - crop)[valid] / 255
    return float(-10 * np.log10(max(float((error**2).mean()), 1e-10)))


def _grid(pictures: list[Pixels], columns: int) -> Pixels:
    pictures = pictures + [np.zeros_like(pictures[0])] * (-len(pictures) % columns)
    return np.vstack([np.hstack(pictures[i : i + columns]) for i in range(0, len(pictures), columns)])
