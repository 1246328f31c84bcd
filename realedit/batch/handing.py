"""Whose turn it is: a photo goes to a free worker, or is settled without one where its answer is known."""

from pathlib import Path

from realedit.batch.job import Job, State
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
        for _ in range(len(self.queue)):
            if not self.pool.free:
                return
            job = self.ledger.job(self.queue.first)
            if job is None or job.state is not State.PENDING or job.work != work.key:
                self.queue.pop()  # somebody changed the ledger, or the recipe was read again
            elif self.queue.busy(job.key):
                self.queue.add(self.queue.pop())
            else:
                self._begin_or_fail(job, work)
                self.queue.discard(job.id)

    def _begin_or_fail(self, job: Job, work: Work) -> None:
        try:
            self._begin_allowed(job, work)
        except OSError as error:
            if self.pressure.blocks(error):
                raise
            self.results.fail(job, f"cannot write {self.outputs.place(job)}: {error.strerror or error}")

    def _begin_allowed(self, job: Job, work: Work) -> None:
        """Begin; twice where a right was missing that is there by the time the disk is asked."""
        try:
            self._begin(job, work)
        except PermissionError as error:
            if self.pressure.blocks(error):
                raise
            self._begin(job, work)

    def _begin(self, job: Job, work: Work) -> None:
        if job.key in self.queue.verdicts:
            state, reason = self.queue.verdicts[job.key]
            reason = f"{reason} (as another photo of the same content)"
            give_up = self.results.fail if state is State.FAILED else self.results.confine
            give_up(job, reason)
            return
        if not self.forced and self.outputs.is_foreign(job):
            self.results.fail(
                job,
                f"{self.outputs.place(job)} exists and is not, or no longer, what realedit made; "
                "--skip-existing keeps it, --force replaces it",
            )
            return
        staged = self.outputs.stage(job)
        twin = None if self.forced else self.ledger.twin(job)
        if twin is not None and self.outputs.copy(twin, staged, work.beside):
            self._copied(job, twin, staged)
            return
        job = self.ledger.start(job)
        self.queue.flying[job.id] = Flight(job, staged)
        self.queue.discard(job.id)
        self.pool.submit(
            Task(id=job.id, photo=job.source, output=staged, seconds=self.results.settings.time_limit)
        )
        self.results.tell("started", job)

    def _copied(self, job: Job, twin: Job, staged: Path) -> None:
        assert twin.output_sha256 is not None
        try:
            self.results.publish(job, staged, twin.output_sha256)
        except OutputError as error:
            self.results.fail(job, str(error))
            self.outputs.sweep(job)
            return
        self.outputs.sweep(job)
        self.ledger.done(job, twin.output_sha256, {}, f"copied from {twin.output}")
        self.results.settle(job.id, "copied")
        self.results.tell("copied", job, data={"of": str(twin.output)})
        self.results.put_away(job)
