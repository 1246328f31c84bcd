"""A chosen face on its way into the model: aligned, then a draft, then the quality that is wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from realedit.api import DragStep, Session, Step
from realedit.studio.album import Entry
from realedit.studio.background import Cancelled
from realedit.studio.work import Work

if TYPE_CHECKING:
    from realedit.studio.engine import Engine

Quality = Literal["draft", "standard", "best"]
RANK: dict[Quality, int] = {"draft": 1, "standard": 2, "best": 3}


class Inversions:
    """Sees to it that the chosen face is inverted. What nobody wants any more ends."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._under_way: tuple[str, int, Quality] | None = None
        self.progress: dict[str, object] | None = None

    def wanted(self) -> None:
        """Do the next thing that the chosen face needs; called again when it is done."""
        engine, entry, face = self._engine, self._engine.entry, self._engine.face
        if entry is None or face is None or not entry.about.faces or face >= len(entry.about.faces):
            self._under_way = self.progress = None
            return
        work = entry.works.get(face)
        quality = self._next(work)
        job = (entry.id, face, quality) if quality is not None else None
        if job == self._under_way:
            return
        self._under_way, self.progress = job, None
        if quality is None:
            return
        line = engine.slow if work is not None and work.session.inverted else engine.looking
        line.add(lambda: self._invert(entry, face, work, quality), name="invert", first=True)

    def _next(self, work: Work | None) -> Quality | None:
        """What to make next; None: nothing."""
        options = self._engine.options
        if work is None or not work.session.inverted:
            return "draft"
        session = work.session
        if session.seed == options.seed and RANK[session.quality] >= RANK[options.quality]:
            return None
        return options.quality

    def _invert(self, entry: Entry, face: int, work: Work | None, quality: Quality) -> None:
        engine, seed = self._engine, self._engine.options.seed
        job = (entry.id, face, quality)
        if work is None:
            found = Session.open(
                engine.album.photo(entry.id), face=face, quality=quality, seed=seed, model=engine.model,
                invert=False, place=engine.store.original(entry.id),
            )  # fmt: skip
            found.rest()
            if not found.inverted:  # lids and lips can be moved already
                self._put(job, lambda: self._begun(entry, face, found))
        else:
            found = work.session.copy()
        done = found
        if work is not None or not found.inverted:  # else the user's cache had it
            watch = self._watch(job, patient=work is not None)
            done = found.invert(quality=quality, seed=seed, on_step=watch)
        self._put(job, lambda: self._done(entry, face, done))

    def _watch(self, job: tuple[str, int, Quality], *, patient: bool) -> Callable[[Step | DragStep], bool]:
        """Told of every step: waits while a hand is on the face, and ends what nobody wants any more."""

        def on_step(step: Step | DragStep) -> bool:
            if patient:
                self._engine.calm.wait()
            if self._under_way != job:
                raise Cancelled
            name = getattr(step, "stage", "")
            self.progress = {"quality": job[2], "stage": name, "done": step.index, "total": step.total}
            self._engine.emit({"type": "progress", **self.progress}, None)
            return True

        return on_step

    def _put(self, job: tuple[str, int, Quality], task: Callable[[], None]) -> None:
        """For the worker's own thread, if it is wanted still."""

        def wanted() -> None:
            if self._under_way == job:
                task()

        self._engine.inbox.put(wanted)

    def _begun(self, entry: Entry, face: int, session: Session) -> None:
        if face not in entry.works:
            entry.works[face] = Work(session)
        self._engine.tell()

    def _done(self, entry: Entry, face: int, session: Session) -> None:
        engine = self._engine
        work = entry.works.get(face)
        entry.works[face] = Work(session) if work is None else work.inverted(session)
        engine.store.save_work(entry.id, face, entry.works[face])
        self._under_way = self.progress = None
        if entry.works[face].edited:
            entry.revision += 1
            engine.pictures.render()
        self.wanted()
        engine.tell()
