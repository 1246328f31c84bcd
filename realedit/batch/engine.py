"""The loop that batch and watch share: look, take what rests, ask the ledger, hand out, take in.

One thread does everything here; workers are elsewhere. What cannot be written for want of room is kept and
tried again, so no result is lost to a full disk.
"""

import logging
import time
from collections import deque
from collections.abc import Callable

from realedit.batch.events import Counts, Show
from realedit.batch.handing import Handing
from realedit.batch.hints import Hints
from realedit.batch.intake import Intake
from realedit.batch.job import State
from realedit.batch.ledger import Ledger
from realedit.batch.outputs import Outputs, digest
from realedit.batch.pressure import NoRoomError, Pressure
from realedit.batch.queue import Queue
from realedit.batch.reception import Reception
from realedit.batch.results import Results
from realedit.batch.settings import EngineSettings
from realedit.batch.wake import Wake
from realedit.batch.work import Event, Pool, Work
from realedit.errors import EXPECTED, UsageError

log = logging.getLogger(__name__)

_SLICE = 0.2  # seconds of hashing between two glances at the workers


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
        self.pressure = Pressure(
            outputs, self._written, lambda kind, text: self.results.tell(kind, text=text)
        )
        self.reception = Reception(self.results, self.pressure)
        self.handing = Handing(self.results, pool, self.pressure)
        self._backlog: deque[Event] = deque()
        self._recovered = self._missing = False
        self._looked = -float("inf")
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
        if not self.settings.once:
            self.results.tell("watching", text=self._way())
        said = False
        while not self._over():
            if self.stopping and not said:
                said = True
                self.results.tell("stopping", text=f"finishing {len(self.queue.flying)} photos")
            try:
                self._turn()
            except (OSError, NoRoomError) as error:
                # a right that came back in the meantime is no reason to end
                if not (isinstance(error, PermissionError) or self.pressure.blocks(error)):
                    raise
                self.pressure.hold(error)
        self.counts.stopped = self.stopping and not self._idle()
        self._requeue()
        self.results.tell("summary")
        return self.counts

    def _way(self) -> str:
        """How files are noticed, in words."""
        how = "by events" if self.hints is not None else f"looking every {self.settings.poll:g} s"
        return f"watching {self.intake.folder} ({how})"

    def recover(self) -> None:
        """Settle what an earlier run left unfinished. May be done again."""
        self.outputs.sweep_all()
        for job in list(self.ledger.jobs(State.RUNNING)):
            place = self.outputs.place(job)
            if job.claim is not None and place.is_file() and digest(place) == job.claim:
                self.ledger.done(job, job.claim, job.timings)
            else:
                self.ledger.again(job, blamed=False, reason="interrupted")
        for job in list(self.ledger.jobs(State.PENDING)):
            if job.source.is_relative_to(self.intake.folder) and not job.source.exists():
                self.results.drop(job)
        self._recovered = True

    def _over(self) -> bool:
        if self._stop_by is not None:
            return not self.queue.flying or time.monotonic() >= self._stop_by
        return self.settings.once and self._idle()

    def _idle(self) -> bool:
        """Whether everything that was found is worked off."""
        waiting = (
            self._backlog or self.queue or self.queue.flying or self.intake.ready or self.intake.restless
        )
        return self._looked > 0 and not waiting

    def _turn(self) -> None:
        if self.pressure.held:
            self._wait_for_room()
            return
        if not self._recovered:
            self.recover()
        while self._backlog:
            self._take_in(self._backlog[0])
            self._backlog.popleft()
        self.pressure.relieve()
        if not self.stopping:
            self._renew()
            self._look()
            self.reception.take(self.work, _SLICE)
            self.handing(self.work)
            self.results.tell_counts()
        self._wait(self._patience())

    def _take_in(self, event: Event) -> None:
        """Handle an event; what the file system refuses for its photo alone ends this photo alone."""
        try:
            self.pressure.steadily(lambda: self.results(event))
        except OSError as error:
            if self.pressure.blocks(error):
                raise
            self.results.unwritable(event, error)

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

    def _due(self, age: float) -> bool:
        due = self.intake.next_due()
        if due is not None and due <= 0:
            return True
        if self.settings.once:
            return self.intake.restless > 0 and age > self.settings.poll
        if self.hints is None:
            return age > self.settings.poll
        return self.hints.read() or age > self.settings.rescan

    # ---- pressure, work, the end

    def _written(self) -> int:
        return self.counts.done + self.counts.copied

    def _wait_for_room(self) -> None:
        until = time.monotonic() + self.pressure.delay
        while not self._over() and (left := until - time.monotonic()) > 0:
            self._wait(left)
        self.pressure.look()

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
                self.queue.add(flight.job.id)
            except OSError as error:  # the next start finds it running, and settles it
                log.warning("%s is not cleared away: %s", flight.staged, error)
