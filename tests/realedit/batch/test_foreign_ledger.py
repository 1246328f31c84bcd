"""Ledgers that are damaged, older, somebody else's or no ledgers: one sentence, and nothing changed."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from realedit.batch.job import Scope, State
from realedit.batch.ledger import Ledger
from realedit.batch.ledger_file import FOLDER, has_ledger, ledger_of
from realedit.batch.rows import COLUMNS, SCHEMA
from realedit.errors import OutputError
from tests.realedit.batch.fake import Bench, photo
from tests.realedit.cli.running import call, snapshot

VALUES: list[Any] = [None, "", "x", "{x", "[" * 100_000, b"\xff\0", b"../../x", b"/etc/x", b"..", -1, 2**62]
VALUES += [1e300, float("inf"), 0.5, "caf\udce9".encode("utf-8", "surrogatepass")]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output folder with a done, a failed and a waiting photo."""
    ledger = Ledger(tmp_path)
    for number, state in enumerate((State.DONE, State.FAILED, State.PENDING)):
        name = Path(f"{number}.jpg")
        job, _ = ledger.add(Path("/in") / name, name, "1:2:3", str(number), "w")
        ledger.set(job, state=state, reason="why", timings='{"drag": 1.5}')
    ledger.close()
    return tmp_path


def _change(folder: Path, *statements: str, values: tuple[Any, ...] = ()) -> None:
    base = sqlite3.connect(ledger_of(folder))
    for statement in statements:
        base.execute(statement, values)
    base.commit()
    base.close()


def _without_checks(folder: Path) -> None:
    """The same rows in a table that takes everything."""
    _change(
        folder,
        f"CREATE TABLE free({', '.join(COLUMNS)})",
        f"INSERT INTO free SELECT {', '.join(COLUMNS)} FROM jobs",
        "DROP TABLE jobs",
        "ALTER TABLE free RENAME TO jobs",
        "CREATE INDEX by_key ON jobs(key, state, scope)",
    )


def _use(folder: Path) -> None:
    """Everything that asks a ledger."""
    for read_only in (True, False):
        ledger = Ledger(folder, read_only=read_only)
        try:
            jobs = list(ledger.jobs())
            for job in jobs:
                job.as_json()
                ledger.twin(job), ledger.verdict(job), ledger.owner(job.output), ledger.of(job.source)
            for number in (1, -1, 2**63, 10**30):
                ledger.job(number)
            if not read_only:
                ledger.retry(*jobs)
                for job in jobs:
                    ledger.done(ledger.start(job), "sha", {})
        finally:
            ledger.close()


@pytest.mark.parametrize("column", COLUMNS)
def test_no_value_of_a_column_is_anything_but_used_or_told(column: str, output: Path) -> None:
    _without_checks(output)
    kept = ledger_of(output).read_bytes()
    told = 0
    for value in VALUES:
        for extra in ("", "-wal", "-shm"):
            ledger_of(output).with_name(f"ledger.sqlite{extra}").unlink(missing_ok=True)
        ledger_of(output).write_bytes(kept)
        _change(output, f"UPDATE jobs SET {column}=? WHERE rowid=1", values=(value,))
        try:
            _use(output)
        except OutputError as error:
            told += 1
            assert str(ledger_of(output)) in str(error) and "\n" not in str(error) and len(str(error)) < 400
    assert told >= 4


def _column_gone(folder: Path) -> None:
    _without_checks(folder)
    _change(folder, "ALTER TABLE jobs DROP COLUMN timings")


def _replaced(content: bytes | None) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        ledger_of(folder).unlink()
        if content is None:
            ledger_of(folder).mkdir()
        else:
            ledger_of(folder).write_bytes(content)

    return change


def _loop(folder: Path) -> None:
    ledger_of(folder).unlink()
    ledger_of(folder).symlink_to(ledger_of(folder).name)


def _pipe(folder: Path) -> None:
    ledger_of(folder).unlink()
    os.mkfifo(ledger_of(folder))


