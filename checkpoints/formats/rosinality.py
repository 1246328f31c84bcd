"""Generators of rosinality's stylegan2-pytorch and of the many projects that build on it (pSp, e4e, ...).

The network is the same; names differ, convolution weights carry a leading axis and are scaled at run time by
1 / sqrt(fan-in), which is folded in here, and the low-pass filters are stored times 4.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor

from ..errors import DamagedFileError
from ..inert.tensors import LazyTensor
from .networks import Network, TensorReader
from .refusals import refuse_oblong

NOISE_SEED: Final = 0

_STYLE: Final = re.compile(r"style\.(\d{1,4})\.(weight|bias)")
_LAYER: Final = re.compile(r"(conv1|to_rgb1|convs\.(\d{1,4})|to_rgbs\.(\d{1,4}))\.(.+)")
_NOISE: Final = re.compile(r"noises\.noise_(\d{1,4})")
_PARTS: Final[Mapping[str, str]] = {
    "conv.weight": "weight",
    "conv.modulation.weight": "affine.weight",
    "conv.modulation.bias": "affine.bias",
    "noise.weight": "noise_strength",
    "activate.bias": "bias",
    "bias": "bias",
    "conv.blur.kernel": "resample_filter",
    "upsample.kernel": "resample_filter",
}


def matches(network: Network) -> bool:
    """Whether the tensors have rosinality's names."""
    return "input.input" in network.tensors and "conv1.conv.weight" in network.tensors


def read(network: Network, read_tensor: TensorReader) -> tuple[dict[str, Tensor], dict[str, Any], list[str]]:
    """The generator's tensors under NVIDIA's names, its arguments, and what the file does not have."""
    blocks = 1 + sum(name.startswith("to_rgbs.") and name.endswith("conv.weight") for name in network.tensors)
    if not 2 <= blocks <= 11:
        raise DamagedFileError(f"its generator has {blocks} blocks")
    refuse_oblong(network.tensors["input.input"].shape, blocks)
    tensors: dict[str, Tensor] = {}
    for name, lazy in network.tensors.items():
        target = _target(name)
        if target is not None:
            tensors[target] = _convert(target, lazy, read_tensor)
    fir = tensors.get("synthesis.b8.conv0.resample_filter", _binomial())
    missing = _fill_noise(tensors, blocks)
    for i in range(blocks):
        for part in ("", ".conv0", ".conv1") if i else ("", ".conv1"):
            tensors.setdefault(f"synthesis.b{4 << i}{part}.resample_filter", fir)
    return tensors, {"mapping_lr_multiplier": 0.01, "conv_clamp": None}, missing


def _target(name: str) -> str | None:
    """NVIDIA's name for a tensor, or None for those that are not part of the generator."""
    if match := _STYLE.fullmatch(name):
        return f"mapping.fc{int(match[1]) - 1}.{match[2]}"
    if name == "input.input":
        return "synthesis.b4.const"
    if match := _NOISE.fullmatch(name):
        index = int(match[1])
        return f"synthesis.b{4 << min((index + 1) // 2, 16)}.conv{(index + 1) % 2}.noise_const"
    match = _LAYER.fullmatch(name)
    if not match or match[4] not in _PARTS:
        return None
    part = _PARTS[match[4]]
    if match[1] == "conv1":
        return f"synthesis.b4.conv1.{part}"
    if match[1] == "to_rgb1":
        return f"synthesis.b4.torgb.{part}"
    if match[2] is not None:
        index = min(int(match[2]), 32)
        return f"synthesis.b{8 << index // 2}.conv{index % 2}.{part}"
    resolution = 8 << min(int(match[3]), 16)
    return f"synthesis.b{resolution}{'' if part == 'resample_filter' else '.torgb'}.{part}"


def _convert(target: str, lazy: LazyTensor, read_tensor: TensorReader) -> Tensor:
    last = target.rsplit(".", 1)[-1]
    if last == "noise_const":
        tensor = read_tensor(lazy, 4).float()
        return tensor[0, 0].clone()
    tensor = read_tensor(lazy).float()
    if last == "resample_filter":
        return tensor / 4
    if last == "noise_strength":
        return tensor.reshape(()) if tensor.numel() == 1 else tensor
    if last == "bias":
        return tensor.flatten()
    if target == "synthesis.b4.const":
        return tensor.squeeze(0)
    if tensor.ndim == 5:
        tensor = tensor.squeeze(0)
        if not target.endswith("torgb.weight"):  # toRGB is scaled at run time here, too
            tensor = tensor / math.sqrt(tensor[0].numel())
    return tensor


def _fill_noise(tensors: dict[str, Tensor], blocks: int) -> list[str]:
    """Fixed noise for files that store none: drawn from the distribution the network was trained with."""
    rng = torch.Generator().manual_seed(NOISE_SEED)
    missing = False
    for i in range(blocks):
        for layer in ("conv0", "conv1") if i else ("conv1",):
            name = f"synthesis.b{4 << i}.{layer}.noise_const"
            if name not in tensors:
                missing = True
                tensors[name] = torch.randn(4 << i, 4 << i, generator=rng)
    return ["constant noise (drawn with a fixed seed)"] if missing else []


def _binomial() -> Tensor:
    row = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    return torch.outer(row, row)
