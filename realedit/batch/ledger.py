"""What became of every photo: a SQLite file beside the outputs, so that a photo is done once.

A job is a photo (`source`, an absolute path) with its content, the work that is asked for, and the output it
owns. Its key is the digest of content and work (recipe, model, settings). A source that is no longer there,
or that holds another photo now, is `retired`: its output stays, and the name is free for the next photo.
"""

import errno
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from realedit.batch.filesystems import is_remote
from realedit.batch.job import Job, State, key_of
from realedit.batch.names import folded, mirrored, numbered
from realedit.errors import OutputError

SCHEMA = 1
FOLDER = ".realedit"
_TABLES = """
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
    updated REAL NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS live ON jobs(source) WHERE NOT retired;
CREATE INDEX IF NOT EXISTS by_key ON jobs(key);
CREATE INDEX IF NOT EXISTS by_state ON jobs(state);
"""

_ERRNO = {
    "SQLITE_FULL": errno.ENOSPC,
    "SQLITE_IOERR_WRITE": errno.ENOSPC,
    "SQLITE_IOERR_FSYNC": errno.ENOSPC,
    "SQLITE_IOERR_SHM": errno.ENOSPC,
    "SQLITE_READONLY": errno.EROFS,
    "SQLITE_CANTOPEN": errno.EROFS,
}


