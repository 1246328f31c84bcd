"""What is done with a photo that rests: hashed, looked up in the ledger, queued or left alone."""

import time
from pathlib import Path
from typing import Any

from realedit.batch.intake import Seen
from realedit.batch.job import Job, State
from realedit.batch.names import mirrored
from realedit.batch.outputs import digest
from realedit.batch.pressure import Pressure
from realedit.batch.results import Results
from realedit.batch.work import Work


class Reception:
    """Brings photos from the intake to the queue."""

    def __init__(self, results: Results, pressure: Pressure) -> None:
        self.results, self.pressure = results, pressure
        self.ledger, self.outputs, self.intake = results.ledger, results.outputs, results.intake
        self.queue, self.settings = results.queue, results.settings
        self.forced = self.settings.existing == "force"
        self._begun: set[int] = set()  # jobs that `force` has made pending already

    def take(self, work: Work, seconds: float) -> None:
        """Hash what rests and ask the ledger, for some seconds and as long as the queue has room."""
        until = time.monotonic() + seconds
        while len(self.queue) < self.settings.queue and time.monotonic() < until:
            seen = self.intake.take()
            if seen is None:
                return
            self._offer_or_refuse(seen, work)

    def _offer_or_refuse(self, seen: Seen, work: Work) -> None:
        try:
            self.pressure.steadily(lambda: self._offer(seen, work))
        except OSError as error:
            if self.pressure.blocks(error):
                self.intake.put_back(seen.path, 0.0)
                raise
            self._refuse(seen.path, f"{seen.path} cannot be edited: {error.strerror or error}")

    def _offer(self, seen: Seen, work: Work) -> None:
        job = self.ledger.of(seen.path)
        if job is not None and job.id in self.queue.flying:
            self.intake.put_back(seen.path, 1.0)
            return
        if self.settings.existing == "skip" and self._has_output(seen, job):
            self._skip(job, seen.path)
            return
        if job is None or job.signature != seen.signature or job.work != work.key:
            job = self._entered(seen, job, work.key)
        if job is not None:
            self._judge(job, work)

    def _has_output(self, seen: Seen, job: Job | None) -> bool:
        """Whether the output of a photo is there, known to the ledger or not."""
        if job is not None:
            return self.outputs.place(job).exists()
        wanted = mirrored(seen.relative)
        return (self.outputs.folder / wanted).exists() and self.ledger.owner(wanted) is None

    def _entered(self, seen: Seen, job: Job | None, work: str) -> Job | None:
        """The job of a file whose content, or whose work, is new to the ledger."""
        if job is not None and job.signature == seen.signature:
            content = job.content
        else:
            try:
                content = digest(seen.path)
            except FileNotFoundError:
                return None
            except OSError as error:
                self._refuse(seen.path, f"cannot read {seen.path}: {error.strerror or error}")
                return None
        self.results.reopen(seen.path)
        job, note = self.ledger.add(seen.path, seen.relative, seen.signature, content, work)
        if note:
            self.results.tell("note", job, note)
        return job

    def _judge(self, job: Job, work: Work) -> None:
        """Queue a job, or leave it as it is."""
        if self.forced and job.id not in self._begun:
            self._begun.add(job.id)
            self._queue(job, anew=True)
        elif job.state in (State.PENDING, State.RUNNING):
            self._queue(job)
        elif job.state is State.DONE:
            if self.settings.remake and not self.outputs.place(job).exists():
                self._queue(job, anew=True, output_sha256=None)
            elif self.settings.remake and self._lacks_company(job, work):
                self._queue(job, anew=True)
            else:
                self._skip(job, job.source)
                self.results.put_away(job)
        elif not self.results.has_ended(job.id):
            self.results.settle(job.id, str(job.state))
            self.results.tell(str(job.state), job, job.reason or "", data={"earlier": True})

    def _refuse(self, photo: Path, reason: str) -> None:
        """A photo that cannot come into the ledger."""
        self.results.settle(photo, "failed")
        self.results.tell("failed", None, reason, photo=photo)

    def _queue(self, job: Job, *, anew: bool = False, **values: Any) -> None:
        """A job waits for its turn; anew: whatever came of it before, and with `values` that are new."""
        if anew:
            self.ledger.retry(job, **values)
        self.results.reopen(job.id)
        self.queue.add(job.id)

    def _lacks_company(self, job: Job, work: Work) -> bool:
        """Whether comparisons are wanted now that were not made beside an output."""
        missing = not all(path.exists() for path in work.beside(self.outputs.place(job)))
        return missing and not self.outputs.is_foreign(job)

    def _skip(self, job: Job | None, photo: Path) -> None:
        which = photo if job is None else job.id
        if not self.results.has_ended(which):
            self.results.settle(which, "skipped")
            self.results.tell("skipped", job, photo=photo)
