"""Ways of W+ along which heads turn and nod: a regression of codes on what landmarks and colours show.

No photograph shows one head turned by a known angle, but portraits show many heads turned by a little. The
ways are what the codes of all of them have to do with yaw and pitch, as the perception networks see them in
the portraits, while everything else that was measured is held (expression, jaw, background, clothes, light).
Their unit is one degree, as the same networks see it in generated pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alignment import Alignment
from alignment.identity import descriptor, distance
from alignment.landmarks import landmarks_in
from checkpoints import Checkpoint
from realedit.perception import perceive
from train.faces.codes import squares
from train.faces.dataset import MARGIN, Faces
from train.generating.watching import pixels

Floats = NDArray[np.float64]

NAMES = ("turn", "nod")
PROBED = (-20.0, -10.0, 10.0, 20.0)  # degrees of the portraits, at which generated pictures are looked at
MOST = 20.0  # degrees: farther no way is said to go
LIKE = 0.45  # identity distance up to which a picture still counts as the same person
FOLLOWS = 0.6  # of the degrees that are asked for: a way that gives less has left the faces
_LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))


@dataclass(frozen=True, eq=False)
class HeadWay:
    """way `[K, D]` per degree; limits in degrees; measured: by amount in degrees, what the pictures show
    (degrees, identity distance), medians over people."""

    name: str
    way: Tensor
    limits: tuple[float, float]
    measured: dict[float, tuple[float, float]]


def upright(landmarks: Floats) -> Floats:
    """Landmarks `[N, 68, 2]` from the middle of the eyes, with the eyes level, in interocular distances."""
    left, right = landmarks[:, 36:42].mean(1), landmarks[:, 42:48].mean(1)
    unit = np.linalg.norm(right - left, axis=1)[:, None, None]
    across = (right - left) / unit[:, 0]
    turn = np.stack([across, np.stack([-across[:, 1], across[:, 0]], 1)], 2)
    return np.einsum("nij,njk->nik", (landmarks - ((left + right) / 2)[:, None]) / unit, turn)


def poses(faces: Faces, indices: Sequence[int]) -> Floats:
    """How heads are turned, `[N, 2]`: yaw and pitch in degrees."""
    side = faces.pixels.shape[1]
    square = Alignment(centre=(side / 2, side / 2), side=side / MARGIN, angle=0)
    seen = [perceive(faces.pixels[i], square).pose for i in indices]
    return np.array([(each.yaw, each.pitch) for each in seen])


def others(landmarks: Floats, crops: Tensor) -> Floats:
    """What is held, `[N, C]`: corners, width and gap of the mouth, aperture of the eyes, brows, jaw; colours
    of the background on both sides, of the clothes and of the face, and how much lighter its one side is.

    crops `[N, 3, R, R]` in [-1, 1].
    """
    own = upright(landmarks)
    lids = np.mean([np.linalg.norm(own[:, a] - own[:, b], axis=1) for a, b in _LIDS], axis=0)
    shapes = [
        own[:, [51, 57], 1].mean(1) - own[:, [48, 54], 1].mean(1),
        own[:, 54, 0] - own[:, 48, 0],
        own[:, 66, 1] - own[:, 62, 1],
        lids,
        own[:, 17:27, 1].mean(1),
        own[:, 12, 0] - own[:, 4, 0],
    ]
    side = crops.shape[-1]
    eighth, third, half = side // 8, side // 3, side // 2
    parts = (
        crops[:, :, :half, :eighth],
        crops[:, :, :half, -eighth:],
        crops[:, :, -eighth:],
        crops[:, :, third:-third, third:-third],
    )
    colours = [part.mean((2, 3)).double().numpy() for part in parts]
    lit = crops[:, :, third:-third].mean(1)
    lighter = (lit[:, :, third:half].mean((1, 2)) - lit[:, :, half:-third].mean((1, 2))).double().numpy()
    return np.concatenate([np.stack(shapes, 1), *colours, lighter[:, None]], 1)


def regressed(codes: Tensor, wanted: Floats, held: Floats) -> Tensor:
    """What codes `[N, L, D]` do per unit of each wanted number `[N, W]` while those held `[N, C]` stay,
    `[W, L, D]`: their multiple linear regression, by least squares."""
    held = (held - held.mean(0)) / np.maximum(held.std(0), 1e-9)
    table = np.concatenate([wanted - wanted.mean(0), held], 1)
    centred = (codes - codes.mean(0)).flatten(1).double()
    solved = torch.linalg.lstsq(torch.from_numpy(table), centred).solution[: wanted.shape[1]]
    return solved.reshape(-1, *codes.shape[1:]).float()


@torch.no_grad()
def encoded(checkpoint: Checkpoint, faces: Faces, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Codes `[N, L, D]` and crops `[N, 3, R, R]` in [-1, 1] of faces, as the encoder sees them."""
    assert checkpoint.encoder is not None, "the model has no encoder"
    codes, crops = [], []
    for first in range(0, len(indices), 16):
        batch, _ = squares(faces, indices[first : first + 16], checkpoint.generator.resolution)
        codes.append(checkpoint.encoder(batch))
        crops.append(batch)
    return torch.cat(codes), torch.cat(crops)