class Ledger:
    """The jobs of one output folder; used from one thread. Full and read-only disks raise OSError."""

    def __init__(self, folder: Path | None, *, read_only: bool = False) -> None:
        """Open or make `folder`/.realedit/ledger.sqlite; None: one in memory. Raises OutputError for a file
        that is none or of another version."""
        self.path = None if folder is None else folder / FOLDER / "ledger.sqlite"
        if self.path is not None and not read_only:
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
        name = ":memory:" if self.path is None else str(self.path)
        try:
            with self._disk():
                self._base = sqlite3.connect(name, timeout=30, isolation_level=None)
                self._base.row_factory = sqlite3.Row
                self._prepare()
        except sqlite3.DatabaseError as error:
            raise OutputError(
                f"the ledger {self.path} cannot be read ({error}); move it away to begin a new one"
            ) from error

    def _prepare(self) -> None:
        if self.path is not None:
            shared = is_remote(self.path.parent)  # WAL needs memory that processes share
            self._base.execute(f"PRAGMA journal_mode={'DELETE' if shared else 'WAL'}")
        self._base.execute("PRAGMA synchronous=FULL")
        version = self._base.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA):
            raise OutputError(
                f"the ledger {self.path} is of version {version}, this realedit reads {SCHEMA}; "
                "use the realedit that made it"
            )
        if version == 0:
            self._base.executescript(f"BEGIN; {_TABLES} PRAGMA user_version={SCHEMA}; COMMIT;")

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def in_memory(self) -> "Ledger":
        """A copy that forgets what is done to it."""
        copy = Ledger(None)
        self._base.backup(copy._base)
        return copy

    # ---- what is there

    def job(self, number: int) -> Job | None:
        """The job of a number."""
        return next(self._select("id=?", number), None)

    def of(self, source: Path) -> Job | None:
        """The job of a photo that is there now."""
        return next(self._select("source=? AND NOT retired", os.fsencode(source)), None)

    def jobs(self, *states: State) -> Iterator[Job]:
        """All jobs, or those in some states, oldest first."""
        marks = ",".join("?" * len(states))
        yield from self._select(f"state IN ({marks}) ORDER BY id" if states else "1 ORDER BY id", *states)

    def owner(self, output: Path) -> Job | None:
        """The job that an output's name belongs to."""
        return next(self._select("folded=?", folded(output)), None)

    def twin(self, job: Job) -> Job | None:
        """Another job with the same content and work whose output was made."""
        same = self._select("key=? AND id<>? AND state='done' ORDER BY id", job.key, job.id)
        return next(same, None)

    def changes(self) -> int:
        """A number that is another one after another process has written."""
        return int(self._base.execute("PRAGMA data_version").fetchone()[0])

    # ---- what happens

    def add(self, source: Path, relative: Path, signature: str, content: str, work: str) -> tuple[Job, str]:
        """The job of a photo whose content is known now, and a note for the user where its output has not
        the photo's name.

        The same content under the same work keeps its state; other work makes it pending with the same
        output. Other content gets a new output where the old one was made, so that no photo's result is lost.
        """
        key = key_of(content, work)
        with self._transaction():
            job = self.of(source)
            if job is not None and job.content != content and job.output_sha256 is not None:
                self._set(job.id, retired=1)
                job = None
            if job is None:
                job, note = self._inserted(source, relative, signature, content, work, key)
                return job, note
            changes: dict[str, Any] = {"signature": signature}
            if job.key != key:
                changes |= {"content": content, "work": work, "key": key, "state": State.PENDING}
                changes |= {"attempts": 0, "reason": None}
            self._set(job.id, **changes)
            return self._sure(job.id), ""

    def _inserted(
        self, source: Path, relative: Path, signature: str, content: str, work: str, key: str
    ) -> tuple[Job, str]:
        wanted = mirrored(relative)
        number = 1
        while True:
            output = numbered(wanted, number)
            owner = self.owner(output)
            if owner is None:
                break
            if owner.key == key and (owner.retired or not owner.source.exists()):
                self._set(owner.id, source=os.fsencode(source), signature=signature, retired=0)
                return self._sure(owner.id), ""
            number += 1
        cursor = self._base.execute(
            "INSERT INTO jobs(source, signature, content, work, key, output, folded, state, updated) "
            "VALUES(?,?,?,?,?,?,?,?,?)",
            (
                *(os.fsencode(source), signature, content, work, key),
                *(os.fsencode(output), folded(output), State.PENDING, time.time()),
            ),
        )
        note = "" if number == 1 else f"{wanted} is another photo's output; {source} is written as {output}"
        assert cursor.lastrowid is not None
        return self._sure(cursor.lastrowid), note

    def start(self, job: Job) -> Job:
        """An attempt begins; the job as it is then."""
        self.set(job, state=State.RUNNING, attempts=job.attempts + 1)
        return self._sure(job.id)

    def claim(self, job: Job, sha256: str) -> None:
        """An output of this digest is about to be renamed into place."""
        self.set(job, claim=sha256)

    def done(self, job: Job, sha256: str, timings: Mapping[str, float], note: str | None = None) -> None:
        """The output is in its place."""
        self.set(
            job,
            state=State.DONE,
            output_sha256=sha256,
            claim=None,
            timings=json.dumps(dict(timings)),
            reason=note,
        )

    def again(self, job: Job, *, blamed: bool, reason: str | None = None) -> None:
        """The job, as it was since its start, is to be tried again; an attempt that was not the photo's
        fault is not counted."""
        attempts = job.attempts if blamed else max(0, job.attempts - 1)
        self.set(job, state=State.PENDING, attempts=attempts, reason=reason)

    def set(self, job: Job, **values: Any) -> None:
        """Write some columns of a job."""
        with self._transaction():
            self._set(job.id, **values)

    def forget(self, *jobs: Job) -> None:
        """Remove jobs; their outputs stay, and are then files like any other."""
        with self._transaction():
            self._base.executemany("DELETE FROM jobs WHERE id=?", [(job.id,) for job in jobs])

    # ---- beneath

    def _select(self, where: str, *values: Any) -> Iterator[Job]:
        with self._disk():
            rows = self._base.execute(f"SELECT * FROM jobs WHERE {where}", values)
        for row in rows:
            plain = {name: row[name] for name in row.keys() if name != "folded"}  # noqa: SIM118
            plain["source"], plain["output"] = (
                Path(os.fsdecode(row["source"])),
                Path(os.fsdecode(row["output"])),
            )
            plain["timings"] = json.loads(row["timings"] or "{}")
            yield Job(**{**plain, "state": State(row["state"]), "retired": bool(row["retired"])})

    def _sure(self, number: int) -> Job:
        job = self.job(number)
        assert job is not None
        return job

    def _set(self, number: int, **values: Any) -> None:
        values["updated"] = time.time()
        if values.get("reason"):  # may quote a name of any bytes
            values["reason"] = values["reason"].encode("utf-8", "backslashreplace").decode()
        names = ", ".join(f"{name}=?" for name in values)
        self._base.execute(f"UPDATE jobs SET {names} WHERE id=?", (*values.values(), number))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._disk():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """SQLite's own words for a full or read-only disk as the OSError everything else raises."""
        try:
            yield
        except sqlite3.OperationalError as error:
            number = next((n for name, n in _ERRNO.items() if error.sqlite_errorname.startswith(name)), None)
            if number is None:
                raise
            raise OSError(number, str(error), str(self.path)) from error
