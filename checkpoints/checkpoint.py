"""From a name or a file to a generator that is ready to run."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal, cast

import torch
from torch import Tensor

from .architecture import infer_architecture
from .encoder import Encoder, build_encoder
from .errors import CheckpointError, UnknownModelError
from .network import Generator, build_generator
from .storage import StoredModel, read_safetensors, sha256_of

DEFAULT = "face128"
BUNDLED = (DEFAULT,)

Alignment = Literal["ffhq", "box"]


@dataclass(frozen=True, eq=False)
class Codes:
    """Where pictures lie in W: mean [w_dim], principal axes [K, w_dim] (rows), their deviations [K]."""

    mean: Tensor
    components: Tensor
    std: Tensor


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A loaded model: a frozen generator in float32 and what is known about it.

    encoder: crop [N, 3, R, R] in [-1, 1] -> ws [N, num_ws, w_dim], or None.
    codes: the distribution of real pictures' codes, or None.
    domain: "face", "cat", ... or "unknown". alignment: how photos become crops, "ffhq" or "box".
    sha256: of the content of the file it came from.
    """

    name: str
    generator: Generator
    encoder: Encoder | None
    codes: Codes | None
    domain: str
    alignment: Alignment
    licence: str
    sha256: str

    @property
    def perceptual(self) -> Callable[[Tensor], list[Tensor]] | None:
        """image [N, 3, H, W] in [-1, 1] -> feature maps, finest first (the encoder's trunk), or None.

        Gradients flow to the image. H and W: any multiple of the encoder's resolution / 4.
        """
        return None if self.encoder is None else self.encoder.features


def load(name_or_path: str | Path = DEFAULT, device: str | torch.device = "cpu") -> Checkpoint:
    """Load a model by name (a bundled one) or from a file; with no argument the bundled default.

    A string that is a known name means that model, anything else is a path. Raises UnknownModelError where
    neither answers, CheckpointError where the file is no usable checkpoint.
    """
    if isinstance(name_or_path, str) and name_or_path in BUNDLED:
        resource = resources.files("checkpoints") / "weights" / f"{name_or_path}.safetensors"
        with resources.as_file(resource) as path:
            return load_file(path, device, name=name_or_path)
    path = Path(name_or_path).expanduser()
    if not path.exists():
        raise UnknownModelError(
            f"There is no model or file {str(name_or_path)!r}; bundled: {', '.join(BUNDLED)} "
            f"(`realedit models list` shows all)."
        )
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder, not a model file; name the file in it.")
    return load_file(path, device, name=path.stem)


def load_file(path: Path, device: str | torch.device = "cpu", *, name: str) -> Checkpoint:
    """Load a safetensors model file; see `load`."""
    return assemble(read_safetensors(path), sha256_of(path), torch.device(device), name)


def assemble(stored: StoredModel, sha256: str, device: torch.device, name: str) -> Checkpoint:
    """Build the networks of a stored model on a device. Raises CheckpointError where tensors do not fit."""
    source = stored.source
    shapes = {key: tuple(tensor.shape) for key, tensor in stored.generator.items()}
    arch = infer_architecture(shapes, stored.arguments, source)
    generator = build_generator(arch, stored.generator, source)
    encoder = build_encoder(stored.encoder, arch.num_ws, arch.w_dim, source) if stored.encoder else None
    alignment = stored.metadata.get("alignment", "box")
    if alignment not in ("ffhq", "box"):
        raise CheckpointError(f"{source} says alignment {alignment!r}, which is neither 'ffhq' nor 'box'.")
    return Checkpoint(
        name=name,
        generator=generator.to(device),
        encoder=None if encoder is None else encoder.to(device),
        codes=_codes(stored, arch.w_dim, device),
        domain=stored.metadata.get("domain", "unknown"),
        alignment=cast(Alignment, alignment),
        licence=stored.metadata.get("licence", "unknown"),
        sha256=sha256,
    )


def _codes(stored: StoredModel, w_dim: int, device: torch.device) -> Codes | None:
    if not stored.codes:
        return None
    shapes = {name: tuple(t.shape) for name, t in stored.codes.items()}
    count = shapes.get("std", (0,))[0]
    if shapes != {"mean": (w_dim,), "components": (count, w_dim), "std": (count,)}:
        raise CheckpointError(f"{stored.source} has codes of shapes {shapes} that do not fit w_dim {w_dim}.")
    return Codes(**{name: t.to(device, torch.float32) for name, t in stored.codes.items()})
