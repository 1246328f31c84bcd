"""The loop that batch and watch share: look, take what rests, ask the ledger, hand out, take in.

One thread does everything here; workers are elsewhere. What cannot be written for want of room is kept and
tried again, so no result is lost to a full disk.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from realedit.batch.events import Counts, Show
from realedit.batch.hints import Hints
from realedit.batch.intake import Intake
from realedit.batch.ledger import Job, Ledger, State
from realedit.batch.outputs import Outputs, digest
from realedit.batch.queue import Flight, Queue
from realedit.batch.reception import Reception
from realedit.batch.results import NoRoomError, Results, blocked
from realedit.batch.settings import EngineSettings
from realedit.batch.wake import Wake
from realedit.batch.work import Event, Pool, Task, Work
from realedit.errors import EXPECTED, OutputError, UsageError

log = logging.getLogger(__name__)

_SLICE = 0.2  # seconds of hashing between two glances at the workers
_FIRST_DELAY, _LAST_DELAY = 0.5, 30.0  # seconds between looks for room on the disk
_PROBE = 1 << 16


class Engine:
    """Works a folder off, once or for ever. Everything it is given is the caller's to close."""

    def __init__(
        self,
        *,
        intake: Intake,
        ledger: Ledger,
        outputs: Outputs,
        pool: Pool,
        work: Work,
        settings: EngineSettings,
        show: Show,
        wake: Wake | None = None,
        hints: Hints | None = None,
        reread: Callable[[], Work] | None = None,
    ) -> None:
        """reread: the work as its recipe's file says it now, for `reload`."""
        self.intake, self.ledger, self.outputs = intake, ledger, outputs
        self.pool, self.work, self.settings = pool, work, settings
        self.wake, self.hints = wake, hints
        self.counts, self.queue = Counts(), Queue()
        self.results = Results(
            ledger, outputs, intake, self.queue, settings, self.counts, lambda happening: show(happening)
        )
        self._show = show
        self._backlog: deque[Event] = deque()
        self._room: int | None = None  # bytes that must fit before work goes on
        self._delay = _FIRST_DELAY
        self._held_at: int | None = None  # photos done when the pause was said
        self._missing = False
        self._looked = -float("inf")
        self.reception = Reception(self.results)
        self._changes = ledger.changes()
        self._stop_by: float | None = None
        self._reread, self._reload = reread, False

    # ---- what others may call, signal handlers too

    def stop(self) -> None:
        """First call: take nothing more, finish what is in work within `grace`. Second: leave at once."""
        now = time.monotonic()
        self._stop_by = now + self.settings.grace if self._stop_by is None else now
        if self.wake is not None:
            self.wake.up()

    def reload(self) -> None:
        """Read the recipe again, and go by it from the next photo on."""
        self._reload = self._reread is not None
        if self.wake is not None:
            self.wake.up()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stop_by is not None

    # ---- the loop

    def run(self) -> Counts:
        """Work until the folder is worked off, or `stop`. Raises the error with which workers cannot start,
        and OSError where a batch's folder cannot be read."""
        self.recover()
        said = False
        while not self._over():
            if self.stopping and not said:
                said = True
                self.results.tell("stopping", text=f"finishing {len(self.queue.flying)} photos")
            try:
                self._turn()
            except (OSError, NoRoomError) as error:
                # a right that came back in the meantime is no reason to end
                if not (isinstance(error, PermissionError) or self._blocked(error)):
                    raise
                self._hold(error)
        self._requeue()
        self.counts.stopped = self.stopping
        self.results.tell("summary")
        return self.counts

    def recover(self) -> None:
        """Settle what an earlier run left unfinished."""
        for job in list(self.ledger.jobs(State.RUNNING)):
            self.outputs.sweep(job)
            place = self.outputs.place(job)
            if job.claim is not None and place.is_file() and digest(place) == job.claim:
                self.ledger.done(job, job.claim, job.timings)
            else:
                self.ledger.again(job, blamed=False, reason="interrupted")
        for job in list(self.ledger.jobs(State.PENDING)):
            if job.source.is_relative_to(self.intake.folder) and not job.source.exists():
                self.results.drop(job)

    def _over(self) -> bool:
        if self._stop_by is not None:
            return not self.queue.flying or time.monotonic() >= self._stop_by
        idle = not (self._backlog or self.queue or self.queue.flying or self.intake.ready)
        return self.settings.once and idle and self._looked > 0 and not self.intake.restless

    def _turn(self) -> None:
        if self._room is not None:
            self._try_again(self._room)
            return
        while self._backlog:
            self.results(self._backlog[0])
            self._backlog.popleft()
        if self._held_at is not None and self._written() > self._held_at:
            self._held_at, self._delay = None, _FIRST_DELAY
            self.results.tell("resumed", text="there is room again")
        if not self.stopping:
            self._renew()
            self._look()
            self.reception.take(self.work.key, _SLICE)
            self._hand_out()
        self._wait(self._patience())

    def _wait(self, seconds: float) -> None:
        if self._over():
            return
        self._backlog.extend(self.pool.wait(seconds, self.wake.reader if self.wake else None))
        if self.wake is not None:
            self.wake.rest()

    def _patience(self) -> float:
        """Seconds until the loop has something to do by itself."""
        if self.intake.ready and len(self.queue) < self.settings.queue:
            return 0.0
        limits = [1.0 if self._stop_by is None else max(0.0, min(1.0, self._stop_by - time.monotonic()))]
        due = self.intake.next_due()
        if due is not None and not self.intake.ready:
            limits.append(max(due, 0.05))
        return min(limits)

    # ---- taking in

    def _look(self) -> None:
        """Look through the folder when it is time: at first, when a file is due, when events say so, and from
        time to time; never so often that looking is most of the work."""
        changes = self.ledger.changes()
        if changes != self._changes:
            self._changes = changes
            self.intake.offer_again()
            self._looked = min(self._looked, 0.0)
        now = time.monotonic()
        age = now - self._looked
        if self._looked > 0 and (self.intake.ready or age < max(0.05, 5 * self.intake.took)):
            return
        if self._looked > 0 and not self._due(age):
            return
        try:
            self.intake.look()
        except OSError as error:
            if self.settings.once:
                raise UsageError(f"cannot read {self.intake.folder}: {error.strerror or error}") from error
            if not self._missing:
                self.results.tell("note", text=f"cannot read {self.intake.folder} ({error}); waiting for it")
            self._missing = True
        else:
            self._missing = False
            self.counts.found = max(self.counts.found, self.intake.found)
        self._looked = now
        self.counts.waiting = self.intake.restless

    def _due(self, age: float) -> bool:
        due = self.intake.next_due()
        if due is not None and due <= 0:
            return True
        if self.settings.once:
            return self.intake.restless > 0 and age > self.settings.poll
        if self.hints is None:
            return age > self.settings.poll
        return self.hints.read() or age > self.settings.rescan

    # ---- handing out

    def _hand_out(self) -> None:
        """Give free workers tasks. A photo whose content is being worked on waits for that result."""
        for _ in range(len(self.queue)):
            if not self.pool.free:
                return
            number = self.queue.pop()
            job = self.ledger.job(number)
            if job is None or job.state is not State.PENDING or job.work != self.work.key:
                continue  # somebody changed the ledger, or the recipe was read again
            if self.queue.busy(job.key):
                self.queue.add(number)
                continue
            try:
                self._begin_allowed(job)
            except OSError as error:
                if self._blocked(error):
                    self.queue.add(number, first=True)
                    raise
                self.results.fail(job, f"cannot write {self.outputs.place(job)}: {error.strerror or error}")

    def _begin_allowed(self, job: Job) -> None:
        """Begin; twice where a right was missing that is there by the time the disk is asked."""
        try:
            self._begin(job)
        except PermissionError as error:
            if self._blocked(error):
                raise
            self._begin(job)

    def _begin(self, job: Job) -> None:
        if job.key in self.queue.verdicts:
            state, reason = self.queue.verdicts[job.key]
            reason = f"{reason} (as another photo of the same content)"
            self.results.confine(job, reason, "") if state is State.QUARANTINED else self.results.fail(
                job, reason
            )
            return
        if not self.reception.forced and self.outputs.is_foreign(job):
            self.results.fail(
                job,
                f"{self.outputs.place(job)} exists and was not made here; --skip-existing keeps it, "
                "--force replaces it",
            )
            return
        staged = self.outputs.stage(job)
        twin = None if self.reception.forced else self.ledger.twin(job)
        if twin is not None and self.outputs.copy(twin, staged):
            self._copied(job, twin, staged)
            return
        job = self.ledger.start(job)
        self.queue.flying[job.id] = Flight(job, staged)
        self.pool.submit(Task(id=job.id, photo=job.source, output=staged, seconds=self.settings.time_limit))
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
        self.counts.copied += 1
        self.results.tell("copied", job, data={"of": str(twin.output)})
        self.results.put_away(job)

    # ---- pressure, work, the end

    def _blocked(self, error: Exception) -> bool:
        return blocked(error, lambda: self.outputs.probe(_PROBE))

    def _written(self) -> int:
        return self.counts.done + self.counts.copied

    def _hold(self, error: Exception) -> None:
        """Wait for room; said once until a photo was written again."""
        self._room = max(_PROBE, getattr(error, "size", 0))
        if self._held_at is None:
            self._held_at = self._written()
            self.results.tell("paused", text=f"waiting for room: {error}")

    def _try_again(self, room: int) -> None:
        until = time.monotonic() + self._delay
        while not self._over() and (left := until - time.monotonic()) > 0:
            self._wait(left)
        self._delay = min(_LAST_DELAY, 2 * self._delay)
        if self.outputs.probe(room):
            self._room = None

    def _renew(self) -> None:
        """Do what `reload` asked for."""
        if not self._reload or self._reread is None:
            return
        self._reload = False
        try:
            work = self._reread()
        except EXPECTED as error:
            self.results.tell("note", text=f"{error}; going on with the recipe as it was")
            return
        if work.key == self.work.key:
            return
        self.work = work
        self.queue.verdicts.clear()
        self.pool.renew(work)
        self.intake.offer_again()
        self._looked = min(self._looked, 0.0)
        self.results.tell("reloaded", text="the recipe was read again")

    def _requeue(self) -> None:
        """Give up what is still with workers; the next run begins it again."""
        if not self.queue.flying:
            return
        self.pool.close()
        for flight in list(self.queue.flying.values()):
            try:
                self.ledger.again(
                    self.ledger.job(flight.job.id) or flight.job, blamed=False, reason="interrupted"
                )
                self.results.land(flight)
            except OSError as error:  # the next start finds it running, and settles it
                log.warning("%s is not cleared away: %s", flight.staged, error)
