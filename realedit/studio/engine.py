"""The studio's worker: it owns the model, the photos and the work, and does what the page asks, in order.

No editing logic is here: drags, recipes, inversions, pastes and files are those that `realedit.api` has for
any program. One thread takes commands and changes things; others find out what takes long (`background`) and
put it into the inbox.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from realedit.api import load_model
from realedit.api.words import drag_warnings
from realedit.errors import EXPECTED, UsageError
from realedit.studio import hand, messages
from realedit.studio.album import Album, Entry
from realedit.studio.background import Calm, Line
from realedit.studio.hand import Seen
from realedit.studio.inbox import Inbox
from realedit.studio.inversions import Inversions
from realedit.studio.messages import Commands, Configure
from realedit.studio.pictures import Pictures
from realedit.studio.settings import EngineSettings
from realedit.studio.state import described, facts
from realedit.studio.store import Store
from realedit.studio.strip import Strip
from realedit.studio.work import Label, Pair, Work

log = logging.getLogger(__name__)

Emit = Callable[[dict[str, Any], bytes | None], None]
"""Tells the server: an event, and the picture that goes with it."""


class Engine:
    """See the module. `serve` runs until the process ends."""

    def __init__(self, settings: EngineSettings, emit: Emit) -> None:
        self.settings, self.emit = settings, emit
        self.inbox, self.calm = Inbox(), Calm()
        self.model = load_model(settings.model, device=settings.device)
        self.store = Store(settings.folder)
        self.album = Album(self.store)
        desk = self.store.desk()
        self.album.load(desk.photos, self.model)
        self.shown, self.face = desk.photo, desk.face
        self.options = Configure()
        self.running: str | None = None
        line = partial(Line, threads=settings.threads, on_error=self.trouble)
        self.looking, self.slow = line("looking"), line("slow")
        self.pictures = Pictures(self, line("rendering"), line("views"))
        self.inversions = Inversions(self)
        self.strip = Strip(self)

    # what is shown

    @property
    def entry(self) -> Entry | None:
        """The photo that is shown."""
        return None if self.shown is None else self.album.entries.get(self.shown)

    @property
    def work(self) -> Work | None:
        """The work on the face that is chosen."""
        entry = self.entry
        return None if entry is None or self.face is None else entry.works.get(self.face)

    def turn_to(self, entry: Entry | None, face: int | None = None) -> None:
        """Show a photo, and work on a face of it, None: the first that was worked on. What the one before
        takes of memory is let go."""
        if self.work is not None:
            self.work.session.rest()
        self.shown = None if entry is None else entry.id
        self.face = min(entry.works, default=None) if face is None and entry is not None else face

    def tell(self) -> None:
        """Everything that the page shows, anew."""
        self.emit({"type": "state", **described(self)}, None)

    def notice(self, text: str, kind: str = "note") -> None:
        """A sentence for the person: a note, a warning or an error."""
        self.emit({"type": "notice", "kind": kind, "text": text}, None)

    def trouble(self, error: Exception) -> None:
        """Tell what went wrong."""
        self.notice(self.sentence(error), "error")

    def sentence(self, error: Exception) -> str:
        """What went wrong, for the person."""
        if isinstance(error, (*EXPECTED, ValueError, OSError)):
            return str(error)
        log.error("the studio met a bug", exc_info=error)
        return f"a bug of realedit: {type(error).__name__}: {error}"

    # the loop

    def serve(self) -> None:
        """Do what comes, one after the other."""
        self.emit({"type": "facts", **facts()}, None)
        for entry in self.album.entries.values():
            self.strip.look(entry)
        self.inversions.wanted()
        self.pictures.render()
        self.tell()
        while True:
            item = self.inbox.get()
            try:
                if callable(item):
                    item()
                else:
                    self.do(item)
            except Exception as error:  # told to the person; the worker goes on
                self.running = None
                self.trouble(error)
                self.tell()

    def do(self, command: Commands) -> None:
        """One command."""
        name = type(command).__name__.lower()
        action = getattr(self, f"_{name}", None) or getattr(self.strip, name)
        action(command)

    # drags

    def _press(self, command: messages.Press) -> None:
        entry, work = self.chosen()
        self.running = "pull"
        with self.calm.broken():
            show = self.pictures.live(entry, work)
            done = hand.pull(work, command, self.options, self.inbox, show)
        self.running = None
        if done is not None and done.history != work.session.history:
            self.set(work.changed(done, Label("Drag")), warn=len(work.session.history))
        else:
            self.tell()

    def _start(self, command: messages.Start) -> None:
        entry, work = self.chosen()
        if not work.points:
            raise UsageError(
                "there is no point to drag; Shift-click where one should begin, then where it should go"
            )
        self._check_inverted(work)
        self.running = "run"
        self.tell()
        with self.calm.broken():
            show = self.pictures.live(entry, work)
            done, points = hand.run(work, self.options, self.inbox, show)
        self.running = None
        before = len(work.session.history)
        self.set(replace(work.changed(done, Label("Points")), points=points), warn=before)

    def _apply(self, command: messages.Apply) -> None:
        entry, work = self.chosen()
        self._check_inverted(work)
        base, strength = work.before(command.recipe), command.strength
        if strength == 0:
            self.set(base)
            return
        self.running = "recipe"
        session = base.session.copy()
        with self.calm.broken():
            settings = hand.settings_of(self.options)
            dragging = session.recipe(command.recipe, strength, mask=work.mask, settings=settings)
            dragging.run()
            show = self.pictures.live(entry, base, whole=True)
            show(Seen(session.state, command.number, None))
        self.running = None
        for said in dragging.warnings:
            self.notice(said, "warning")
        label = Label(command.recipe.replace("-", " "), command.recipe, strength)
        self.set(base.changed(session, label), render=not self.inbox.newer(messages.Apply))

    def _check_inverted(self, work: Work) -> None:
        if not work.session.inverted:
            raise UsageError("the face is not in the model yet; wait a moment")

    def _stop(self, command: messages.Stop) -> None:
        """Nothing moves any more."""

    _release = _move = _stop

    # points

    def _put(self, command: messages.Put) -> None:
        _, work = self.chosen()
        if len(work.points) >= 100:
            raise UsageError("a hundred points are the most")
        self.set(replace(work, points=(*work.points, Pair(command.handle, command.target))), changed=False)

    def _aim(self, command: messages.Aim) -> None:
        _, work = self.chosen()
        points = list(work.points)
        if command.index >= len(points):
            return
        at = (command.x, command.y)
        points[command.index] = replace(points[command.index], **{command.end: at})
        self.set(replace(work, points=tuple(points)), changed=False)

    def _drop(self, command: messages.Drop) -> None:
        _, work = self.chosen()
        kept = [] if command.index is None else [p for i, p in enumerate(work.points) if i != command.index]
        self.set(replace(work, points=tuple(kept)), changed=False)

    # history

    def _undo(self, command: messages.Undo) -> None:
        self._go(-1)

    def _redo(self, command: messages.Redo) -> None:
        self._go(1)

    def _goto(self, command: messages.GoTo) -> None:
        self._go(command.at - self.chosen()[1].at)

    def _go(self, changes: int) -> None:
        """So many changes on in the history, or back."""
        entry, now = self.chosen()
        work = now.to(now.at + changes)
        if work.at != now.at:
            self.set(work, render=False)
            with self.calm.broken():
                self.pictures.flash(entry, work)
            self.pictures.render()

    # the rest

    def _configure(self, command: Configure) -> None:
        again = (command.quality, command.seed) != (self.options.quality, self.options.seed)
        self.options = command
        if again:
            self.inversions.wanted()
        self.tell()

    def _look(self, command: messages.Look) -> None:
        self.pictures.scale = command.scale

    def _unmask(self, command: messages.Unmask) -> None:
        entry, work = self.chosen()
        assert self.face is not None
        self.store.save_mask(entry.id, self.face, None)
        self.set(replace(work, mask=None), changed=False)

    def chosen(self) -> tuple[Entry, Work]:
        """The photo and the work that are meant. Raises UsageError where no face is chosen."""
        entry, work = self.entry, self.work
        if entry is None or work is None:
            raise UsageError("click a face first")
        return entry, work

    def set(self, work: Work, *, changed: bool = True, render: bool = True, warn: int | None = None) -> None:
        """The chosen face's work is this now: save, say and render it. warn: say how the drags ended from
        that one on."""
        entry = self.entry
        assert entry is not None and self.face is not None
        entry.works[self.face] = work
        self.store.save_work(entry.id, self.face, work)
        if changed:
            entry.revision += 1
        self.tell()
        if warn is not None:
            for said in drag_warnings(work.session.history[warn:]):
                self.notice(said, "warning")
        if changed and render:
            self.pictures.render()
