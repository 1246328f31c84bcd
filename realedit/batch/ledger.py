"""What became of every photo: a SQLite file beside the outputs, so that a photo is done once.

A job is a photo (`source`, an absolute path) with its content, the work that is asked for, and the output it
owns. Its key is the digest of content and work (recipe, model, settings). A source that is no longer there,
or that holds another photo now, is `retired`: its output stays, and the name is free for the next photo.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from realedit.batch.job import Job, Scope, State, key_of
from realedit.batch.ledger_file import PATIENCE, ledger_of, opened, reading
from realedit.batch.names import folded, mirrored, numbered
from realedit.batch.rows import COLUMNS, is_number, job_of

_FAILED = "state IN (?, ?) AND scope=?"


def as_text(words: object) -> str:
    """A sentence or path as the ledger keeps it: a name may be of any bytes."""
    return str(words).encode("utf-8", "backslashreplace").decode()


class Ledger:
    """The jobs of one output folder; used from one thread. Full and read-only disks raise OSError, a ledger
    that is damaged or held by somebody else OutputError."""

    def __init__(self, folder: Path | None, *, read_only: bool = False, patience: float = PATIENCE) -> None:
        """Open or make `folder`/.realedit/ledger.sqlite; None: one in memory. read_only: the file must be
        there, and is not written. patience: seconds to wait for another process that writes. Raises
        OutputError for a file that cannot be read, is no ledger or one of a later version, ResourceError on
        a full disk."""
        self.path = None if folder is None else ledger_of(folder)
        self._base = opened(self.path, patience, read_only=read_only)

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def in_memory(self) -> "Ledger":
        """A copy that forgets what is done to it."""
        copy = Ledger(None)
        with reading(self.path):
            self._base.backup(copy._base)
        return copy

    # ---- what is there

    def job(self, number: int) -> Job | None:
        """The job of a number."""
        if not is_number(number):
            return None
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
        return self._alike(job, "state=?", State.DONE)

    def verdict(self, job: Job) -> Job | None:
        """Another job with the same content and work whose failure is the content's."""
        return self._alike(job, _FAILED, State.FAILED, State.QUARANTINED, Scope.CONTENT)

    def changes(self) -> int:
        """A number that is another one after another process has written."""
        with reading(self.path):
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
                changes |= {"attempts": 0, "reason": None, "scope": None}
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

    def give_up(self, job: Job, state: State, reason: str, scope: Scope) -> None:
        """The job failed, or is in quarantine."""
        self.set(job, state=state, reason=reason, scope=scope)

    def retry(self, *jobs: Job, **values: Any) -> None:
        """Jobs are to be made, again or at last, whatever came of their contents before; `values` of them
        are new."""
        forgiven = f"UPDATE jobs SET scope=NULL WHERE key=? AND {_FAILED}"
        failed = (State.FAILED, State.QUARANTINED, Scope.CONTENT)
        with self._transaction():
            for job in jobs:
                self._set(job.id, state=State.PENDING, attempts=0, reason=None, scope=None, **values)
                self._base.execute(forgiven, (job.key, *failed))

    def set(self, job: Job, **values: Any) -> None:
        """Write some columns of a job."""
        with self._transaction():
            self._set(job.id, **values)

    def forget(self, *jobs: Job) -> None:
        """Remove jobs; their outputs stay, and are then files like any other."""
        with self._transaction():
            self._base.executemany("DELETE FROM jobs WHERE id=?", [(job.id,) for job in jobs])

    # ---- beneath

    def _select(self, where: str, *values: Any, using: str = "") -> Iterator[Job]:
        with reading(self.path):
            columns = ", ".join(COLUMNS)
            for row in self._base.execute(f"SELECT {columns} FROM jobs {using} WHERE {where}", values):
                yield job_of(row)

    def _alike(self, job: Job, where: str, *values: Any) -> Job | None:
        """Another job with the same content and work. The index is named, since SQLite would rather look at
        all jobs in a state, of which there may be a million."""
        found = self._select(
            f"key=? AND {where} AND id<>? LIMIT 1", job.key, *values, job.id, using="INDEXED BY by_key"
        )
        return next(found, None)

    def _sure(self, number: int) -> Job:
        job = self.job(number)
        assert job is not None
        return job

    def _set(self, number: int, **values: Any) -> None:
        values["updated"] = time.time()
        if values.get("reason"):
            values["reason"] = as_text(values["reason"])
        names = ", ".join(f"{name}=?" for name in values)
        self._base.execute(f"UPDATE jobs SET {names} WHERE id=?", (*values.values(), number))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with reading(self.path):
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise
