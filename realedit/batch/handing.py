"""Whose turn it is: photos go to a free worker, or are settled without one where their answer is known."""

import contextlib
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from realedit.batch.job import Job, Scope, State
from realedit.batch.pressure import Pressure
from realedit.batch.queue import Flight
from realedit.batch.results import Results
from realedit.batch.work import Pool, Task, Work
from realedit.errors import OutputError


class Handing:
    """Takes photos from the queue. One that cannot be begun for want of room stays the first in it."""

    def __init__(self, results: Results, pool: Pool, pressure: Pressure) -> None:
        self.results, self.pool, self.pressure = results, pool, pressure
        self.ledger, self.outputs, self.queue = results.ledger, results.outputs, results.queue
        self.forced = results.settings.existing == "force"

    def __call__(self, work: Work) -> None:
        """Give free workers tasks. A photo whose content is being worked on waits for that result. Raises
        OSError while nothing can be written."""
        while self.pool.free and self._hand(work):
            pass

    def _hand(self, work: Work) -> int:
        """Give one worker what it may have at once; how many photos that was."""
        tasks: list[Task] = []
        most = min(self.results.settings.together, math.ceil(len(self.queue) / self.pool.workers))
        try:
            for _ in range(len(self.queue)):
                job = self.ledger.job(self.queue.first)
                if job is None or job.state is not State.PENDING or job.work != work.key:
                    self.queue.pop()  # somebody changed the ledger, or the recipe was read again
                    continue
                if self.queue.busy(job.key):
                    self.queue.add(self.queue.pop())
                    continue
                alone = job.id in self.queue.alone
                if tasks and alone:
                    break
                tasks += self._begin_or_fail(job, work)
                if tasks and (alone or len(tasks) >= most):
                    break
        finally:
            if tasks:
                self._submit(tasks)
        return len(tasks)

    def _submit(self, tasks: Sequence[Task]) -> None:
        flying = self.queue.flying
        flying |= {task.id: replace(flying[task.id], company=len(tasks) > 1) for task in tasks}
        self.pool.submit(tasks)
        for task in tasks:
            self.results.tell("started", flying[task.id].job)

    def _begin_or_fail(self, job: Job, work: Work) -> list[Task]:
        """What a worker has to do for the job, unless it is settled here."""
        try:
            return self.pressure.steadily(lambda: self._begin(job, work))
        except OSError as error:
            if self.pressure.blocks(error):
                raise
            reason = f"cannot write {self.outputs.place(job)}: {error.strerror or error}"
        except OutputError as error:
            reason = str(error)
        with contextlib.suppress(OSError):
            self.outputs.sweep(job)
        self.results.fail(job, reason, Scope.PHOTO)
        return []

    def _begin(self, job: Job, work: Work) -> list[Task]:
        if (other := self.ledger.verdict(job)) is not None:
            self.results.repeat(job, other)
            return []
        if not self.forced and self.outputs.is_foreign(job):
            raise OutputError(
                f"{self.outputs.place(job)} exists and is not, or no longer, what realedit made; "
                "--skip-existing keeps it, --force replaces it"
            )
        staged = self.outputs.stage(job)
        twin = None if self.forced else self.ledger.twin(job)
        if twin is not None and self.outputs.copy(twin, staged, work.beside):
            self._copied(job, twin, staged)
            return []
        job = self.ledger.start(job)
        self.queue.flying[job.id] = Flight(job, staged)
        self.queue.discard(job.id)
        return [Task(id=job.id, photo=job.source, output=staged, seconds=self.results.settings.time_limit)]

    def _copied(self, job: Job, twin: Job, staged: Path) -> None:
        assert twin.output_sha256 is not None
        self.results.publish(job, staged, twin.output_sha256)
        self.outputs.sweep(job)
        self.ledger.done(job, twin.output_sha256, {}, f"copied from {twin.output}")
        self.results.settle(job.id, "copied")
        self.results.tell("copied", job, data={"of": str(twin.output)})
        self.results.put_away(job)
