"""The photos of the filmstrip: read, with the faces that were found and what was done to each."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field

from realedit import api
from realedit.api import Model, Photo, Result, align, together
from realedit.studio.store import FoundFace, PhotoFile, Store
from realedit.studio.work import Work

OPEN = 3  # photos whose pixels are kept


@dataclass(eq=False)
class Entry:
    """One photo. revision counts what was changed in it, rendered what of it is shown: `result`."""

    id: str
    about: PhotoFile
    works: dict[int, Work] = field(default_factory=dict)
    error: str | None = None
    looking: bool = False
    revision: int = 0
    rendered: int = 0
    result: Photo | None = None


class Album:
    """The photos, in order. Read in any thread; `entries` is changed by the worker's own alone."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.entries: dict[str, Entry] = {}
        self._photos: dict[str, Photo] = {}
        self._lock = threading.Lock()

    def add(self, photo: Photo, source: bytes, name: str) -> Entry:
        """A photo, and its file's bytes; the same content is the entry that is there."""
        for entry in self.entries.values():
            if entry.about.sha256 == photo.sha256:
                return entry
        id_ = secrets.token_hex(12)
        about = PhotoFile(name, photo.sha256, photo.size)
        self.store.add(id_, source, about)
        self._keep(id_, photo)
        self.entries[id_] = Entry(id_, about)
        return self.entries[id_]

    def load(self, ids: list[str], model: Model) -> None:
        """What the store has."""
        for id_ in ids:
            about = self.store.photo(id_)
            if about is None:
                continue
            entry = Entry(id_, about)
            for face in self.store.faces(id_):
                work = self.store.work(id_, face, model)
                if work is not None:
                    entry.works[face] = work
            entry.revision = int(any(work.edited for work in entry.works.values()))
            self.entries[id_] = entry

    def photo(self, id_: str) -> Photo:
        """The photo as it came. Raises PhotoError where it cannot be read any more."""
        with self._lock:
            found = self._photos.get(id_)
        if found is None:
            found = api.open(self.store.original(id_).read_bytes())
            landmarks = [each.landmarks for each in self.entries[id_].about.faces or ()]
            if landmarks and all(landmarks):
                found = found.with_faces(landmarks)
        self._keep(id_, found)
        return found

    def result(self, id_: str) -> Photo:
        """The photo as it was rendered last."""
        entry = self.entries[id_]
        return entry.result or self.photo(id_)

    def remove(self, id_: str) -> None:
        """Forget a photo."""
        self.entries.pop(id_, None)
        with self._lock:
            self._photos.pop(id_, None)
        self.store.remove(id_)

    def _keep(self, id_: str, photo: Photo) -> None:
        with self._lock:
            self._photos.pop(id_, None)
            self._photos[id_] = photo
            for old in list(self._photos)[:-OPEN]:
                del self._photos[old]
                if old in self.entries:
                    self.entries[old].result, self.entries[old].rendered = None, 0


def look_for_faces(photo: Photo, model: Model) -> list[FoundFace]:
    """The faces of a photo, from left to right; none is no error. For a model that draws no faces its largest
    centred square, without landmarks."""
    if not model.of_faces:
        return [FoundFace(0, [], align(photo, model=model).square)]
    return [
        FoundFace(face.index, [(float(x), float(y)) for x, y in face.landmarks], face.square)
        for face in photo.faces
    ]


def pasted(photo: Photo, works: dict[int, Work], *, but: int | None = None) -> Result | None:
    """The photo with all that is in effect in its faces, from left to right; None where nothing is. but: a
    face to leave out."""
    sessions = [works[face].session.copy() for face in sorted(works) if works[face].edited and face != but]
    return together(sessions, photo=photo) if sessions else None
