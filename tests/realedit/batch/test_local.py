"""Workers as processes: what dies takes nothing else down, and leaves no orphans."""

import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from realedit.batch.local import LocalPool
from realedit.batch.work import Event, Finished, Said, Stage, Stopped, Task, Trouble
from realedit.errors import CheckpointError, ResourceError
from tests.realedit.batch.fake import photo
from tests.realedit.batch.fakework import FakeWork, Unable


@pytest.fixture(scope="module")
def pool() -> Iterator[LocalPool]:
    pool = LocalPool(FakeWork(), 2, threads=1)
    assert pool.pids == []
    yield pool
    pids = pool.pids
    pool.close()
    assert not any(_alive(pid) for pid in pids)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _until_idle(pool: LocalPool, seconds: float = 600) -> list[Event]:
    events: list[Event] = []
    until = time.monotonic() + seconds
    while pool.free < 2:
        assert time.monotonic() < until
        events += pool.wait(1.0)
    return events


def _task(number: int, path: Path, seconds: float = 600) -> Task:
    folder = path.parent / f"out{number}"
    folder.mkdir()
    return Task(id=number, photo=path, output=folder / path.name, seconds=seconds)


def test_tasks_are_done_and_told(pool: LocalPool, tmp_path: Path) -> None:
    tasks = [_task(number, photo(tmp_path / f"{number}.jpg")) for number in (1, 2)]
    for task in tasks:
        pool.submit([task])
    assert pool.free == 0
    events = _until_idle(pool)
    assert {event.id for event in events if isinstance(event, Finished)} == {1, 2}
    assert {event.id for event in events if isinstance(event, Stage)} == {1, 2}
    assert tasks[0].output.read_bytes() == b"edited photo 1.jpg END"


def test_death_hanging_and_errors_take_down_their_worker_only(pool: LocalPool, tmp_path: Path) -> None:
    pool.submit([_task(1, photo(tmp_path / "crash.jpg", "crash"))])
    pool.submit([_task(2, photo(tmp_path / "hang.jpg", "hang"), seconds=0.5)])
    troubles = {e.id: e for e in _until_idle(pool) if isinstance(e, Stopped)}
    assert troubles[1].trouble is Trouble.CRASHED and "SIGSEGV" in troubles[1].reason
    assert troubles[2].trouble is Trouble.HUNG and "time limit" in troubles[2].reason
    pool.submit([_task(3, photo(tmp_path / "memory.jpg", "memory"))])
    pool.submit([_task(4, photo(tmp_path / "bug.jpg", "bug"))])
    troubles = {e.id: e for e in _until_idle(pool) if isinstance(e, Stopped)}
    assert troubles[3].trouble is Trouble.MEMORY
    assert troubles[4].trouble is Trouble.BUG and "ValueError" in troubles[4].detail
    pool.submit([_task(5, tmp_path / "nowhere.jpg")])
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(b"photo")
    pool.submit([_task(6, cut)])
    troubles = {e.id: e for e in _until_idle(pool) if isinstance(e, Stopped)}
    assert troubles[5].trouble is Trouble.GONE and troubles[6].trouble is Trouble.UNREADABLE


def test_other_work_after_the_present_task(pool: LocalPool, tmp_path: Path) -> None:
    task = _task(1, photo(tmp_path / "a.jpg"))
    pool.submit([task])
    pool.renew(FakeWork("frowning"))
    _until_idle(pool)
    later = [_task(number, photo(tmp_path / f"{number}.jpg", "photo")) for number in (2, 3)]
    for each in later:
        pool.submit([each])
    _until_idle(pool)
    assert all(each.output.read_bytes() == b"frowning photo END" for each in later)


def test_signals_of_the_terminal_do_not_reach_a_worker(pool: LocalPool, tmp_path: Path) -> None:
    pool.submit([_task(1, photo(tmp_path / "a.jpg"))])
    _until_idle(pool)
    for pid in pool.pids:
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGTERM)
    pool.submit([_task(2, photo(tmp_path / "b.jpg"))])
    assert any(isinstance(event, Finished) for event in _until_idle(pool))


def test_workers_that_cannot_start_end_the_run_with_their_error() -> None:
    broken, dying = LocalPool(Unable(False), 1, threads=1), LocalPool(Unable(True), 1, threads=1)
    try:
        with pytest.raises(CheckpointError, match="no such model"):
            _forever(broken)
        with pytest.raises(ResourceError, match="cannot start"):
            _forever(dying)
    finally:
        broken.close()
        dying.close()


def _forever(pool: LocalPool) -> None:
    until = time.monotonic() + 600
    while time.monotonic() < until:
        if pool.free:
            pool.submit([Task(id=1, photo=Path("a.jpg"), output=Path("b.jpg"), seconds=600)])
        assert all(event.trouble is Trouble.LOST for event in pool.wait(1.0) if isinstance(event, Stopped))


def test_what_is_logged_in_a_worker_is_said_with_its_photo(tmp_path: Path) -> None:
    pool = LocalPool(FakeWork(), 1, threads=1)
    try:
        pool.submit([_task(7, photo(tmp_path / "a.jpg", "warn"))])
        until, events = time.monotonic() + 600, []
        while not pool.free and time.monotonic() < until:
            events += pool.wait(1.0)
    finally:
        pool.close()
    said = [event for event in events if isinstance(event, Said)]
    assert said == [Said(7, logging.WARNING, "a warning")]
