"""From a name or a file to a generator that is ready to run."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from .architecture import infer_architecture
from .bundled import BUNDLED, DEFAULT, LICENCE, bundled_file
from .cache import model_path, size_of, subfolder, without_cache
from .convert import complete, describe, read_any, write_model
from .domains import Alignment
from .encoder import Encoder, build_encoder
from .errors import CheckpointError, DamagedFileError, UnknownModelError, UnsupportedModelError, brief
from .memory import require_memory, synthesis_bytes
from .models import cached
from .network import Generator, build_generator
from .registry import hint, registry
from .storage import StoredModel, read_safetensors, sha256_of

MOST_MOTIONS = 64  # a drag tries each before it begins


@dataclass(frozen=True, eq=False)
class Motions:
    """Ways in W+ along which what is drawn moves in one manner (lips apart, lids down), whoever it is.

    names: M of them. ways [M, L, w_dim], in the first L layers; ranges [M, 2]: how far along each the
    generator was trained to go, from 0 or less to 0 or more, in multiples of it.
    """

    names: tuple[str, ...]
    ways: Tensor
    ranges: Tensor

    def all_of(self, names: Sequence[str]) -> list[int] | None:
        """Where the motions of these names are; None where one of them is not known, or none is named."""
        return [self.names.index(name) for name in names] if names and set(names) <= set(self.names) else None


@dataclass(frozen=True, eq=False)
class Codes:
    """Where pictures lie in W: mean [w_dim], principal axes [K, w_dim] (rows), their deviations [K].

    motions: None where none are known.
    """

    mean: Tensor
    components: Tensor
    std: Tensor
    motions: Motions | None = None


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A loaded model: a frozen generator in float32 and what is known about it.

    encoder: crop [N, 3, R, R] in [-1, 1] -> ws [N, num_ws, w_dim], or None. codes: the distribution of real
    pictures' codes, or None. domain: "face", "cat", ... or "unknown". alignment: how photos become crops,
    "ffhq" or "box". sha256: of the content of the file it came from. drag_layers: how many W+ layers, from
    the first, drags should move (metadata `drag_layers`); None: no advice.
    """

    name: str
    generator: Generator
    encoder: Encoder | None
    codes: Codes | None
    domain: str
    alignment: Alignment
    licence: str
    sha256: str
    drag_layers: int | None = None

    @property
    def perceptual(self) -> Callable[[Tensor], list[Tensor]] | None:
        """image [N, 3, H, W] in [-1, 1] -> feature maps, finest first (the encoder's trunk), or None.

        Gradients flow to the image. H and W: any multiple of the encoder's resolution / 4.
        """
        return None if self.encoder is None else self.encoder.features


def load(
    name_or_path: str | Path = DEFAULT, device: str | torch.device = "cpu", *, cache: bool = True
) -> Checkpoint:
    """Load a model by name (bundled, or pulled before) or from a file; with no argument the bundled default.

    A string that is a known name means that model, anything else is a path. Files of other formats are
    converted, and with `cache` the conversion is kept in the user's cache folder under the file's SHA-256.
    Nothing is downloaded. Raises UnknownModelError where neither name nor file exists, CheckpointError where
    the file is no usable checkpoint, CapacityError where memory is short.
    """
    device = torch.device(device)
    if isinstance(name_or_path, str) and name_or_path in BUNDLED:
        with bundled_file(name_or_path) as path:
            return assemble(_licensed(read_safetensors(path)), sha256_of(path), device, name_or_path)
    entry = registry().find(name_or_path) if isinstance(name_or_path, str) else None
    if entry is not None and entry.kind != "generator":
        raise UnsupportedModelError(f"{name_or_path} is the backbone of a perceptual loss, not a generator.")
    if entry is not None:
        path, record = cached(entry.name)
        return assemble(read_safetensors(path), record.source_sha256, device, entry.name)
    path = Path(name_or_path).expanduser()
    if not path.exists():
        raise UnknownModelError(
            f"There is no model or file {brief(str(name_or_path))}; {hint(str(name_or_path))}"
        )
    sha256 = "" if path.is_dir() else sha256_of(path)
    return assemble(_read(path, sha256, cache), sha256, device, path.stem)


def _read(path: Path, sha256: str, cache: bool) -> StoredModel:
    """A model file in any format; the conversion of a foreign one is looked up in the cache or put there."""
    if cache and (converted := _converted(sha256)) is not None:
        return converted
    stored = read_any(path)
    if "original_format" not in stored.metadata:
        return stored
    stored = describe(complete(stored), sha256)
    if cache:
        try:
            subfolder("models")
            write_model(stored, model_path(sha256))
        except CheckpointError as error:
            without_cache(error)
    return stored


