"""The filmstrip's commands: photos come in, are looked through for faces, shown and taken away."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import msgspec
import numpy as np

from realedit import api
from realedit.api import Photo
from realedit.errors import EXPECTED, UsageError
from realedit.studio import messages
from realedit.studio.album import Entry, look_for_faces
from realedit.studio.pictures import Answered
from realedit.studio.store import Desk, FoundFace

if TYPE_CHECKING:
    from realedit.studio.engine import Engine

_TROUBLE: tuple[type[Exception], ...] = (*EXPECTED, OSError, ValueError)


class Strip:
    """See the module; a part of the engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, source: bytes, name: str, answer: Answered[str]) -> None:
        """A photo from its bytes; the answer is its id, or that it cannot be read."""

        def job() -> None:
            try:
                photo = api.open(source)
            except Exception as error:
                failed = error

                def wrong() -> str:
                    raise failed

                answer(wrong)
                return
            self._engine.inbox.put(lambda: answer(lambda: self._added(photo, source, name)))

        threading.Thread(target=job, name="reading", daemon=True).start()

    def _added(self, photo: Photo, source: bytes, name: str) -> str:
        entry = self._engine.album.add(photo, source, name)
        self.look(entry)
        if self._engine.work is None or not self._engine.work.edited or self._engine.entry is entry:
            self.show(messages.Show(entry.id))
        else:
            self.remember()
            self._engine.tell()
        return entry.id

    def mask(self, photo: str, face: int, source: bytes, answer: Answered[bool]) -> None:
        """What a person painted: white may move. The answer is whether anything is white."""
        self._engine.inbox.put(lambda: answer(lambda: self._masked(photo, face, source)))

    def _masked(self, photo: str, face: int, source: bytes) -> bool:
        entry, work = self._engine.chosen()
        if (entry.id, self._engine.face) != (photo, face):
            raise UsageError("the mask is of another face")
        painted = np.asarray(api.open(source).image)[..., 0]
        size = entry.about.size
        whole = cv2.resize(np.ascontiguousarray(painted), size, interpolation=cv2.INTER_LINEAR)
        mask = np.where(whole >= 128, 255, 0).astype(np.uint8) if (whole >= 128).any() else None
        self._engine.store.save_mask(entry.id, face, mask)
        self._engine.set(replace(work, mask=mask), changed=False)
        return mask is not None

    def look(self, entry: Entry) -> None:
        """Look for its faces, where that was not done."""
        if entry.about.faces is not None or entry.looking:
            return
        entry.looking = True

        def job() -> None:
            found: list[FoundFace] = []
            error: str | None = None
            try:
                found = look_for_faces(self._engine.album.photo(entry.id), self._engine.model)
            except _TROUBLE as problem:
                error = str(problem)

            def done() -> None:
                entry.looking, entry.error = False, error
                entry.about = msgspec.structs.replace(entry.about, faces=found)
                if entry.id in self._engine.album.entries and error is None:
                    self._engine.store.save_photo(entry.id, entry.about)
                self._engine.tell()

            self._engine.inbox.put(done)

        self._engine.looking.add(job, first=entry.id == self._engine.shown)

    def show(self, command: messages.Show) -> None:
        """Another photo."""
        entry = self._engine.album.entries.get(command.photo)
        if entry is None:
            raise UsageError("this photo is no longer in the studio")
        self._engine.turn_to(entry)
        self.remember()
        self._engine.inversions.wanted()
        self._engine.pictures.render()
        self._engine.tell()

    def close(self, command: messages.Close) -> None:
        """One photo less."""
        self._engine.album.remove(command.photo)
        if self._engine.shown == command.photo:
            self._engine.turn_to(next(iter(self._engine.album.entries.values()), None))
        self.remember()
        self._engine.inversions.wanted()
        self._engine.tell()

    def choose(self, command: messages.Choose) -> None:
        """Another face."""
        entry = self._engine.album.entries.get(command.photo)
        if entry is None or command.face >= len(entry.about.faces or ()):
            raise UsageError("there is no such face")
        self._engine.turn_to(entry, command.face)
        self.remember()
        self._engine.inversions.wanted()
        self._engine.tell()

    def remember(self) -> None:
        """Keep what is shown."""
        self._engine.store.save_desk(
            Desk(list(self._engine.album.entries), self._engine.shown, self._engine.face)
        )
