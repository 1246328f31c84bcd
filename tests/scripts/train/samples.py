"""Tiny faces and networks: nothing in them looks like a face, but everything has its shape."""

from pathlib import Path

import cv2
import numpy as np
import torch
from train.faces import dataset
from train.faces.augment import Jitter
from train.faces.expressions import Expressions
from train.faces.kinds import NAMES
from train.faces.source import Source
from train.generating.networks import Shape, make
from train.generating.settings import Settings
from train.generating.trainer import Trainer

SHAPE = Shape(resolution=32, channel_base=512, channel_max=32, w_dim=32, mapping_layers=2)
CPU = torch.device("cpu")


def landmarks() -> np.ndarray:
    """68 points of a frontal face in the unit square, roughly where an FFHQ square has them."""
    angle = np.linspace(0, np.pi, 17)
    jaw = np.stack([0.5 - 0.27 * np.cos(angle), 0.5 + 0.3 * np.sin(angle)], 1)

    def row(x0: float, x1: float, y: float, count: int) -> np.ndarray:
        return np.stack([np.linspace(x0, x1, count), np.full(count, y)], 1)

    def ring(x: float, y: float, a: float, b: float, count: int) -> np.ndarray:
        t = np.pi + np.linspace(0, 2 * np.pi, count, endpoint=False)
        return np.stack([x + a * np.cos(t), y + b * np.sin(t)], 1)

    bridge = np.stack([np.full(4, 0.5), np.linspace(0.46, 0.57, 4)], 1)
    parts = [jaw, row(0.29, 0.44, 0.4, 5), row(0.56, 0.71, 0.4, 5), bridge, row(0.45, 0.55, 0.6, 5),
             ring(0.37, 0.46, 0.05, 0.02, 6), ring(0.63, 0.46, 0.05, 0.02, 6),
             ring(0.5, 0.69, 0.1, 0.04, 12), ring(0.5, 0.69, 0.06, 0.02, 8)]  # fmt: skip
    return np.concatenate(parts).astype(np.float32)


def faces(people: int = 10, *, size: int = 36, seed: int = 0) -> dataset.Faces:
    """Smooth random squares, one per person, the first person held out."""
    random = np.random.default_rng(seed)
    pictures = [
        cv2.GaussianBlur(random.integers(0, 256, (size, size, 3)).astype(np.float32), (0, 0), size / 18)
        for _ in range(people)
    ]
    stretched = [np.clip((p - p.mean()) * size / 7 + 128, 0, 255).astype(np.uint8) for p in pictures]
    names = [f"P{i:03}" for i in range(people)]
    valid = np.ones((people, 72, 72), np.bool_)
    points = np.repeat(landmarks()[None], people, 0)
    folders = ["some"] * people
    sides = np.full(people, float(size), np.float32)
    kinds = np.zeros((people, len(NAMES)), np.bool_)
    return dataset.Faces(
        np.stack(stretched), valid, points, sides, kinds, names, folders, list(names), frozenset(names[:1])
    )


def stored(path: Path, given: dataset.Faces) -> Path:
    """The faces as the file that `dataset.load` reads."""
    dataset.write(
        path, given.pixels, given.valid, given.landmarks, given.sides, given.kinds,
        given.people, given.folders, given.photos, given.held_out,
    )  # fmt: skip
    return path


def trainer(
    *, adversarial: bool = False, rate: float = 1.0, people: int = 10, share: float = 0.5, shift: float = 0.03
) -> Trainer:
    """A trainer of tiny networks on tiny faces. share: of those that move; shift: of the copies."""
    settings = Settings(
        expressions=Expressions(share=share),
        jitter=Jitter(shift=shift, scale=shift, turn=shift, colour=shift),
        shape=SHAPE,
        batch=4,
        dtype="float32",
        adversarial=adversarial,
        generator_rate=1e-3 * rate,
        encoder_rate=2e-4 * rate,
        face_rate=1e-3 * rate,
        r1_every=2,
        path_every=2,
        warm_up=1,
    )
    source = Source.of(faces(people), held_out=False, device=CPU)
    return Trainer(make(SHAPE, None, 0), settings, source, 1.0)