def head_ways(checkpoint: Checkpoint, faces: Faces, *, every: int, people: int) -> list[HeadWay]:
    """The ways from every so many of the portraits, in degrees as seen in so many people held out."""
    chosen = faces.indices(held_out=False)[::every].tolist()
    codes, crops = encoded(checkpoint, faces, chosen)
    marks = faces.landmarks[chosen].astype(np.float64)
    layers = checkpoint.drag_layers or checkpoint.generator.num_ws
    found = regressed(codes, poses(faces, chosen), others(marks, crops))[:, :layers]
    unseen = faces.indices(held_out=True)
    unseen = unseen[:: max(1, len(unseen) // people)][:people].tolist()
    base, _ = encoded(checkpoint, faces, unseen)
    return [
        in_degrees(checkpoint, name, i, way, base)
        for i, (name, way) in enumerate(zip(NAMES, found, strict=True))
    ]


@torch.no_grad()
def in_degrees(checkpoint: Checkpoint, name: str, angle: int, way: Tensor, codes: Tensor) -> HeadWay:
    """A way `[K, D]` per degree of the portraits as one per degree of what is drawn. angle: 0 for yaw, 1 for
    pitch; codes `[N, L, D]` of the people to look at."""
    start = [look(picture) for picture in pixels(checkpoint.generator.synthesis(codes))]
    seen = {}
    for amount in PROBED:
        moved = codes.clone()
        moved[:, : len(way)] += amount * way
        now = [look(picture) for picture in pixels(checkpoint.generator.synthesis(moved))]
        both = list(zip(start, now, strict=True))
        degrees = float(np.median([after[0][angle] - before[0][angle] for before, after in both]))
        apart = float(np.median([distance(before[1], after[1]) for before, after in both]))
        seen[amount] = (degrees, apart)
    small = [(amount, seen[amount][0]) for amount in PROBED if abs(amount) == min(map(abs, PROBED))]
    slope = sum(amount * degrees for amount, degrees in small) / sum(amount**2 for amount, _ in small)
    if slope <= 0:
        raise SystemExit(f"{name}: the way does not turn heads (by {slope:.2f} degrees per degree)")
    measured = {amount * slope: figures for amount, figures in seen.items()}
    return HeadWay(name, way / slope, limits_of(measured), measured)


def limits_of(measured: dict[float, tuple[float, float]]) -> tuple[float, float]:
    """As far each way, in degrees, as pictures follow and show the same person, at most `MOST`."""
    good = [asked for asked, (seen, apart) in measured.items() if seen / asked >= FOLLOWS and apart <= LIKE]
    return max(-MOST, min([0.0, *good])), min(MOST, max([0.0, *good]))


def look(picture: NDArray[np.uint8]) -> tuple[tuple[float, float], Floats]:
    """Yaw and pitch in degrees, and dlib's descriptor, of a generated picture `[R, R, 3]`."""
    side = picture.shape[0]
    whole = Alignment(centre=(side / 2, side / 2), side=side, angle=0)
    pose = perceive(picture, whole).pose
    return (pose.yaw, pose.pitch), np.asarray(descriptor(picture, landmarks_in(picture, whole)), np.float64)


@torch.no_grad()
def sheet_of(
    checkpoint: Checkpoint, ways: Sequence[HeadWay], faces: Faces, *, people: int
) -> NDArray[np.uint8]:
    """People held out, as encoded and at both limits and half of them along each way."""
    chosen = faces.indices(held_out=True)[:people].tolist()
    codes, crops = encoded(checkpoint, faces, chosen)
    columns = [pixels(crops), pixels(checkpoint.generator.synthesis(codes))]
    for each in ways:
        for amount in (each.limits[0], each.limits[0] / 2, each.limits[1] / 2, each.limits[1]):
            moved = codes.clone()
            moved[:, : len(each.way)] += amount * each.way
            columns.append(pixels(checkpoint.generator.synthesis(moved)))
    return np.vstack([np.hstack([column[i] for column in columns]) for i in range(len(chosen))])
