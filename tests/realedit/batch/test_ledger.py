"""The ledger by itself: names, keys, other versions, full disks."""

import os
import sqlite3
from pathlib import Path

import pytest

from realedit.batch.job import Job, State, key_of
from realedit.batch.ledger import Ledger
from realedit.batch.ledger_file import FOLDER
from realedit.errors import OutputError


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def add(ledger: Ledger, name: str, content: str = "c", work: str = "w") -> Job:
    return ledger.add(Path("/in") / name, Path(name), "1:2:3", content, work)[0]


def test_a_job_is_kept_across_openings(ledger: Ledger, tmp_path: Path) -> None:
    job = add(ledger, os.fsdecode(b"caf\xe9/\xff.jpg"))
    ledger.done(ledger.start(job), "sha", {"drag": 1.5}, "a note")
    ledger.close()
    again = Ledger(tmp_path)
    found = again.of(job.source)
    assert found is not None and found.source == job.source and found.output == job.output
    assert (found.state, found.attempts, found.timings, found.reason) == (
        State.DONE,
        1,
        {"drag": 1.5},
        "a note",
    )
    assert [job.id for job in again.jobs(State.DONE)] == [job.id]


def test_the_key_is_content_and_work(ledger: Ledger) -> None:
    assert len({key_of(c, w) for c in "ab" for w in "ab"}) == 4
    job = add(ledger, "a.jpg")
    ledger.done(job, "sha", {})
    assert add(ledger, "a.jpg").state is State.DONE
    other = add(ledger, "a.jpg", work="x")
    assert (other.id, other.state, other.output) == (job.id, State.PENDING, job.output)
    twin = add(ledger, "b.jpg", work="x")
    assert ledger.twin(twin) is None
    ledger.done(other, "sha", {})
    found = ledger.twin(twin)
    assert found is not None and found.id == other.id


def test_names_that_a_file_system_may_confuse_are_kept_apart(ledger: Ledger) -> None:
    names = ["a.jpg", "A.JPG", "a.nef", "b/ä.jpg", "b/a\u0308.jpg"]
    outputs = [str(add(ledger, name, content=name).output) for name in names]
    assert outputs == ["a.jpg", "A-2.JPG", "a-3.jpg", "b/ä.jpg", "b/a\u0308-2.jpg"]


def test_a_moved_folder_takes_its_outputs_over(ledger: Ledger) -> None:
    ledger.done(add(ledger, "a.jpg"), "sha", {})
    job, note = ledger.add(Path("/elsewhere/a.jpg"), Path("a.jpg"), "4:5:6", "c", "w")
    assert job.state is State.DONE and note == "" and ledger.of(Path("/in/a.jpg")) is None


def test_another_process_s_changes_are_noticed(ledger: Ledger, tmp_path: Path) -> None:
    job = add(ledger, "a.jpg")
    before = ledger.changes()
    ledger.set(job, attempts=2)
    assert ledger.changes() == before
    other = Ledger(tmp_path)
    other.forget(job)
    other.close()
    assert ledger.changes() != before and ledger.of(job.source) is None


def test_the_ledger_is_private_and_in_wal_mode(ledger: Ledger, tmp_path: Path) -> None:
    assert (tmp_path / FOLDER).stat().st_mode & 0o777 == 0o700
    mode = sqlite3.connect(tmp_path / FOLDER / "ledger.sqlite").execute("PRAGMA journal_mode").fetchone()
    assert mode == ("wal",)


def test_damaged_and_newer_ledgers_are_refused(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "ledger.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(OutputError, match="move it away"):
        Ledger(tmp_path)
    (tmp_path / FOLDER / "ledger.sqlite").unlink()
    with sqlite3.connect(tmp_path / FOLDER / "ledger.sqlite") as base:
        base.execute("PRAGMA user_version=99")
    with pytest.raises(OutputError, match="version 99"):
        Ledger(tmp_path)


def test_a_full_disk_is_an_oserror_and_loses_nothing(ledger: Ledger) -> None:
    job = add(ledger, "a.jpg")
    pages = ledger._base.execute("PRAGMA page_count").fetchone()[0]
    ledger._base.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(OSError, match="full"):
        ledger.set(job, reason="x" * 100_000)
    ledger._base.execute("PRAGMA max_page_count=100000")
    assert ledger.of(job.source) == job
    ledger.set(job, reason="there is room")