def _cut(folder: Path) -> None:
    content = ledger_of(folder).read_bytes()
    ledger_of(folder).write_bytes(content[: len(content) // 2])


BROKEN: list[tuple[str, Callable[[Path], None], str]] = [
    ("no table", lambda folder: _change(folder, "DROP TABLE jobs"), "no such table"),
    ("no column", _column_gone, "no such column"),
    ("newer", lambda folder: _change(folder, "PRAGMA user_version=99"), "of version 99"),
    ("negative", lambda folder: _change(folder, "PRAGMA user_version=-1"), "of version -1"),
    (
        "an older one without its table",
        lambda f: _change(f, "DROP TABLE jobs", "PRAGMA user_version=1"),
        "jobs",
    ),
    ("a folder", _replaced(None), "is no file"),
    ("a photo", _replaced(b"\xff\xd8\xff\xe0" + bytes(5000)), "not a database"),
    ("a loop", _loop, "symbolic links"),
    ("a pipe", _pipe, "is no file"),
    ("cut", _cut, "malformed"),
]


@pytest.mark.parametrize(("change", "said"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
def test_what_lies_in_the_ledger_s_place_is_told(
    change: Callable[[Path], None],
    said: str,
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    change(output)
    with pytest.raises(OutputError, match=said):
        _use(output)
    for words in (["list"], ["show", "1"], ["retry"], ["forget", "--all"]):
        result = call(["jobs", str(output), *words], monkeypatch, capfd)
        assert result.code == 2 and "bug" not in result.err and len(result.err.splitlines()) == 1, result


@pytest.mark.parametrize("words", [["show", "99999999999999999999"], ["show", "-1"], ["retry", str(2**63)]])
def test_numbers_that_no_photo_can_have(
    words: list[str], output: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    result = call(["jobs", str(output), *words], monkeypatch, capfd)
    assert result.code == 2 and "bug" not in result.err


def test_a_ledger_that_another_program_holds_is_not_waited_for_without_end(output: Path) -> None:
    base = sqlite3.connect(ledger_of(output), isolation_level=None)
    base.execute("BEGIN IMMEDIATE")
    ledger = Ledger(output, patience=0.05)
    (job, *_) = ledger.jobs()
    with pytest.raises(OutputError, match="another program holds the ledger"):
        ledger.set(job, attempts=2)
    base.execute("ROLLBACK")
    ledger.set(job, attempts=2)
    ledger.close()
    base.close()


def test_a_damaged_ledger_ends_a_batch_and_changes_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    photo(bench.photos / "a.jpg")
    bench.run()
    _change(bench.output, "UPDATE jobs SET output=?", values=(b"../../in/a.jpg",))
    before = snapshot(bench.photos)
    with pytest.raises(OutputError, match="leads out of the folder"):
        bench.run()
    assert snapshot(bench.photos) == before


def test_a_ledger_that_is_only_looked_at_stays_as_it_is(output: Path) -> None:
    before = ledger_of(output).read_bytes()
    ledger = Ledger(output, read_only=True)
    assert len(list(ledger.jobs())) == 3
    ledger.close()
    assert ledger_of(output).read_bytes() == before


def test_a_missing_right_is_told(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    for method, ask in (("open", Ledger), ("lstat", has_ledger)):
        with monkeypatch.context() as patch:
            patch.setattr(Path, method, denied)
            with pytest.raises(OutputError, match=r"cannot be read \(Permission denied\)"):
                ask(output)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="rights are POSIX's")
@pytest.mark.parametrize("mode", [0o000, 0o500])
def test_rights_that_are_missing_are_told(mode: int, output: Path) -> None:
    """In a process that is not above rights."""
    place = output / FOLDER if mode else ledger_of(output)
    place.chmod(mode)
    ledger_of(output).chmod(0o444 if mode else 0)
    script = "from realedit.cli.main import main; import sys; sys.argv[1:] = sys.argv[1:]; main()"
    prefix = [] if os.geteuid() else ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if prefix and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("setpriv is missing")

    def jobs(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [*prefix, sys.executable, "-c", script, "jobs", str(output), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    listed, retried = jobs("list"), jobs("retry")
    place.chmod(0o700)
    assert listed.returncode == (0 if mode else 2), listed
    assert retried.returncode == 2 and "Traceback" not in retried.stderr + listed.stderr
    assert len(retried.stderr.splitlines()) == 1


def _make_old(folder: Path) -> None:
    """As the version before made it."""
    _change(
        folder,
        "DROP INDEX by_key",
        "CREATE INDEX by_key ON jobs(key)",
        "ALTER TABLE jobs DROP COLUMN scope",
        "PRAGMA user_version=1",
    )


@pytest.mark.parametrize("read_only", [True, False])
def test_an_older_ledger_is_read(read_only: bool, output: Path) -> None:
    _change(output, "UPDATE jobs SET reason='no face (as another photo of the same content)' WHERE id=2")
    _make_old(output)
    ledger = Ledger(output, read_only=read_only)
    states = [(job.state, job.scope) for job in ledger.jobs()]
    assert states == [(State.DONE, None), (State.PENDING, None), (State.PENDING, None)], "2 is tried again"
    ledger.close()
    version = sqlite3.connect(ledger_of(output)).execute("PRAGMA user_version").fetchone()
    assert version == (1 if read_only else SCHEMA,)
    ledger = Ledger(output)
    (job, *_) = ledger.jobs()
    ledger.give_up(job, State.FAILED, "no face", Scope.CONTENT)
    assert [each.scope for each in ledger.jobs(State.FAILED)] == [Scope.CONTENT]
    ledger.close()


@pytest.mark.parametrize("what", ["twin", "verdict"])
def test_a_photo_s_likes_are_found_without_looking_at_all_photos(what: str, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    asked: list[str] = []
    ledger._base.set_trace_callback(asked.append)
    (job, _) = ledger.add(Path("/in/a.jpg"), Path("a.jpg"), "1", "c", "w")
    asked.clear()
    getattr(ledger, what)(job)
    ledger._base.set_trace_callback(None)
    (plan,) = ledger._base.execute(f"EXPLAIN QUERY PLAN {asked[0]}").fetchall()
    assert "USING INDEX by_key (key=? AND state=?" in plan[3]
    ledger.close()
