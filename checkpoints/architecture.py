"""The shape of a StyleGAN2 generator, read from its tensors and the arguments stored beside them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import CheckpointError, brief

Shapes = Mapping[str, Sequence[int]]

MAX_RESOLUTION = 4096
MAX_WIDTH = 1 << 16
MAX_NUMBER = 1e6
_BLOCK = re.compile(r"synthesis\.b(\d{1,4})\.conv1\.weight")


@dataclass(frozen=True)
class Architecture:
    """What the constructor of a generator needs; `channels` maps each block's resolution to its width."""

    z_dim: int
    w_dim: int
    c_dim: int
    mapping_widths: tuple[int, ...]
    channels: Mapping[int, int] = field(hash=False)
    img_channels: int = 3
    conv_clamp: float | None = None
    mapping_lr_multiplier: float = 0.01

    @property
    def resolution(self) -> int:
        """Height and width of the full image in pixels."""
        return max(self.channels)

    @property
    def num_ws(self) -> int:
        """Number of style vectors: one per convolution, and one more for the last toRGB."""
        return 2 * len(self.channels)

    def as_json(self) -> dict[str, Any]:
        """What cannot be read off the tensors, for a file's metadata (and the sizes, for people)."""
        return {
            "z_dim": self.z_dim,
            "w_dim": self.w_dim,
            "c_dim": self.c_dim,
            "img_resolution": self.resolution,
            "img_channels": self.img_channels,
            "mapping_layers": len(self.mapping_widths),
            "mapping_lr_multiplier": self.mapping_lr_multiplier,
            "conv_clamp": self.conv_clamp,
        }


def infer_architecture(shapes: Shapes, arguments: Mapping[str, Any], source: str) -> Architecture:
    """Read the architecture off the tensor shapes under NVIDIA's names (`mapping.fc0.weight`, ...).

    arguments: the stored constructor arguments, flat or nested as NVIDIA stores them (`mapping_kwargs`,
    `synthesis_kwargs`); only what shapes cannot tell is used. source names the file in errors.
    Raises CheckpointError when tensors are missing or do not fit together.
    """
    flat = _flatten(arguments)
    _refuse_foreign(flat, source)
    resolutions = sorted(int(m.group(1)) for name in shapes if (m := _BLOCK.fullmatch(name)))
    expected = [4 << i for i in range(len(resolutions))]
    if len(resolutions) < 2 or resolutions != expected or resolutions[-1] > MAX_RESOLUTION:
        raise CheckpointError(
            f"{source} is not a StyleGAN2 generator: its synthesis blocks are {resolutions or 'missing'}, "
            f"not 4, 8, 16, ... pixels; use a StyleGAN2 checkpoint."
        )
    layers = 0
    while f"mapping.fc{layers}.weight" in shapes:
        layers += 1
    w_dim = _dim(shapes, "synthesis.b4.conv1.affine.weight", 1, source)
    widths = tuple(_dim(shapes, f"mapping.fc{i}.weight", 0, source) for i in range(layers))
    c_dim = _dim(shapes, "mapping.embed.weight", 1, source) if "mapping.embed.weight" in shapes else 0
    embed = _dim(shapes, "mapping.embed.weight", 0, source) if c_dim else 0
    clamp = flat.get("conv_clamp")
    return Architecture(
        z_dim=_dim(shapes, "mapping.fc0.weight", 1, source) - embed,
        w_dim=w_dim,
        c_dim=c_dim,
        mapping_widths=widths,
        channels={r: _dim(shapes, f"synthesis.b{r}.conv1.weight", 0, source) for r in resolutions},
        img_channels=_dim(shapes, "synthesis.b4.torgb.weight", 0, source),
        conv_clamp=None if clamp is None else _number(clamp, "conv_clamp", source),
        mapping_lr_multiplier=_number(
            flat.get("mapping_lr_multiplier", flat.get("lr_multiplier", 0.01)), "lr_multiplier", source
        ),
    )


def _flatten(arguments: Mapping[str, Any]) -> dict[str, Any]:
    flat = dict(arguments)
    for group in ("mapping_kwargs", "synthesis_kwargs"):
        nested = flat.pop(group, None)
        if isinstance(nested, Mapping):
            flat.update(nested)
    return flat


def _refuse_foreign(flat: Mapping[str, Any], source: str) -> None:
    """Arguments of NVIDIA's constructor that change the network in ways no published generator uses."""
    for name, allowed in (("architecture", "skip"), ("activation", "lrelu")):
        if flat.get(name, allowed) != allowed:
            raise CheckpointError(
                f"{source} has {name}={brief(flat[name])}, but only {allowed!r} generators are supported; "
                f"use a checkpoint trained with the default configuration."
            )


def _dim(shapes: Shapes, name: str, axis: int, source: str) -> int:
    shape = shapes.get(name)
    if shape is None:
        raise CheckpointError(f"{source} lacks the tensor {name}; use a complete StyleGAN2 generator.")
    if axis >= len(shape) or not 1 <= shape[axis] <= MAX_WIDTH:
        raise CheckpointError(
            f"{source} has the tensor {name} of shape {list(shape)}, which does not fit; use another file."
        )
    return int(shape[axis])


def _number(value: Any, name: str, source: str) -> float:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if not plain or not 0 < value <= MAX_NUMBER:
        raise CheckpointError(f"{source} says {name}={brief(value)}, which makes no sense; use another file.")
    return float(value)
