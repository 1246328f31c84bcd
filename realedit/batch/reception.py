"""What is done with a photo that rests: hashed, looked up in the ledger, queued or left alone."""

import time

from realedit.batch.intake import Seen
from realedit.batch.ledger import Job, State
from realedit.batch.names import mirrored
from realedit.batch.outputs import digest
from realedit.batch.results import Results


class Reception:
    """Brings photos from the intake to the queue."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.ledger, self.outputs, self.intake = results.ledger, results.outputs, results.intake
        self.queue, self.settings, self.counts = results.queue, results.settings, results.counts
        self.forced = self.settings.existing == "force"
        self._begun: set[int] = set()  # jobs that `force` has made pending already

    def take(self, work: str, seconds: float) -> None:
        """Hash what rests and ask the ledger, for some seconds and as long as the queue has room."""
        until = time.monotonic() + seconds
        while len(self.queue) < self.settings.queue and time.monotonic() < until:
            seen = self.intake.take()
            if seen is None:
                return
            try:
                self._offer(seen, work)
            except OSError:
                self.intake.put_back(seen.path, 0.0)
                raise

    def _offer(self, seen: Seen, work: str) -> None:
        job = self.ledger.of(seen.path)
        if job is not None and job.id in self.queue.flying:
            self.intake.put_back(seen.path, 1.0)
            return
        if self.settings.existing == "skip" and (self.outputs.folder / mirrored(seen.relative)).exists():
            self._skip(job)
            return
        if job is None or job.signature != seen.signature or job.work != work:
            job = self._entered(seen, job, work)
        if job is not None:
            self._judge(job)

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
                self.counts.failed += 1
                self.results.tell("failed", text=f"cannot read {seen.path}: {error.strerror or error}")
                return None
        job, note = self.ledger.add(seen.path, seen.relative, seen.signature, content, work)
        if note:
            self.results.tell("note", job, note)
        return job

    def _judge(self, job: Job) -> None:
        """Queue a job, or leave it as it is."""
        if self.forced and job.id not in self._begun:
            self._begun.add(job.id)
            self.ledger.set(job, state=State.PENDING, attempts=0, reason=None)
            self.queue.add(job.id)
        elif job.state in (State.PENDING, State.RUNNING):
            self.queue.add(job.id)
        elif job.state is State.DONE:
            if self.settings.remake and not self.outputs.place(job).exists():
                self.ledger.set(job, state=State.PENDING, attempts=0, output_sha256=None)
                self.queue.add(job.id)
                return
            self._skip(job)
            self.results.put_away(job)
        else:
            if job.state is State.FAILED:
                self.counts.failed += 1
            else:
                self.counts.quarantined += 1
            data = {"earlier": True}
            self.results.tell(str(job.state), job, job.reason or "", data=data)

    def _skip(self, job: Job | None) -> None:
        self.counts.skipped += 1
        self.results.tell("skipped", job)
