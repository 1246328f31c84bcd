"""What follows from what a worker says: an output put into place, another attempt, or the quarantine."""

import contextlib
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realedit.batch.events import Counts, Happening, Show
from realedit.batch.intake import Intake, signature_of
from realedit.batch.job import Job, Scope, State
from realedit.batch.ledger import Ledger, as_text
from realedit.batch.outputs import Outputs
from realedit.batch.pressure import NoRoomError
from realedit.batch.queue import Flight, Queue
from realedit.batch.settings import EngineSettings
from realedit.batch.work import BLAMED, Event, Finished, Outcome, Said, Stage, Stopped, Trouble, no_room
from realedit.errors import OutputError

log = logging.getLogger(__name__)

_AS_ANOTHER = " (as another photo of the same content)"


@dataclass
class Results:
    """Takes events one by one. An event whose handling raises OSError may be handled again."""

    ledger: Ledger
    outputs: Outputs
    intake: Intake
    queue: Queue
    settings: EngineSettings
    counts: Counts
    show: Show
    _ends: dict[int | Path, str] = field(default_factory=dict)  # by job, or by photo where there is none
    _told: set[str] = field(default_factory=set)  # what workers said that is no photo's own

    def __call__(self, event: Event) -> None:
        """Raises OSError or NoRoomError while the output or the ledger cannot be written."""
        flight = self.queue.flying.get(event.id)
        if flight is None:
            return
        if isinstance(event, Stage):
            data = {"stage": event.name, "index": event.index, "total": event.total}
            self.tell("stage", flight.job, data=data)
            return
        if isinstance(event, Said):
            self._said(flight.job, event)
            return
        job = self.ledger.job(event.id)
        if job is None:  # somebody made the ledger forget it
            self.land(flight)
        elif isinstance(event, Finished):
            self._finished(job, flight, event.outcome)
        else:
            self._stopped(job, flight, event)

    def _said(self, job: Job, event: Said) -> None:
        """Log a worker's message; what is no photo's own, once for all workers."""
        if not event.once:
            log.log(event.level, "%s: %s", job.source, event.text)
        elif event.text not in self._told:
            self._told.add(event.text)
            log.log(event.level, "%s", event.text)

    def unwritable(self, event: Event, error: OSError) -> None:
        """The file system refuses what is to be done with one event's photo, and with no other."""
        flight = self.queue.flying.get(event.id)
        job = None if flight is None else self.ledger.job(event.id)
        if flight is not None and job is not None:
            self.fail(job, f"cannot write {self.outputs.place(job)}: {error.strerror or error}", Scope.PHOTO)
        if flight is not None:
            self.queue.flying.pop(flight.job.id, None)
            with contextlib.suppress(OSError):
                self.outputs.sweep(flight.job)

    def _finished(self, job: Job, flight: Flight, outcome: Outcome) -> None:
        if outcome.content != job.content:
            self.ledger.again(job, blamed=False, reason="the photo changed while it was worked on")
            self.intake.put_back(job.source, 1.0)
            self.land(flight)
            return
        try:
            self.publish(job, flight.staged, outcome.sha256)
        except OutputError as error:
            self._blamed(job, str(error), "", Scope.PHOTO)
            self.land(flight)
            return
        self.outputs.sweep(job)  # first: what is recorded as done is not looked at again
        self.ledger.done(job, outcome.sha256, outcome.timings)
        self.land(flight)
        self.settle(job.id, "done")
        data = {"timings": dict(outcome.timings), "warnings": list(outcome.warnings)}
        self.tell("done", job, data={**data, "report": dict(outcome.report)})
        self.put_away(job)

    def publish(self, job: Job, staged: Path, sha256: str) -> None:
        """Claim, then rename: a kill between the two is recognised at the next start."""
        self.ledger.claim(job, sha256)
        self.outputs.publish(job, staged, sha256)

    def put_away(self, job: Job) -> None:
        """Do with the original of a finished job what the settings say, and clear its quarantine."""
        job = self.ledger.job(job.id) or job
        try:
            self.outputs.release(job, self.relative(job))
            if self.settings.done.mode != "keep":
                if self.outputs.put_away(job, self.relative(job), self.settings.done):
                    self.ledger.set(job, retired=1)
                else:
                    self.tell("note", job, f"{job.source} or its output changed; the original stays")
        except FileNotFoundError:
            return  # the original went away by itself
        except (OSError, OutputError) as error:
            reason = getattr(error, "strerror", None) or error
            self.tell("note", job, f"{job.source} stays where it is: {reason}")

    def _stopped(self, job: Job, flight: Flight, event: Stopped) -> None:
        trouble, reason = event.trouble, event.reason
        self.outputs.sweep(job)
        if trouble is Trouble.LOST or trouble is Trouble.OUTPUT:
            self.ledger.again(job, blamed=False, reason=reason)
            self.land(flight)
            self.queue.add(job.id, first=True)
            if trouble is Trouble.OUTPUT:
                size = job.source.stat().st_size if job.source.exists() else 0
                raise NoRoomError(reason, 2 * size)
            return
        if trouble is Trouble.GONE:
            self.drop(job)
        elif trouble in BLAMED and flight.company:
            self._again_alone(job, reason)
        elif trouble in BLAMED:
            self._blamed(job, reason, event.detail, event.scope)
        elif trouble is Trouble.UNREADABLE:
            self._unreadable(job, reason, event.scope)
        else:
            self.fail(job, reason, event.scope)
        self.land(flight)

    def _blamed(self, job: Job, reason: str, detail: str, scope: Scope) -> None:
        log.debug("%s: %s\n%s", job.source, reason, detail)
        if job.attempts >= self.settings.attempts:
            self.confine(job, reason, scope, detail)
            return
        self.ledger.again(job, blamed=True, reason=reason)
        self.queue.add(job.id)
        self.tell("retry", job, reason, data={"attempt": job.attempts})

    def _again_alone(self, job: Job, reason: str) -> None:
        """Find out whether it was this photo that a worker fell over, or one it had in hand with it."""
        self.ledger.again(job, blamed=False, reason=reason)
        self.queue.alone.add(job.id)
        self.queue.add(job.id, first=True)
        text = f"{reason}, with other photos in hand; it is tried by itself"
        self.tell("retry", job, text, data={"attempt": job.attempts - 1})

    def _unreadable(self, job: Job, reason: str, scope: Scope) -> None:
        """Quarantine what does not decode, but only when it has rested for long: it may be growing."""
        try:
            changed = signature_of(job.source.stat()) != job.signature
        except OSError:
            self.drop(job)
            return
        if changed or self.intake.rested(job.source) < self.settings.patience:
            self.ledger.again(job, blamed=False, reason=reason)
            self.intake.put_back(job.source)
            self.tell("waiting", job, f"{reason}; it may still be growing")
        else:
            self.confine(job, reason, scope)

    def confine(self, job: Job, reason: str, scope: Scope, detail: str = "") -> None:
        """Give a photo up: a copy to the quarantine."""
        facts = {"photo": str(job.source), "reason": reason, "attempts": job.attempts, "detail": detail}
        try:
            place = str(self.outputs.confine(job, self.relative(job), facts))
        except (OSError, OutputError) as error:
            if no_room(error):
                raise
            why = getattr(error, "strerror", None) or error
            place, reason = "", f"{reason}; no copy could be kept ({why})"
        self.ledger.give_up(job, State.QUARANTINED, reason, scope)
        self.settle(job.id, "quarantined")
        self.tell("quarantined", job, reason, data={"copy": place})

    def fail(self, job: Job, reason: str, scope: Scope) -> None:
        """An answer that another attempt would not change."""
        self.ledger.give_up(job, State.FAILED, reason, scope)
        self.settle(job.id, "failed")
        self.tell("failed", job, reason)

    def repeat(self, job: Job, other: Job) -> None:
        """Give a photo up for what was found of its content in another one."""
        reason = (other.reason or "").removesuffix(_AS_ANOTHER)
        reason = reason.replace(as_text(other.source), as_text(job.source)) + _AS_ANOTHER
        if other.state is State.FAILED:
            self.fail(job, reason, Scope.CONTENT)
        else:
            self.confine(job, reason, Scope.CONTENT)

    def drop(self, job: Job) -> None:
        """A photo that vanished before it was done leaves no trace; an output made of it before stays."""
        if job.output_sha256 is None:
            self.ledger.forget(job)
        else:
            self.ledger.set(job, state=State.DONE, retired=1)
        self.tell("gone", job, f"{job.source} is no longer there")

    def settle(self, which: int | Path, end: str) -> None:
        """Count the end of a photo in this run, in place of an earlier one; it waits no longer."""
        self.reopen(which)
        if isinstance(which, int):
            self.queue.discard(which)
            self.queue.alone.discard(which)
        self._ends[which] = end
        setattr(self.counts, end, getattr(self.counts, end) + 1)

    def reopen(self, which: int | Path) -> None:
        """A photo has no end yet."""
        end = self._ends.pop(which, None)
        if end is not None:
            setattr(self.counts, end, getattr(self.counts, end) - 1)

    def has_ended(self, which: int | Path) -> bool:
        """Whether a photo's end in this run was counted and told."""
        return which in self._ends

    def land(self, flight: Flight) -> None:
        """The attempt is over; what it left is removed."""
        self.outputs.sweep(flight.job)
        self.queue.flying.pop(flight.job.id, None)

    def relative(self, job: Job) -> Path:
        """Where the photo is below the input folder."""
        return job.source.relative_to(self.intake.folder)

    def tell(
        self,
        kind: str,
        job: Job | None = None,
        text: str = "",
        *,
        data: Any = None,
        photo: Path | None = None,
    ) -> None:
        """Show something, of a job or of a photo that has none."""
        self._recount()
        facts: dict[str, Any] = {"text": text, "data": data or {}, "photo": photo}
        if job is not None:
            facts |= {"id": job.id, "photo": job.source, "output": self.outputs.place(job)}
        self.show(Happening(kind=kind, counts=self.counts, **facts))

    def tell_counts(self) -> None:
        """Show how many photos wait and are in work, where that has changed since something was shown."""
        if self._recount():
            self.tell("counts")

    def _recount(self) -> bool:
        now = {
            "queued": len(self.queue),
            "running": len(self.queue.flying),
            "waiting": self.intake.restless,
            "ready": self.intake.ready,
        }
        changed = any(getattr(self.counts, name) != number for name, number in now.items())
        vars(self.counts).update(now)
        return changed
