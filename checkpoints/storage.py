"""Our file format: safetensors with the network's arguments, domain, alignment and licence as metadata.

Tensor names: `generator.mapping.*` and `generator.synthesis.*` (NVIDIA's names), `encoder.*`, `codes.mean`,
`codes.components`, `codes.std`, `codes.motions`, `codes.motion_ranges`. Metadata (all strings): `generator`
(JSON: what shapes cannot tell, such as `conv_clamp`), `domain`, `alignment` ("ffhq" or "box"), `licence`,
`name`, `source_sha256` (of the file it was converted from), `drag_layers` (how many layers drags should
move), `motions` (JSON: what the motions are called), `missing` (JSON: what the original lacked); of models
trained here `data`, `held_out` (JSON: people), `steps`, `images_seen`, `seed`, `training` (JSON: settings),
`commit`, `mapping` (JSON: how samples were fitted afterwards), `metrics` (JSON: what was measured). A file
with bare `mapping.*` and `synthesis.*` and NVIDIA's `init_kwargs` is read too.
"""

import hashlib
import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import safetensors
from torch import Tensor

from .architecture import infer_architecture
from .errors import CheckpointError, DamagedFileError
from .files import utf8_path

FORMAT = "realedit-1"

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class StoredModel:
    """What a file holds, before it becomes a network: tensors by group and the metadata."""

    source: str
    generator: Tensors
    encoder: Tensors
    codes: Tensors
    arguments: Mapping[str, Any]
    metadata: Mapping[str, str]
    missing: tuple[str, ...] = ()


def read_safetensors(path: Path) -> StoredModel:
    """Read a model in our format; its tensors are mapped, not copied. Raises CheckpointError."""
    tensors, metadata = read_tensors(path)
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            raise CheckpointError(
                f"{path} has {name:.100} of type {tensor.dtype}, not a float type; use another file."
            )
    return _group(path, tensors, metadata)


def read_tensors(path: Path) -> tuple[Tensors, dict[str, str]]:
    """Map a safetensors file into memory: tensors, which stay in the file until they are used, and metadata.

    The header is checked against the file's size (offsets, shapes and dtypes must account for every byte)
    before any tensor exists, so a small file cannot ask for much memory. Raises CheckpointError.
    """
    try:
        with utf8_path(path) as name, safetensors.safe_open(name, framework="pt", device="cpu") as file:
            metadata = dict(file.metadata() or {})
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118 (no mapping)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} does not exist; check the name of the model file.") from error
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read ({error.strerror or error}); check the file."
        ) from error
    except safetensors.SafetensorError as error:
        raise DamagedFileError(
            f"{path} is not a complete safetensors file ({str(error)[:120]}); download or convert it again."
        ) from error


def with_architecture(stored: StoredModel) -> StoredModel:
    """The same model with the metadata that our format asks for, its architecture among them."""
    shapes = {name: tuple(tensor.shape) for name, tensor in stored.generator.items()}
    arch = infer_architecture(shapes, stored.arguments, stored.source)
    metadata = {key: value for key, value in stored.metadata.items() if key != "init_kwargs"}
    metadata |= {"format": FORMAT, "generator": json.dumps(arch.as_json())}
    if stored.missing:
        metadata["missing"] = json.dumps(stored.missing)
    return replace(stored, metadata=metadata)


def _group(path: Path, tensors: Tensors, metadata: dict[str, str]) -> StoredModel:
    groups: dict[str, Tensors] = {"generator": {}, "encoder": {}, "codes": {}}
    for name, tensor in tensors.items():
        head, _, rest = name.partition(".")
        if head in ("mapping", "synthesis"):
            head, rest = "generator", name
        if head not in groups:
            raise CheckpointError(f"{path} has the unknown tensor {name:.100}; use a model file of realedit.")
        groups[head][rest] = tensor
    arguments = _json_object(path, metadata, "generator" if "generator" in metadata else "init_kwargs")
    return StoredModel(
        source=str(path),
        generator=groups["generator"],
        encoder=groups["encoder"],
        codes=groups["codes"],
        arguments=arguments,
        metadata=metadata,
        missing=_missing(path, metadata),
    )


def _missing(path: Path, metadata: Mapping[str, str]) -> tuple[str, ...]:
    try:
        value = json.loads(metadata.get("missing", "[]"))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise CheckpointError(f"{path} has damaged metadata (missing is no list); convert it again.")
    return tuple(value)


def _json_object(path: Path, metadata: Mapping[str, str], key: str) -> dict[str, Any]:
    if key not in metadata:
        raise CheckpointError(
            f"{path} has no {key!r} in its metadata, so it is no model of realedit; convert the original."
        )
    try:
        value = json.loads(metadata[key])
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path} has damaged metadata ({key} is not JSON); convert it again."
        ) from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} has damaged metadata ({key} is not a JSON object); convert it again.")
    return value


def check_plain(path: Path) -> None:
    """Raise CheckpointError for a device, a pipe or a socket: reading one may never end."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # said by who opens it
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise CheckpointError(f"{path} is no plain file; name a model file.")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, 64 hexadecimal digits. Raises CheckpointError if unreadable."""
    check_plain(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read ({error.strerror or error}); check the file."
        ) from error
