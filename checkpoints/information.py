"""What a model file is, without building its networks."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .bundled import BUNDLED, LICENCE, bundled_file
from .convert import complete, describe, read_any
from .errors import UnknownModelError, brief
from .models import architecture_of, cached
from .registry import hint, registry
from .storage import StoredModel, sha256_of


@dataclass(frozen=True)
class Information:
    """A model's format, shape, domain and origin; `missing` is what the file does not have.

    label_length: 0 for an unconditional generator. channels: of the features, by resolution. clamp: of
    activations.
    """

    name: str
    path: str
    format: str
    size: int
    sha256: str
    resolution: int
    channels: Mapping[int, int]
    z_dim: int
    w_dim: int
    num_ws: int
    label_length: int
    mapping_layers: int
    clamp: float | None
    domain: str
    alignment: str
    licence: str
    origin: Mapping[str, str]
    missing: tuple[str, ...]


def inspect(name_or_path: str | Path) -> Information:
    """Look into a model by name (bundled or pulled) or into a file of any known format. Raises
    CheckpointError.
    """
    name = str(name_or_path)
    if name in BUNDLED:
        with bundled_file(name) as path:
            return _inspect(name, path, LICENCE)
    if registry().find(name) is not None:
        return _inspect(name, cached(name)[0], "unknown")
    path = Path(name_or_path).expanduser()
    if not path.exists():
        raise UnknownModelError(f"There is no model or file {brief(name)}; {hint(name)}")
    return _inspect(path.stem, path, "unknown")


def _inspect(name: str, path: Path, licence: str) -> Information:
    stored = read_any(path)
    sha256 = sha256_of(path)
    if "original_format" in stored.metadata:
        stored = describe(complete(stored), sha256)
    arch = architecture_of(stored)
    metadata = stored.metadata
    return Information(
        name=name,
        path=str(path),
        format=metadata.get("original_format", "safetensors") if _is_foreign(stored) else "safetensors",
        size=path.stat().st_size,
        sha256=sha256,
        resolution=arch.resolution,
        channels=dict(sorted(arch.channels.items())),
        z_dim=arch.z_dim,
        w_dim=arch.w_dim,
        num_ws=arch.num_ws,
        label_length=arch.c_dim,
        mapping_layers=len(arch.mapping_widths),
        clamp=arch.conv_clamp,
        domain=metadata.get("domain", "unknown"),
        alignment=metadata.get("alignment", "box"),
        licence=metadata.get("licence", licence),
        origin={k: metadata[k] for k in _ORIGIN if k in metadata},
        missing=stored.missing or (() if stored.encoder else ("encoder",)),
    )


_ORIGIN = (
    "source", "source_sha256", "original_format", "training_set", "data", "held_out", "steps", "images_seen",
    "seed", "training", "commit", "motions", "motions_learned", "metrics",
)  # fmt: skip


def _is_foreign(stored: StoredModel) -> bool:
    return "format" not in stored.metadata
