"""Photos that are handed to one worker together: what they share, and who is blamed."""

import dataclasses
from pathlib import Path

import pytest

from realedit.batch.ledger import Ledger
from realedit.batch.local import LocalPool
from realedit.batch.settings import EngineSettings
from realedit.batch.work import Event, Finished, Stopped, Task, Trouble
from tests.realedit.batch.fake import Bench, InlinePool, photo
from tests.realedit.batch.fakework import FakeWork


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, settings=EngineSettings(together=4))


def shared(bench: Bench) -> list[int]:
    """The sizes of the groups that shared something."""
    log = bench.log.with_suffix(".shared")
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def attempts(bench: Bench) -> dict[str, int]:
    ledger = Ledger(bench.output)
    found = {job.source.name: job.attempts for job in ledger.jobs()}
    ledger.close()
    return found


def test_photos_are_handed_out_in_groups_that_leave_no_worker_idle(bench: Bench) -> None:
    for number in range(10):
        photo(bench.photos / f"{number}.jpg")
    assert bench.run(pool=InlinePool(bench.work, slots=2)).done == 10
    assert shared(bench) == [4, 3, 2], "and the last one was by itself"
    assert len(bench.computed) == 10


def test_equal_photos_are_not_handed_out_together(bench: Bench) -> None:
    for number in range(3):
        photo(bench.photos / f"{number}.jpg", "the same")
    counts = bench.run(pool=InlinePool(bench.work, slots=1))
    assert (counts.done, counts.copied) == (1, 2) and shared(bench) == []


@pytest.mark.parametrize("word", ["crash", "hang", "memory", "bug"])
@pytest.mark.parametrize("where", ["shared", "by itself"])
def test_only_what_fails_alone_is_blamed(bench: Bench, word: str, where: str) -> None:
    good = {path.name for path in (photo(bench.photos / f"{number}.jpg") for number in range(9))}
    poison = photo(bench.photos / "1-poison.jpg", f"{word} {where}")
    counts = bench.run(pool=InlinePool(bench.work, slots=1))
    assert (counts.done, counts.quarantined) == (9, 1)
    counted = attempts(bench)
    assert counted.pop(poison.name) == 3
    assert set(counted) == good and set(counted.values()) == {1}
    assert len(bench.computed) == 9, "what was finished before the others fell is not done again"
    assert bench.left_behind() == 0


def test_a_photo_that_failed_in_company_by_chance_is_not_blamed_at_all(bench: Bench) -> None:
    photo(bench.photos / "a.jpg", "once")
    photo(bench.photos / "b.jpg")
    assert bench.run(pool=InlinePool(bench.work, slots=1)).done == 2
    assert bench.kinds().count("retry") == 2, "neither could be told from the other"
    assert attempts(bench) == {"a.jpg": 1, "b.jpg": 1}


def test_what_cannot_be_done_side_by_side_is_done_by_itself(bench: Bench) -> None:
    photo(bench.photos / "a.jpg", "large")
    photo(bench.photos / "b.jpg")
    assert bench.run(pool=InlinePool(bench.work, slots=1)).done == 2
    assert bench.kinds().count("retry") == 0 and shared(bench) == []


def test_a_photo_that_cannot_be_read_does_not_hold_up_its_group(bench: Bench) -> None:
    (bench.photos / "cut.jpg").write_bytes(b"photo")
    for number in range(3):
        photo(bench.photos / f"{number}.jpg")
    counts = bench.run(pool=InlinePool(bench.work, slots=1))
    assert (counts.done, counts.quarantined) == (3, 1) and shared(bench) == [3]


def test_an_interrupted_group_goes_on_without_blame(bench: Bench) -> None:
    for number in range(4):
        photo(bench.photos / f"{number}.jpg")
    engine = bench.engine(pool=InlinePool(bench.work, slots=1))
    engine._look()
    engine.reception.take(bench.work, 1)
    engine.handing(bench.work)
    engine._requeue()
    engine.ledger.close()
    assert set(attempts(bench).values()) == {0} and bench.left_behind() == 0
    assert bench.run().done == 4


def test_a_full_disk_in_the_middle_of_a_group(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    for number in range(4):
        photo(bench.photos / f"{number}.jpg")
    stage, calls = type(bench.engine().outputs).stage, []

    def full(self, job):  # type: ignore[no-untyped-def]
        calls.append(job.id)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "full")
        return stage(self, job)

    monkeypatch.setattr("realedit.batch.outputs.Outputs.stage", full)
    monkeypatch.setattr("realedit.batch.pressure._LAST_DELAY", 0.05)
    assert bench.run(pool=InlinePool(bench.work, slots=1)).done == 4
    assert bench.kinds().count("paused") == 1 and shared(bench) == [2, 2]
    assert len(bench.computed) == 4 and set(attempts(bench).values()) == {1}


class TestProcesses:
    """The same with a process as the worker."""

    @pytest.fixture
    def pool(self) -> LocalPool:
        return LocalPool(FakeWork(seconds=0.3), 1, threads=1)

    def tasks(self, folder: Path, words: list[str], seconds: float) -> list[Task]:
        made = []
        for number, word in enumerate(words):
            path = photo(folder / f"{number}.jpg", f"{word} {number}")
            output = folder / f"out{number}" / path.name
            output.parent.mkdir()
            made.append(Task(id=number, photo=path, output=output, seconds=seconds))
        return made

    def ends(self, pool: LocalPool) -> dict[int, Event]:
        found: dict[int, Event] = {}
        while not pool.free:
            found |= {each.id: each for each in pool.wait(60) if isinstance(each, Finished | Stopped)}
        return found

    def test_time_limits_and_deaths_are_the_group_s(self, pool: LocalPool, tmp_path: Path) -> None:
        try:
            pool.submit(self.tasks(tmp_path / "slow", ["photo"] * 5, 1.2))  # 1.5 s in all
            assert {type(each) for each in self.ends(pool).values()} == {Finished}
            pool.submit(self.tasks(tmp_path / "crash", ["photo", "crash", "photo"], 60))
            ends = self.ends(pool)
            troubles = {number: each.trouble for number, each in ends.items() if isinstance(each, Stopped)}
            assert troubles == {1: Trouble.CRASHED, 2: Trouble.CRASHED} and isinstance(ends[0], Finished)
            pool.submit(self.tasks(tmp_path / "hang", ["photo", "hang", "photo"], 1.2))
            ends = self.ends(pool)
            troubles = {number: each.trouble for number, each in ends.items() if isinstance(each, Stopped)}
            assert troubles == {1: Trouble.HUNG, 2: Trouble.HUNG} and isinstance(ends[0], Finished)
        finally:
            pool.close()

    def test_a_worker_short_of_memory_is_replaced_after_its_group(
        self, pool: LocalPool, tmp_path: Path
    ) -> None:
        try:
            pool.submit(self.tasks(tmp_path / "memory", ["memory", "photo"], 60))
            before = pool.pids
            ends = self.ends(pool)
            assert isinstance(ends[0], Stopped) and ends[0].trouble is Trouble.MEMORY
            assert isinstance(ends[1], Finished) and pool.pids != before
        finally:
            pool.close()


def test_without_together_every_photo_is_by_itself(bench: Bench) -> None:
    bench.settings = dataclasses.replace(bench.settings, together=1)
    for number in range(5):
        photo(bench.photos / f"{number}.jpg")
    assert bench.run().done == 5 and shared(bench) == []
