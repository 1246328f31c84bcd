"""Faces that a generator draws, as dlib sees them, for the benchmarks of the drag."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alignment.detection import Box
from alignment.landmarks import find_landmarks
from alignment.models import face_models
from checkpoints import Checkpoint

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]
SIZE = 512  # of the pictures that dlib sees, and of all distances
TRUNCATION = 0.7
FACE = Box(155, 155, 465, 465, 1.0, turn=0)  # where an aligned face is


@dataclass(frozen=True)
class Sample:
    """A picture `[512, 512, 3]`, its latent, its landmarks `[68, 2]`."""

    latent: Tensor
    picture: Picture
    landmarks: Points


def picture_of(checkpoint: Checkpoint, latent: Tensor) -> Picture:
    with torch.no_grad():
        pixels = levels(checkpoint.generator.synthesis(latent))
    way = cv2.INTER_CUBIC if len(pixels) < SIZE else cv2.INTER_AREA
    return np.asarray(cv2.resize(pixels, (SIZE, SIZE), interpolation=way), np.uint8)


def levels(image: Tensor) -> Picture:
    """A generator's picture `[1, 3, R, R]` as `[R, R, 3]`."""
    shown = (image[0].permute(1, 2, 0).clamp(-1, 1) * 127.5 + 127.5).round().to(torch.uint8)
    return np.asarray(shown.cpu().numpy())


def landmarks_of(picture: Picture) -> Points:
    return find_landmarks(picture, FACE)


def detection_score(picture: Picture) -> float:
    """How sure dlib's HOG detector is of the face; below 0 it is not."""
    return max((score for _, score in face_models().hog(picture, -1.0)), default=-1.0)


def samples(checkpoint: Checkpoint, count: int) -> Iterator[Sample]:
    """Faces that dlib sees whole, in the order of their seeds: all of their landmarks are in the picture."""
    generator, seed, found = checkpoint.generator, 0, 0
    while found < count:
        rng = torch.Generator().manual_seed(seed)
        seed += 1
        with torch.no_grad():
            z = torch.randn(1, generator.z_dim, generator=rng)
            latent = generator.mapping(z.to(generator.w_avg.device), truncation=TRUNCATION)
        picture = picture_of(checkpoint, latent)
        if detection_score(picture) <= 0.3:
            continue
        landmarks = landmarks_of(picture)
        if bool(((landmarks >= 0) & (landmarks < SIZE)).all()):
            found += 1
            yield Sample(latent, picture, landmarks)


def floor(pictures: Sequence[Picture], indices: Sequence[int]) -> float:
    """Mean distance between the landmarks of a picture and of its jittered copies, brought back."""
    rng = np.random.default_rng(0)
    errors = []
    for picture in pictures:
        clean = landmarks_of(picture)[indices]
        for _ in range(3):
            scale, angle = 1 + rng.uniform(-0.02, 0.02), rng.uniform(-2, 2)
            matrix = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), angle, scale)
            matrix[:, 2] += rng.uniform(-4, 4, 2)
            moved = cv2.warpAffine(picture, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)
            turned = landmarks_of(np.asarray(moved, np.uint8))[indices] - matrix[:, 2]
            back = turned @ np.linalg.inv(matrix[:, :2]).T
            errors.append(np.linalg.norm(back - clean, axis=1).mean())
    return float(np.mean(errors))
