"""The models on this machine and in the registry: fetch one, look into one, check them all."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import filelock
from torch import Tensor

from .architecture import Architecture, infer_architecture
from .bundled import BUNDLED, LICENCE, bundled_file
from .cache import (
    Record,
    model_path,
    read_record,
    record_names,
    size_of,
    subfolder,
    without_cache,
    write_record,
)
from .convert import complete, convert_backbone, describe, read_any, write_model
from .download import DownloadSettings, Progress, download, forget
from .errors import CheckpointError, DownloadError, UnknownModelError, brief
from .files import write_error
from .registry import Entry, Licence, hint, registry
from .storage import StoredModel, read_tensors, sha256_of

log = logging.getLogger(__name__)

Place = Literal["bundled", "cached", "known"]


@dataclass(frozen=True)
class Listing:
    """One row of `realedit models list`. size: in bytes, or None; where: a path, or the address."""

    name: str
    kind: str
    domain: str
    resolution: int
    size: int | None
    licence: str
    place: Place
    where: str


@dataclass(frozen=True)
class Pulled:
    """What `pull` did. first: there was no published hash, so this download's hash is what later ones must
    have.
    """

    record: Record
    path: Path
    already: bool
    first: bool


def pull(
    name: str,
    *,
    source: str | None = None,
    accept_licence: Callable[[Entry, Licence], bool],
    settings: DownloadSettings | None = None,
    progress: Progress | None = None,
) -> Pulled:
    """Fetch a model of the registry, check it and keep its conversion in the cache.

    source: a file or web address to take it from instead of the registry's. accept_licence is asked once per
    model whose licence forbids commercial use. Raises UnknownModelError, DownloadError, CheckpointError,
    CapacityError.
    """
    entry = find_entry(name)
    old = read_record(name)
    if old is not None and source is None and _is_kept(old):
        return Pulled(old, model_path(old.source_sha256), already=True, first=False)
    accepted = _accept(entry, old, accept_licence)
    if source is not None and "://" not in source:
        return _take(entry, Path(source).expanduser(), source, old, accepted)
    url = source or entry.url
    part = subfolder("downloads") / f"{name}.part"
    with _alone(part):
        download(url, part, size=entry.size, settings=settings, progress=progress)
        try:
            return _take(entry, part, url, old, accepted)
        finally:
            forget(part)


@contextlib.contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Keep two processes from fetching the same file at once."""
    lock = filelock.FileLock(part.with_suffix(".lock"), timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise CheckpointError(f"Another process is fetching {part.stem}; wait until it is done.") from error
    except OSError as error:
        raise write_error(error, part) from error
    try:
        yield
    finally:
        lock.release()


def find_entry(name: str) -> Entry:
    """The registry's model of that name. Raises UnknownModelError."""
    entry = registry().find(name)
    if entry is None:
        raise UnknownModelError(f"There is no known model {brief(name)}; {hint(name)}")
    return entry


def _accept(entry: Entry, old: Record | None, ask: Callable[[Entry, Licence], bool]) -> bool:
    licence = registry().licences[entry.licence]
    if licence.commercial or (old is not None and old.licence_accepted):
        return True
    if not ask(entry, licence):
        raise CheckpointError(
            f"{entry.name} was not fetched because its licence ({licence.title}) was not accepted."
        )
    return True


def _take(entry: Entry, file: Path, origin: str, old: Record | None, accepted: bool) -> Pulled:
    """Check a file that should be the entry's, convert it into the cache and remember it."""
    sha256 = sha256_of(file)
    size = file.stat().st_size
    _check_identity(entry, origin, sha256, size, old)
    target = model_path(sha256)
    subfolder("models")
    if entry.kind == "backbone":
        convert_backbone(file, target, origin)
    else:
        stored = complete(read_any(file))
        stored = describe(stored, sha256, domain=entry.domain, alignment=entry.alignment)
        licence = registry().licences[entry.licence].title
        metadata = {**stored.metadata, "name": entry.name, "licence": licence, "source": origin}
        write_model(replace(stored, metadata=metadata), target)
    record = Record(
        name=entry.name,
        source=origin,
        source_sha256=sha256,
        source_size=size,
        sha256=sha256_of(target),
        size=target.stat().st_size,
        licence_accepted=accepted,
    )
    write_record(record)
    first = entry.sha256 is None and entry.sha256_prefix is None and old is None
    return Pulled(record, target, already=False, first=first)


def _check_identity(entry: Entry, origin: str, sha256: str, size: int, old: Record | None) -> None:
    """Compare with what has been published of the file, or with the first download of it."""
    if entry.size is not None and size != entry.size:
        raise DownloadError(
            f"{origin} has {size} bytes where {entry.name} has {entry.size}; it is another file."
        )
    expected = entry.sha256 or entry.sha256_prefix or (old.source_sha256 if old is not None else "")
    if not sha256.startswith(expected):
        known = "published" if entry.sha256 or entry.sha256_prefix else "first downloaded"
        raise DownloadError(
            f"{origin} is not the {entry.name} that was {known}: its SHA-256 is {sha256}, not {expected}; "
            f"it is damaged or another file."
        )


def _is_kept(record: Record) -> bool:
    return size_of(model_path(record.source_sha256)) == record.size


def cached(name: str) -> tuple[Path, Record]:
    """Where a model of the registry is kept, and what is known of it.

    Raises CheckpointError where it has not been pulled.
    """
    record = read_record(name)
    if record is None or not _is_kept(record):
        raise CheckpointError(f"{name} is not on this machine; fetch it with `realedit models pull {name}`.")
    return model_path(record.source_sha256), record


def backbone(name: str) -> dict[str, Tensor] | None:
    """The weights of a perceptual backbone (`lpips-vgg`, ...) under torchvision's names, or None where it is
    not pulled, or the cache cannot be read.
    """
    find_entry(name)
    try:
        record = read_record(name)
        if record is None or not _is_kept(record):
            return None
        return read_tensors(model_path(record.source_sha256))[0]
    except CheckpointError as error:
        without_cache(error)
        return None


def verify(name: str | None = None) -> list[tuple[str, str]]:
    """Hash what is cached again: each name with "" or what is wrong. Raises CheckpointError if `name` is
    not cached, or the cache cannot be read.
    """
    if name is not None and read_record(name) is None:
        cached(name)
    return [(each, _problem(each)) for each in (record_names() if name is None else [name])]


def _problem(name: str) -> str:
    """What is wrong with a model that was pulled, or nothing."""
    try:
        record = read_record(name)
        if record is None:
            return ""  # it went away just now
        path = model_path(record.source_sha256)
        if size_of(path) is None:
            return f"its file is gone; run `realedit models pull {name}` again"
        if sha256_of(path) != record.sha256:
            return f"its file has changed; delete {path} and run `realedit models pull {name}` again"
    except CheckpointError as error:
        return str(error)
    return ""


def listing() -> list[Listing]:
    """What is bundled, cached and known, in that order."""
    rows: list[Listing] = []
    for name in BUNDLED:
        with bundled_file(name) as path:
            stored = read_any(path)
            size = path.stat().st_size
        arch = architecture_of(stored)
        licence = stored.metadata.get("licence", LICENCE)
        rows.append(
            Listing(
                name, "generator", stored.metadata["domain"], arch.resolution, size, licence, "bundled", ""
            )
        )
    known = []
    for entry in registry().models:
        record = _kept_record(entry.name)
        title = registry().licences[entry.licence].title
        values = (entry.name, entry.kind, entry.domain, entry.resolution)
        if record is not None:
            path = model_path(record.source_sha256)
            rows.append(Listing(*values, record.size, title, "cached", str(path)))
        else:
            known.append(Listing(*values, entry.size, title, "known", entry.url))
    return rows + known


def _kept_record(name: str) -> Record | None:
    """What is known of a model whose file is here; None, and said once, where the cache cannot be read."""
    try:
        record = read_record(name)
        return record if record is not None and _is_kept(record) else None
    except CheckpointError as error:
        without_cache(error)
        return None


def architecture_of(stored: StoredModel) -> Architecture:
    """The architecture of a stored model. Raises CheckpointError."""
    shapes = {name: tuple(tensor.shape) for name, tensor in stored.generator.items()}
    return infer_architecture(shapes, stored.arguments, stored.source)
