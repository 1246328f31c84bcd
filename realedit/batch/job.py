"""A photo of the ledger: what it is, and how far it has come."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class State(StrEnum):
    """Where a job is."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    QUARANTINED = "quarantined"


class Scope(StrEnum):
    """Whose a failure is: of the photo alone (its output's place, its name, its rights), or of its content,
    so that it holds for every copy (no face, not decodable)."""

    PHOTO = "photo"
    CONTENT = "content"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One row. output: relative to the output folder; signature: of the source file, when it was hashed;
    claim: SHA-256 of an output about to be renamed into place; output_sha256: of the one that is there;
    scope: of a failure."""

    id: int
    source: Path
    signature: str
    content: str
    work: str
    key: str
    output: Path
    state: State
    attempts: int
    reason: str | None
    timings: Mapping[str, float]
    claim: str | None
    output_sha256: str | None
    retired: bool
    updated: float
    scope: Scope | None

    def as_json(self) -> dict[str, Any]:
        """Plain values, for `jobs show`."""
        plain = {name: value for name, value in vars(self).items() if name not in ("claim", "signature")}
        return {**plain, "source": str(self.source), "output": str(self.output)}


def key_of(content: str, work: str) -> str:
    """The key of a photo's content under some work."""
    return hashlib.sha256(f"{content}:{work}".encode()).hexdigest()
