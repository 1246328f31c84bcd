"""Real signals to the process that runs the engine, with processes as workers."""

import dataclasses
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from realedit.batch.events import Counts, Happening
from realedit.batch.job import Job, State
from realedit.batch.ledger import Ledger
from realedit.batch.local import LocalPool
from realedit.batch.running import FolderRequest, run_folder
from realedit.batch.settings import EngineSettings
from tests.realedit.batch.fake import Bench, eventually, photo
from tests.realedit.batch.fakework import FakeWork

FOREVER = 3600.0
pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of this kind are not here")


class Daemon(Bench):
    """`run_folder` in the main thread of this process, as the command runs it."""

    def run_until_signals(
        self, send: Callable[[], None], reread: Callable[[], FakeWork] | None = None
    ) -> Counts:
        """Run; `send`, which waits for its moments, sends the signals from another thread."""
        request = FolderRequest(folder=self.photos, output=self.output, settings=self.settings, events=False)
        pools: list[LocalPool] = []

        def make_pool(work: object) -> LocalPool:
            pools.append(LocalPool(work, 1, threads=1))  # type: ignore[arg-type]
            return pools[0]

        self.happenings.clear()
        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        counts = run_folder(request, self.work, make_pool, self._show, reread=reread)
        thread.join(60)
        assert not thread.is_alive() and not pools[0].pids, "workers outlive the engine"
        return counts

    def _show(self, happening: Happening) -> None:
        self.happenings.append(happening)

    def send_when(self, kind: str, number: int, times: int = 1) -> None:
        """A signal to this process; it is there only while the engine listens to it."""
        eventually(lambda: self.kinds().count(kind) >= times)
        os.kill(os.getpid(), number)

    def jobs(self) -> list[Job]:
        ledger = Ledger(self.output)
        jobs = list(ledger.jobs())
        ledger.close()
        return jobs


@contextmanager
def takes(least: float, most: float) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert least <= time.monotonic() - begun < most


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    settings = EngineSettings(once=False, poll=0.05, remake=False, time_limit=FOREVER)
    return Daemon(tmp_path, FakeWork(), settings)


def test_sigterm_requeues_what_takes_longer_than_the_grace(daemon: Daemon) -> None:
    assert EngineSettings().grace == 60
    photo(daemon.photos / "a.jpg", "hang")
    photo(daemon.photos / "b.jpg")
    daemon.settings = dataclasses.replace(daemon.settings, grace=0.5)
    with takes(0.5, 120):
        counts = daemon.run_until_signals(lambda: daemon.send_when("started", signal.SIGTERM))
    assert counts.stopped and (counts.done, counts.left) == (0, 2)
    assert {(job.state, job.attempts) for job in daemon.jobs()} == {(State.PENDING, 0)}
    assert daemon.left_behind() == 0 and daemon.outputs() == {}
    (daemon.photos / "a.jpg").write_bytes(b"photo END")
    assert Bench(daemon.folder).run().done == 2


def test_sigterm_finishes_what_is_in_work_and_takes_nothing_more(daemon: Daemon) -> None:
    for name in "abc":
        photo(daemon.photos / f"{name}.jpg")
    daemon.work = dataclasses.replace(daemon.work, seconds=0.5)
    counts = daemon.run_until_signals(lambda: daemon.send_when("started", signal.SIGTERM))
    assert counts.stopped and (counts.done, counts.left) == (1, 2)
    assert list(daemon.outputs()) == ["a.jpg"] and daemon.left_behind() == 0
    assert sorted(job.state for job in daemon.jobs()) == [State.DONE, State.PENDING, State.PENDING]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_leaves_at_once(daemon: Daemon, number: int) -> None:
    photo(daemon.photos / "a.jpg", "hang")
    daemon.settings = dataclasses.replace(daemon.settings, grace=FOREVER)

    def send() -> None:
        daemon.send_when("started", number)
        daemon.send_when("stopping", number)

    with takes(0, FOREVER / 10):
        assert daemon.run_until_signals(send).stopped
    assert [(job.state, job.attempts) for job in daemon.jobs()] == [(State.PENDING, 0)]
    assert daemon.left_behind() == 0


def test_sighup_reads_the_recipe_again(daemon: Daemon) -> None:
    photo(daemon.photos / "a.jpg")

    def send() -> None:
        daemon.send_when("done", signal.SIGHUP)
        daemon.send_when("done", signal.SIGTERM, times=2)

    counts = daemon.run_until_signals(send, reread=lambda: FakeWork("frowning"))
    assert daemon.kinds().count("reloaded") == 1 and counts.done == 1
    assert daemon.outputs() == {"a.jpg": b"frowning photo a.jpg END"}
