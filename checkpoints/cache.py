"""The folder where downloaded and converted models are kept, and what is remembered of each.

    <cache>/models/<sha256 of the source>.safetensors   the converted model
    <cache>/models/<name>.json                          a `Record`
    <cache>/downloads/<name>.part, <name>.part.json     a download on its way

The folder is the user's cache folder, or what REALEDIT_CACHE names; it is readable by its owner only. Where
it cannot be used work goes on without it, and says so (`without_cache`).
"""

import logging
import os
import threading
from pathlib import Path

import msgspec
import platformdirs

from .errors import CheckpointError
from .files import replacing, write_error

log = logging.getLogger(__name__)

_said = threading.Event()  # whether this process has said that it goes on without the cache


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a model that was pulled by name.

    source_sha256 and source_size are of the file that was downloaded, sha256 and size of the converted one.
    """

    name: str
    source: str
    source_sha256: str
    source_size: int
    sha256: str
    size: int
    licence_accepted: bool


def cache_folder() -> Path:
    """Where everything is kept; not created. Raises CheckpointError where no place is known."""
    override = os.environ.get("REALEDIT_CACHE")
    try:
        folder = Path(override).expanduser() if override else platformdirs.user_cache_path("realedit")
    except RuntimeError:  # a ~ of nobody
        folder = Path("~")
    if "~" in folder.parts[:1] or not (override or folder.is_absolute()):
        raise CheckpointError(
            "No folder for the cache is known, since there is no home folder; name one in REALEDIT_CACHE."
        )
    return folder


def without_cache(reason: object) -> None:
    """Say in one sentence, and once in a process, that the cache is not used. reason: the error, whose
    sentence names the file."""
    text = f"{str(reason).removesuffix('.')}; the work goes on without the cache."
    if _said.is_set():
        log.debug("%s", text)
    else:
        _said.set()
        log.warning("%s", text, extra={"once": True})


def subfolder(name: str) -> Path:
    """A folder in the cache, created for the owner alone. Raises CheckpointError where it cannot be."""
    folder = cache_folder() / name
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise write_error(error, folder) from error
    return folder


def read_error(error: OSError, path: Path) -> CheckpointError:
    """The sentence for a place of the cache that cannot be read, which says nothing of what is there."""
    return CheckpointError(
        f"{path} cannot be read ({error.strerror or error}); see whose it is, or name another folder in "
        "REALEDIT_CACHE."
    )


def model_path(sha256: str) -> Path:
    """Where the conversion of a source file of that hash is, or would be."""
    return cache_folder() / "models" / f"{sha256}.safetensors"


def size_of(path: Path) -> int | None:
    """Bytes of a file of the cache; None where there is none. Raises CheckpointError where it cannot be
    read."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError as error:
        raise read_error(error, path) from error


def read_record(name: str) -> Record | None:
    """What is known of a model by that name, or None. A record that cannot be read or is damaged counts as
    an error, not as none."""
    path = _record_path(name)
    try:
        record = msgspec.json.decode(path.read_bytes(), type=Record)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise read_error(error, path) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is damaged ({error}); delete it and run `realedit models pull {name}` again."
        ) from error
    if len(record.source_sha256) != 64 or not set(record.source_sha256) <= set("0123456789abcdef"):
        raise CheckpointError(
            f"{path} is damaged (its source_sha256 is no hash); delete it and run "
            f"`realedit models pull {name}` again."
        )
    return record


def write_record(record: Record) -> None:
    """Remember what is known of a model."""
    subfolder("models")
    with replacing(_record_path(record.name)) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2))


def record_names() -> list[str]:
    """The names of all models that were pulled. Raises CheckpointError where nobody may look."""
    folder = cache_folder() / "models"
    try:
        return sorted(path.stem for path in folder.iterdir() if path.suffix == ".json")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise read_error(error, folder) from error


def _record_path(name: str) -> Path:
    return cache_folder() / "models" / f"{name}.json"