def _converted(sha256: str) -> StoredModel | None:
    """The conversion of a file that the cache holds; None where it cannot be used."""
    try:
        path = model_path(sha256)
        if size_of(path) is None:
            return None
        stored = read_safetensors(path)
        if stored.metadata.get("source_sha256") != sha256:
            raise DamagedFileError(f"{path} is the conversion of another file; delete it.")
        return stored
    except CheckpointError as error:
        without_cache(error)
        return None


def _licensed(stored: StoredModel) -> StoredModel:
    return replace(stored, metadata={"licence": LICENCE, **stored.metadata})


def assemble(stored: StoredModel, sha256: str, device: torch.device, name: str) -> Checkpoint:
    """Build the networks of a stored model on a device.

    Raises CheckpointError where tensors do not fit, CapacityError where the weights or one picture do not fit
    into memory; that is checked before anything is allocated.
    """
    source = stored.source
    shapes = {key: tuple(tensor.shape) for key, tensor in stored.generator.items()}
    arch = infer_architecture(shapes, stored.arguments, source)
    weights = 4 * sum(t.numel() for group in (stored.generator, stored.encoder) for t in group.values())
    require_memory(weights + synthesis_bytes(arch, 1, picture=True), device, f"A picture of {source}")
    generator = build_generator(arch, stored.generator, source)
    encoder = build_encoder(stored.encoder, arch.num_ws, arch.w_dim, source) if stored.encoder else None
    alignment = stored.metadata.get("alignment", "box")
    if alignment not in ("ffhq", "box"):
        raise CheckpointError(
            f"{source} says alignment {brief(alignment)}, which is neither 'ffhq' nor 'box'."
        )
    return Checkpoint(
        name=name,
        generator=generator.to(device),
        encoder=None if encoder is None else encoder.to(device),
        codes=_codes(stored, arch.num_ws, arch.w_dim, device),
        domain=stored.metadata.get("domain", "unknown"),
        alignment=cast(Alignment, alignment),
        licence=stored.metadata.get("licence", "unknown"),
        sha256=sha256,
        drag_layers=_drag_layers(stored.metadata.get("drag_layers"), arch.num_ws, source),
    )


def _drag_layers(text: str | None, num_ws: int, source: str) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 4 or not 1 <= int(text) <= num_ws:
        raise CheckpointError(
            f"{source} says drag_layers {brief(text)}, which is no number from 1 to {num_ws}."
        )
    return int(text)


def _codes(stored: StoredModel, num_ws: int, w_dim: int, device: torch.device) -> Codes | None:
    if not stored.codes:
        return None
    tensors = {name: tensor.to(device, torch.float32) for name, tensor in stored.codes.items()}
    ways, ranges = tensors.pop("motions", None), tensors.pop("motion_ranges", None)
    shapes = {name: tuple(t.shape) for name, t in tensors.items()}
    count = (shapes.get("std") or (0,))[0]
    if shapes != {"mean": (w_dim,), "components": (count, w_dim), "std": (count,)}:
        raise CheckpointError(f"{stored.source} has codes of shapes {shapes} that do not fit w_dim {w_dim}.")
    motions = None
    if ways is not None and ranges is not None:
        motions = _motions(ways, ranges, (MOST_MOTIONS, num_ws, w_dim), stored)
    elif ways is not None or ranges is not None:
        raise CheckpointError(f"{stored.source} has motions or their ranges, but not both; use another file.")
    return Codes(tensors["mean"], tensors["components"], tensors["std"], motions)


def _motions(ways: Tensor, ranges: Tensor, most: tuple[int, int, int], stored: StoredModel) -> Motions:
    source, shape = stored.source, tuple(ways.shape)
    fits = len(shape) == 3 and shape[2] == most[2]
    if not fits or not all(1 <= n <= m for n, m in zip(shape, most, strict=True)):
        raise CheckpointError(f"{source} has motions of shape {shape}, which does not fit {most}.")
    if tuple(ranges.shape) != (shape[0], 2):
        raise CheckpointError(f"{source} has {tuple(ranges.shape)} ranges of {shape[0]} motions.")
    if not bool(ways.isfinite().all() and ranges.isfinite().all()):
        raise CheckpointError(f"{source} has motions that are not finite; use another file.")
    if bool((ranges[:, 0] > 0).any() or (ranges[:, 1] < 0).any()):
        raise CheckpointError(f"{source} has motions whose ranges do not hold 0; use another file.")
    return Motions(_motion_names(stored, shape[0]), ways, ranges)


def _motion_names(stored: StoredModel, count: int) -> tuple[str, ...]:
    try:
        names = json.loads(stored.metadata.get("motions", ""))
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or len(names) != count or not all(isinstance(n, str) for n in names):
        raise CheckpointError(f"{stored.source} does not say what its {count} motions are called.")
    return tuple(names)
