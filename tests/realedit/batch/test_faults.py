"""The faults of `scripts/bench faults` in short: nothing torn, lost, duplicated or changed."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from realedit.batch.ledger_file import FOLDER
from realedit.batch.running import FolderRequest, check_folders, locked, run_folder
from realedit.errors import OutputError, UsageError
from tests.realedit.batch import faults
from tests.realedit.batch.disks import forbidding, small_disk
from tests.realedit.batch.fakework import FakeWork

mounting = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0 or shutil.which("mount") is None, reason="nobody may mount here"
)


@contextmanager
def watching(watched: faults.Watched) -> Iterator[None]:
    watched.start()
    try:
        yield
    finally:
        watched.stop()


def clean(counts: dict[str, int]) -> bool:
    """Whether everything that is wanted to be 0 is."""
    return not any(value for what, value in counts.items() if not what.startswith("of "))


@pytest.fixture
def watched(tmp_path: Path) -> faults.InThread:
    return faults.InThread(tmp_path)


def test_counts_find_what_is_wrong(watched: faults.InThread) -> None:
    (watched.output / "torn.jpg").write_bytes(b"edited ha")
    (watched.output / "twice-2.jpg").write_bytes(b"edited")
    (watched.output / ".realedit-1-00").mkdir()
    counts = faults.wrong(watched, {"torn.jpg": b"edited half", "lost.jpg": b"edited"}, seconds=0.1)
    assert counts == {"torn": 1, "lost": 1, "duplicated": 1, "left behind": 1} and not clean(counts)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [("--seconds", "0.1"), ("--seconds", "0.1", "--delete"), ("--seconds", "0.1", "--together", "3")],
)
def test_sigkill_at_random_moments(words: tuple[str, ...], tmp_path: Path) -> None:
    counts = faults.kills(faults.InProcess(tmp_path, arguments=words), 3)
    assert clean(counts), counts


def test_slow_writers_are_waited_for(watched: faults.InThread) -> None:
    with watching(watched):
        assert clean(counts := faults.slow_writers(watched, 5, pauses=2, pause=0.4)), counts


def test_a_burst(watched: faults.InThread) -> None:
    watched.settle = 0.05
    with watching(watched):
        assert clean(counts := faults.burst(watched, 40)), counts


def test_a_rename_storm(watched: faults.InThread) -> None:
    watched.settle = 0.3
    with watching(watched):
        assert clean(counts := faults.rename_storm(watched, 5, settle=0.3)), counts


@mounting
def test_a_full_disk(watched: faults.InThread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realedit.batch.pressure._LAST_DELAY", 0.5)
    with small_disk(watched.output, "512k") as remount, watching(watched):
        counts = faults.full_disk(watched, 16, lambda: remount("size=16m"))
    assert clean(counts), counts
    assert counts["of written before"] < 16


def test_an_output_folder_that_turns_read_only_is_waited_for(watched: faults.InThread) -> None:
    (watched.output / FOLDER).mkdir()
    with contextlib.ExitStack() as stack:
        forbid = stack.enter_context(forbidding(watched.output, watched.output / FOLDER))
        stack.enter_context(watching(watched))
        counts = faults.read_only(watched, 10, forbid)
    assert clean(counts), counts


@mounting
def test_a_read_only_output_is_refused(watched: faults.InThread) -> None:
    with small_disk(watched.output, "1m") as remount:
        remount("ro")
        with pytest.raises(OutputError, match="no right to write"):
            check_folders(FolderRequest(folder=watched.photos, output=watched.output))


def test_vanishing_inputs(watched: faults.InThread) -> None:
    with watching(watched):
        assert clean(counts := faults.vanishing(watched, 20)), counts


@pytest.mark.parametrize("together", [1, 4])
def test_poison_of_every_kind_among_good_photos(together: int, watched: faults.InThread) -> None:
    watched.settings = faults.EngineSettings(
        once=False, poll=0.05, patience=0.2, remake=False, together=together
    )
    with watching(watched):
        assert clean(counts := faults.poison(watched, 10)), counts


def test_times_of_files_from_other_centuries(watched: faults.InThread) -> None:
    with watching(watched):
        assert clean(counts := faults.times_of_files(watched, 10)), counts


def test_a_second_daemon_is_refused(watched: faults.InThread) -> None:
    request = FolderRequest(folder=watched.photos, output=watched.output)
    with locked(watched.output):
        for _ in range(3):
            with pytest.raises(UsageError, match=f"another realedit .process {os.getpid()}"):
                run_folder(request, FakeWork(), lambda work: pytest.fail("no workers"), lambda _: None)
