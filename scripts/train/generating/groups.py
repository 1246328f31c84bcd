"""The encoder by kinds of faces, and whether it sees faces at rest as they are."""

import numpy as np
import torch
from numpy.typing import NDArray

from alignment import Alignment
from alignment.identity import descriptor, distance
from checkpoints import Checkpoint
from realedit.perception import perceive
from realedit.sessions.session import to_tensor
from train.faces.dataset import Faces
from train.faces.kinds import NAMES, corner_rise
from train.generating.watching import pixels

Pixels = NDArray[np.uint8]
Values = dict[str, tuple[float, str]]

CORNERS = "corners of the mouth, faces at rest: encoding above photo, median"
LIPS = "lips apart, faces at rest: encoding over photo, median"
WORST_KIND = "identity distance, encoder: worst kind over all"
FEWEST = 8  # faces that a kind must have for a figure


def groups(checkpoint: Checkpoint, faces: Faces) -> tuple[Values, Pixels]:
    """Of all photos of held-out people: medians of the identity distance after the encoder, by kind; and how
    much more faces at rest smile and open their lips in their encodings, in interocular distances. The sheet
    shows faces at rest above their encodings.
    """
    assert checkpoint.encoder is not None
    size = checkpoint.generator.resolution
    chosen = faces.indices(held_out=True)
    resting = faces.kinds[:, NAMES.index("at rest")]
    distances, corners, lips, tiles = [], [], [], []
    for index in chosen:
        crop, _ = faces.square(index, size)
        target = to_tensor(crop, torch.device("cpu"))
        with torch.no_grad():
            drawn = pixels(checkpoint.generator.synthesis(checkpoint.encoder(target)))[0]
        points = faces.landmarks_in(index, size)
        distances.append(distance(descriptor(crop, points), descriptor(drawn, points)))
        if resting[index]:
            rise, gap = (b - a for a, b in zip(_mouth(crop), _mouth(drawn), strict=True))
            corners.append(rise)
            lips.append(gap)
            tiles.append(np.vstack([crop, drawn]))
    found = np.array(distances)
    middle = float(np.median(found))
    by_kind = {
        name: float(np.median(found[faces.kinds[chosen, kind]]))
        for kind, name in enumerate(NAMES)
        if faces.kinds[chosen, kind].sum() >= FEWEST
    }
    values: Values = {"identity distance, encoder, all photos": (middle, "1")}
    values |= {f"identity distance, encoder: {name}": (value, "1") for name, value in by_kind.items()}
    if by_kind:
        values[WORST_KIND] = (max(by_kind.values()) / middle, "1")
    if corners:
        values[CORNERS] = (float(np.median(corners)), "interocular distances")
        values[LIPS] = (float(np.median(lips)), "interocular distances")
    return values, np.hstack(tiles[:24]) if tiles else np.zeros((0, 0, 3), np.uint8)


def _mouth(square: Pixels) -> tuple[float, float]:
    """How far the corners are above the lips' middle, and the lips apart, in an FFHQ square."""
    size = len(square)
    seen = perceive(square, Alignment(centre=(size / 2, size / 2), side=size, angle=0.0))
    return corner_rise(seen), seen.mouth_gap
