"""The folder where downloaded and converted models are kept, and what is remembered of each.

    <cache>/models/<sha256 of the source>.safetensors   the converted model
    <cache>/models/<name>.json                          a `Record`
    <cache>/downloads/<name>.part, <name>.part.json     a download on its way

The folder is the user's cache folder, or what REALEDIT_CACHE names; it is readable by its owner only.
"""

import os
from pathlib import Path

import msgspec
import platformdirs

from .errors import CheckpointError
from .files import replacing, write_error


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
    """Where everything is kept; not created."""
    override = os.environ.get("REALEDIT_CACHE")
    return Path(override).expanduser() if override else platformdirs.user_cache_path("realedit")


def subfolder(name: str) -> Path:
    """A folder in the cache, created for the owner alone. Raises CheckpointError where it cannot be."""
    folder = cache_folder() / name
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise write_error(error, folder) from error
    return folder


def model_path(sha256: str) -> Path:
    """Where the conversion of a source file of that hash is, or would be."""
    return cache_folder() / "models" / f"{sha256}.safetensors"


def read_record(name: str) -> Record | None:
    """What is known of a model by that name, or None. A damaged record counts as an error, not as none."""
    path = _record_path(name)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"{path} is damaged ({error}); delete it and run `realedit models pull {name}` again."
        ) from error


def write_record(record: Record) -> None:
    """Remember what is known of a model."""
    subfolder("models")
    with replacing(_record_path(record.name)) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2))


def records() -> list[Record]:
    """All models that were pulled, by name."""
    folder = cache_folder() / "models"
    names = sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []
    return [record for name in names if (record := read_record(name)) is not None]


def _record_path(name: str) -> Path:
    return cache_folder() / "models" / f"{name}.json"
