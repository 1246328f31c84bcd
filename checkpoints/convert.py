"""From a stored model of any format to our own file."""

import errno
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import safetensors
from safetensors.torch import save_file
from torch import Tensor

from .architecture import Architecture, infer_architecture
from .domains import DOMAINS, Alignment, default_alignment, guess_domain
from .errors import CheckpointError, DamagedFileError, UnsupportedModelError
from .files import replacing, require_disk, utf8_path, write_error
from .formats import read_foreign, read_state_dict, sample_codes
from .formats.sniff import is_safetensors
from .network import check_tensors, expected_shapes
from .registry import registry
from .storage import StoredModel, check_plain, read_safetensors, sha256_of, with_architecture


def read_any(path: Path) -> StoredModel:
    """Read a model file of any known format, by its content. Raises CheckpointError."""
    check_plain(path)
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} does not exist; check the name of the model file.") from error
    except IsADirectoryError as error:
        raise CheckpointError(f"{path} is a folder, not a model file; name the file in it.") from error
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read ({error.strerror or error}); check the file."
        ) from error
    return read_safetensors(path) if is_safetensors(head) else read_foreign(path)


def complete(stored: StoredModel) -> StoredModel:
    """Check a foreign model's tensors and add what our files have besides: the mean w where it is missing,
    the principal axes of W, domain, alignment and licence.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in stored.generator.items()}
    arch = infer_architecture(shapes, stored.arguments, stored.source)
    check_tensors({"mapping.w_avg": (arch.w_dim,), **shapes}, expected_shapes(arch), stored.source)
    for name, tensor in stored.generator.items():
        if not bool(tensor.isfinite().all()):
            raise DamagedFileError(
                f"{stored.source} cannot be used: {name:.100} holds numbers that are not finite; "
                f"its training may have diverged, so use an earlier snapshot."
            )
    codes = stored.codes or _codes(arch, stored)
    generator = stored.generator
    if "mapping.w_avg" not in generator:
        generator = {**generator, "mapping.w_avg": codes["mean"].clone()}
    return replace(stored, generator=generator, codes=codes)


def _codes(arch: Architecture, stored: StoredModel) -> dict[str, Tensor]:
    try:
        return sample_codes(arch, stored.generator)
    except DamagedFileError as error:
        raise DamagedFileError(f"{stored.source} cannot be used: {error}.") from error


def describe(
    stored: StoredModel, sha256: str, *, domain: str | None = None, alignment: Alignment | None = None
) -> StoredModel:
    """Add domain, alignment, licence and origin to a model's metadata.

    Given values count first, then what the registry knows of a file of that hash, then what the file says,
    then what the names of its training set and of the file suggest.
    """
    if domain is not None and domain not in DOMAINS:
        raise CheckpointError(f"There is no domain {domain!r}; choose one of {', '.join(DOMAINS)}.")
    known = registry().find_by_hash(sha256)
    found: dict[str, str] = {**stored.metadata}
    if known is not None:
        found |= {"domain": known.domain, "alignment": known.alignment, "name": known.name}
        found["licence"] = registry().licences[known.licence].title
    hints = (stored.metadata.get("training_set", ""), Path(stored.source).stem)
    found["domain"] = domain or found.get("domain") or guess_domain(*hints)
    found["alignment"] = (
        alignment
        or (default_alignment(found["domain"]) if domain else found.get("alignment"))
        or default_alignment(found["domain"])
    )
    found.setdefault("source_sha256", sha256)
    return replace(stored, metadata=found)


def write_model(stored: StoredModel, target: Path) -> None:
    """Write a model as safetensors, complete or not at all. Raises CheckpointError, CapacityError on a full
    disk.
    """
    stored = with_architecture(stored)
    groups = {"generator": stored.generator, "encoder": stored.encoder, "codes": stored.codes}
    tensors = {f"{g}.{name}": t.contiguous() for g, group in groups.items() for name, t in group.items()}
    write_tensors(tensors, dict(stored.metadata), target)


def write_tensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str], target: Path) -> None:
    """Write tensors by name and metadata as safetensors, complete or not at all."""
    kept: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():  # the format has no shared memory
        kept[name] = tensor.clone() if tensor.data_ptr() in seen else tensor
        seen.add(tensor.data_ptr())
    size = sum(tensor.nbytes for tensor in kept.values())
    require_disk(target.parent, size, f"Writing {target.name}")
    with replacing(target) as temporary:
        try:
            with utf8_path(temporary, write=True) as place:
                save_file(kept, place, dict(metadata))
        except safetensors.SafetensorError as error:
            # The library wraps the system's error in text: "... No space left on device (os error 28)".
            full = f"os error {errno.ENOSPC})" in str(error)
            raise write_error(OSError(errno.ENOSPC if full else errno.EIO, str(error)), target) from error


def convert_backbone(source: Path, target: Path, origin: str) -> None:
    """Convert a classifier's state dictionary, keeping its convolutions (`features.*`). Raises
    CheckpointError.
    """
    tensors = {n: t for n, t in read_state_dict(source).items() if n.startswith("features.")}
    if not tensors:
        raise UnsupportedModelError(f"{source} cannot be used: it has no convolutions under `features`.")
    write_tensors(tensors, {"format": "realedit-backbone-1", "source": origin}, target)


def convert(
    source: Path, target: Path, *, domain: str | None = None, alignment: Alignment | None = None
) -> StoredModel:
    """Convert a model file of any known format to ours. Raises CheckpointError."""
    if target.resolve() == source.resolve():
        raise CheckpointError(f"{target} is the file to convert; choose another name for the result.")
    if target.suffix != ".safetensors":
        raise CheckpointError(f"{target} must end in .safetensors, which is what is written.")
    stored = complete(read_any(source))
    stored = describe(stored, sha256_of(source), domain=domain, alignment=alignment)
    write_model(stored, target)
    return stored
