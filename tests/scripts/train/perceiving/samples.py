"""Chips whose pictures are noise and whose points are the mean face's."""

from pathlib import Path

import cv2
import numpy as np
from train.perceiving import chips
from train.perceiving.bending import Bent

from alignment import Alignment
from realedit.perception.weights import bundled

UNIT = 71.0  # the interocular distance in a chip's pixels


def points() -> np.ndarray:
    """`[478, 3]` in a chip's pixels."""
    return np.asarray(bundled().shape * UNIT + np.array([chips.SIZE / 2, chips.SIZE / 2, 0]))


def picture(seed: int = 0) -> np.ndarray:
    cells = np.random.default_rng(seed).integers(0, 255, (64, 64, 3), np.uint8)
    return np.asarray(cv2.resize(cells, (chips.SIZE, chips.SIZE), interpolation=cv2.INTER_CUBIC))


def bent(seed: int = 0) -> Bent:
    return Bent(picture(seed), np.zeros((chips.SIZE, chips.SIZE), np.float32), points())


def stored(path: Path, people: int = 5) -> chips.Chips:
    """A file of chips, the first person held out, as it is read back."""
    rng = np.random.default_rng(0)
    places = (points() / chips.SIZE)[None] + rng.normal(0, 0.002, (people, 478, 3))
    chips.write(
        path,
        jpegs=[chips.encoded(picture(i)) for i in range(people)],
        squares=[Alignment(centre=(256, 256), side=512.0 * (i + 1), angle=0.0) for i in range(people)],
        people=[f"P{i}" for i in range(people)],
        paths=[Path(f"folder/P{i}.jpg") for i in range(people)],
        held_out={"P0"},
        valid=np.ones((people, 64, 64), np.bool_),
        points=places.astype(np.float32),
        spread=np.full(people, 0.01, np.float32),
        mattes=np.full((people, 160, 160), 128, np.uint8),
        mirror=bundled().mirror,
    )
    return chips.load(path)
