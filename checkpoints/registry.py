"""Models that are known by name: where they come from, what they draw and what their licences allow."""

from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from typing import Literal

import msgspec

from .bundled import BUNDLED
from .domains import Alignment

Kind = Literal["generator", "backbone"]


class Licence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be done with a model, in one sentence, and where the text is."""

    title: str
    terms: str
    url: str
    commercial: bool


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model of the registry.

    resolution: of its pictures in pixels, 0 for backbones. size (bytes), sha256 and sha256_prefix: of the
    file at `url`, None where nobody has published them. alignment: how photos become its crops.
    """

    name: str
    kind: Kind
    domain: str
    resolution: int
    alignment: Alignment
    url: str
    licence: str
    citation: str
    size: int | None = None
    sha256: str | None = None
    sha256_prefix: str | None = None


class Registry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of registry.toml."""

    licences: dict[str, Licence]
    citations: dict[str, str]
    models: list[Entry]

    def find(self, name: str) -> Entry | None:
        """The model of that name, or None."""
        return next((entry for entry in self.models if entry.name == name), None)

    def find_by_hash(self, sha256: str) -> Entry | None:
        """The model whose file is known to have that SHA-256, or None."""
        return next((entry for entry in self.models if entry.sha256 == sha256), None)


def hint(name: str) -> str:
    """What a name that is unknown may have meant, as the end of a sentence."""
    names = [*BUNDLED, *(entry.name for entry in registry().models)]
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else "`realedit models list` shows the known ones."


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The registry that comes with the package."""
    text = (resources.files("checkpoints") / "registry.toml").read_bytes()
    return msgspec.toml.decode(text, type=Registry)
