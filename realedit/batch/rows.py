"""The ledger's table, and its rows as jobs. A ledger may be damaged or come from elsewhere: every value of a
row is checked before anything is done with it."""

import math
import os
from pathlib import Path
from typing import Annotated, Any

import msgspec

from realedit.batch.job import Job, Scope, State

SCHEMA = 2
TABLES = """
CREATE TABLE IF NOT EXISTS jobs(
    id INTEGER PRIMARY KEY,
    source BLOB NOT NULL,
    signature TEXT NOT NULL,
    content TEXT NOT NULL,
    work TEXT NOT NULL,
    key TEXT NOT NULL,
    output BLOB NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK(state IN ('pending', 'running', 'done', 'failed', 'quarantined')),
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    timings TEXT,
    claim TEXT,
    output_sha256 TEXT,
    retired INTEGER NOT NULL DEFAULT 0,
    updated REAL NOT NULL,
    scope TEXT CHECK(scope IN ('photo', 'content'))
);
CREATE UNIQUE INDEX IF NOT EXISTS live ON jobs(source) WHERE NOT retired;
CREATE INDEX IF NOT EXISTS by_key ON jobs(key, state, scope);
CREATE INDEX IF NOT EXISTS by_state ON jobs(state);
"""
MIGRATIONS = {
    1: """
ALTER TABLE jobs ADD COLUMN scope TEXT CHECK(scope IN ('photo', 'content'));
DROP INDEX IF EXISTS by_key;
CREATE INDEX by_key ON jobs(key, state, scope);
UPDATE jobs SET state='pending', attempts=0, reason=NULL
    WHERE state='failed' AND reason LIKE '%(as another photo of the same content)';
"""
}
"""By the version they start from. 1: what failed since another photo of the same content had was perhaps that
other photo's own failure, and is tried again."""

_LARGEST = 2**63 - 1  # that SQLite stores
_LAST = 253402300799.0  # the end of the year 9999, in seconds since 1970


class DamagedRowError(Exception):
    """A row that no realedit has written; the message says which and why."""


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The types of the columns."""

    id: int
    source: bytes
    signature: str
    content: str
    work: str
    key: str
    output: bytes
    folded: str
    state: State
    attempts: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    reason: str | None
    timings: str | None
    claim: str | None
    output_sha256: str | None
    retired: Annotated[int, msgspec.Meta(ge=0, le=1)]
    updated: Annotated[float, msgspec.Meta(ge=0, le=_LAST)]
    scope: Scope | None


COLUMNS = _Row.__struct_fields__


def is_number(number: int) -> bool:
    """Whether a job could have this number."""
    return -_LARGEST <= number <= _LARGEST


def job_of(row: tuple[Any, ...]) -> Job:
    """A row of the table's columns as a job. Raises DamagedRowError."""
    try:
        plain = msgspec.convert(dict(zip(COLUMNS, row, strict=True)), type=_Row, builtin_types=(bytes,))
        source, output = _path(plain.source), _path(plain.output)
        if not source.is_absolute():
            raise ValueError(f"its photo {source} is no whole path")
        if output.is_absolute() or ".." in output.parts or not output.name:
            raise ValueError(f"its output {output} leads out of the folder")
        timings = msgspec.json.decode(plain.timings or "{}", type=dict[str, float])
        if not all(map(math.isfinite, timings.values())):
            raise ValueError("its timings are not finite")
    except (ValueError, RecursionError) as error:  # msgspec's own are ValueErrors
        raise DamagedRowError(f"photo {row[0]!r:.40}: {error}") from error
    values = {name: getattr(plain, name) for name in COLUMNS if name != "folded"}
    values |= {"source": source, "output": output, "timings": timings, "retired": bool(plain.retired)}
    return Job(**values)


def _path(name: bytes) -> Path:
    if b"\0" in name:
        raise ValueError("a path holds a zero byte")
    return Path(os.fsdecode(name))
