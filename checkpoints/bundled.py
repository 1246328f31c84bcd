"""The weights that come with the package."""

import contextlib
import hashlib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Final

DEFAULT: Final = "face128"
BUNDLED: Final = (DEFAULT,)
LICENCE: Final = "CC-BY-4.0"


@contextlib.contextmanager
def bundled_file(name: str) -> Iterator[Path]:
    """A path to a bundled model's file, for as long as the context lasts."""
    with resources.as_file(resources.files("checkpoints") / "weights" / f"{name}.safetensors") as path:
        yield path


def bundled_sha256(name: str) -> str:
    """The SHA-256 of a bundled model's file, as `Checkpoint.sha256` has it, without loading it."""
    with bundled_file(name) as path, path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
