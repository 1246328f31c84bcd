"""Whether eyes and mouths of generated faces are as open, and smile as much, as the photo's.

The networks behind `realedit.perception` look at both, closely; gradients flow through them. An encoder that
takes faces at rest for smiling ones is wrong by little in pixels, and by much in what a drag starts from.
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from realedit.perception import frames
from realedit.perception.network import EYE_SIZE, MOUTH_SIZE
from realedit.perception.weights import bundled
from train.faces.augment import Batch

_EYES = ((36, 39), (42, 45))  # dlib's landmarks of the corners
_LIPS = (48, 54, 51, 57)
CLOSE_UPS = 3  # of the eye on the left, of the other one in a mirror, of the mouth


def close_ups(landmarks: NDArray[np.float32]) -> Tensor:
    """Where to look at faces with these 68 landmarks `[N, 68, 2]` in the unit square.

    -> `[N, CLOSE_UPS, 2, 3]` affines from close-up to square, both in the coordinates of `grid_sample`.
    """
    points = landmarks.astype(np.float64) * 2 - 1
    left, right = (points[:, list(corners)].mean(axis=1) for corners in _EYES)
    across = right - left
    mouth = points[:, list(_LIPS)].mean(axis=1)
    squares = [
        _square(left, across * frames.EYE),
        _square(right, across * frames.EYE) * np.array([[-1, 1, 1], [-1, 1, 1]]),
        _square(mouth, across * frames.MOUTH),
    ]
    return torch.from_numpy(np.stack(squares, axis=1)).float()


def _square(centre: NDArray[np.float64], side: NDArray[np.float64]) -> NDArray[np.float64]:
    """Affines `[N, 2, 3]` to squares around `centre` `[N, 2]` whose upper side is the vector `side`."""
    right = side / 2
    down = np.stack([-right[:, 1], right[:, 0]], axis=1)
    return np.stack([right, down, centre], axis=2)


class Onlooker(nn.Module):
    """Looks at the eyes and the mouth of a batch, where its `close_ups` are."""

    def __init__(self) -> None:
        super().__init__()
        sight = bundled()
        self.eye, self.mouth = sight.eye, sight.mouth

    def loss(self, images: Tensor, batch: Batch, dtype: torch.dtype) -> Tensor:
        """The mean distance of the points of lids and lips in the pictures from those in the photos, in
        interocular distances."""
        with torch.no_grad():
            photos = self.points(batch.crops, batch, dtype)
        ours = self.points(images, batch, dtype)
        pairs = zip(ours, photos, (frames.EYE, frames.EYE, frames.MOUTH), strict=True)
        apart = [(a - b).square().sum(2).add(1e-8).sqrt().mean() * side for a, b, side in pairs]
        return torch.stack(apart).mean()

    def points(self, images: Tensor, batch: Batch, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
        """Points `[N, P, 2]` of the eye on the left, of the other one in a mirror, and of the mouth, in the
        unit squares of the close-ups."""
        left, right, mouth = batch.close_ups.unbind(1)
        n = len(images)
        eyes = _seen(torch.cat([images, images]), torch.cat([left, right]), EYE_SIZE)
        with torch.autocast(images.device.type, dtype, enabled=dtype != torch.float32):
            found = self.eye(eyes)[0].float()
            lips = self.mouth(_seen(images, mouth, MOUTH_SIZE))[0].float()
        return found[:n], found[n:], lips


def _seen(images: Tensor, where: Tensor, size: int) -> Tensor:
    """Close-ups `[N, 3, size, size]`; what is seen from nearer is enlarged, so nothing needs filtering."""
    grid = F.affine_grid(where, [len(where), 3, size, size], align_corners=False)
    pictures = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return pictures.contiguous(memory_format=torch.channels_last)
