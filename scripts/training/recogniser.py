"""dlib's face recognition network in torch, so that gradients flow through it.

The weights are those of `dlib_face_recognition_resnet_model_v1.dat` (CC0-1.0), read from the package that the
project takes dlib's models from. The file is dlib's serialisation of a network: layers from the input to the
output, each with its kind's name and its parameters as one tensor.
"""

import re
from collections.abc import Iterator

import dlib
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alignment.models import model_file
from checkpoints.faces import BLOCKS, CHIP, FaceTrunk, FrozenConv

_VIEW = 512  # dlib's landmarks are whole pixels of a view of this size, as in `alignment.identity`
_MEAN = (122.782, 117.001, 104.298)  # of RGB, 0 to 255


class Recogniser(nn.Module):
    """Chips `[N, 3, 150, 150]` in [-1, 1] -> descriptors `[N, 128]` and, before them, feature maps."""

    def __init__(self) -> None:
        super().__init__()
        tensors = _tensors(model_file("dlib_face_recognition_resnet_model_v1.dat").read_bytes())
        self.trunk = FaceTrunk((*BLOCKS, (256, True)))
        for convolution in self.trunk.modules():
            if isinstance(convolution, FrozenConv):
                _fill(convolution, tensors)
        self.trunk.mean = torch.tensor(_MEAN) / 127.5 - 1
        self.register_buffer("last", next(tensors).reshape(256, 128))

    def forward(self, chips: Tensor) -> tuple[Tensor, list[Tensor]]:
        """-> descriptors `[N, 128]` float32; feature maps of 32, 64, 128 and 256 channels."""
        *found, x = self.trunk(chips)
        return x.float().mean((2, 3)) @ self.last, found


def _fill(convolution: FrozenConv, tensors: Iterator[Tensor]) -> None:
    """The next convolution of the file, with the affine layer that follows it."""
    weights, affine = next(tensors), next(tensors)
    outputs, size = len(convolution.bias), convolution.weight.numel()
    gain, shift = affine[:outputs], affine[outputs:]
    weight = weights[:size].reshape(convolution.weight.shape) * gain[:, None, None, None]
    convolution.weight = weight.contiguous(memory_format=torch.channels_last)
    convolution.bias = weights[size:] * gain + shift


def _tensors(blob: bytes) -> Iterator[Tensor]:
    """The parameters of the convolutions, affine layers and the linear layer, in the file's order."""
    for found in re.finditer(rb"\x05con_4|\x07affine_|\x04fc_2", blob):
        at = found.end() + (5 if found.group().endswith(b"fc_2") else 0)  # after its two sizes
        numbers = []
        for _ in range(5):  # version, samples, channels, rows, columns
            length = blob[at]
            numbers.append(int.from_bytes(blob[at + 1 : at + 1 + length], "little"))
            at += 1 + length
        version, count = numbers[0], int(np.prod(numbers[1:]))
        if version != 2:
            raise ValueError(f"a tensor of version {version} in dlib's file; only version 2 is known")
        yield torch.from_numpy(np.frombuffer(blob, "<f4", count, at).copy())


def chip_transforms(landmarks: NDArray[np.float32]) -> Tensor:
    """dlib's 150-pixel chips of faces with these 68 landmarks `[N, 68, 2]` in the unit square.

    -> `[N, 2, 3]` affines from chip to square, both in the coordinates of `grid_sample` (-1 to 1, borders).
    """
    found = []
    for points in np.floor(landmarks * _VIEW).astype(int):
        low, high = points.min(axis=0), points.max(axis=0)
        shape = dlib.full_object_detection(
            dlib.rectangle(int(low[0]), int(low[1]), int(high[0]), int(high[1])),
            dlib.points([dlib.point(int(x), int(y)) for x, y in points]),
        )
        chip = dlib.get_face_chip_details(shape, size=CHIP, padding=0.25)
        centre = np.array([chip.rect.left() + chip.rect.right(), chip.rect.top() + chip.rect.bottom()]) / 2
        c, s = np.cos(chip.angle), np.sin(chip.angle)
        half = (chip.rect.right() - chip.rect.left() + 1) / 2 * 2 / _VIEW
        middle = (centre + 0.5) * 2 / _VIEW - 1
        found.append([[half * c, -half * s, middle[0]], [half * s, half * c, middle[1]]])
    return torch.tensor(found, dtype=torch.float32)
