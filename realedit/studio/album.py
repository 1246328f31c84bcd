"""The photos of the filmstrip: read, with the faces that were found and what was done to each."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alignment import find_faces
from checkpoints import Checkpoint
from inversion import InversionSettings
from realedit.editing import sliding, stages
from realedit.editing.request import model_reference
from realedit.geometry.cropping import crop_of, square_without_face
from realedit.photos import MAX_PIXELS, Photo, read_photo
from realedit.sessions.session import Session
from realedit.sessions.stored import Square
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

    def add(self, photo: Photo, name: str) -> Entry:
        """A photo; the same content is the entry that is there."""
        for entry in self.entries.values():
            if entry.about.sha256 == photo.sha256:
                return entry
        id_ = secrets.token_hex(12)
        about = PhotoFile(name, photo.sha256, (photo.width, photo.height))
        self.store.add(id_, photo.source, about)
        self._keep(id_, photo)
        self.entries[id_] = Entry(id_, about)
        return self.entries[id_]

    def load(self, ids: list[str]) -> None:
        """What the store has."""
        for id_ in ids:
            about = self.store.photo(id_)
            if about is None:
                continue
            entry = Entry(id_, about)
            for face in self.store.faces(id_):
                work = self.store.work(id_, face)
                if work is not None:
                    entry.works[face] = work
            entry.revision = int(any(work.edited for work in entry.works.values()))
            self.entries[id_] = entry

    def photo(self, id_: str) -> Photo:
        """The photo as it came. Raises PhotoError where it cannot be read any more."""
        with self._lock:
            found = self._photos.get(id_)
        if found is None:
            name = Path(self.entries[id_].about.name)
            source = self.store.original(id_).read_bytes()
            found = read_photo(name, source=source, max_pixels=MAX_PIXELS)
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


def look_for_faces(photo: Photo, checkpoint: Checkpoint) -> list[FoundFace]:
    """The faces of a photo, from left to right; none is no error. For a model that draws no faces its largest
    centred square, without landmarks."""
    square = square_without_face((photo.width, photo.height), checkpoint, None)
    if square is not None:
        return [FoundFace(0, [], Square(square.centre, square.side, square.angle))]
    return [
        FoundFace(
            face.index,
            [(float(x), float(y)) for x, y in face.landmarks],
            Square(face.alignment.centre, face.alignment.side, face.alignment.angle),
        )
        for face in find_faces(photo.eight_bit())
    ]


def session_of(
    photo: Photo, path: Path, about: PhotoFile, face: FoundFace, checkpoint: Checkpoint, model: str,
    settings: InversionSettings, quality: str,
) -> Session:  # fmt: skip
    """A face's session with nothing inverted, as `stages.align` makes it, of a face that was found before."""
    size = checkpoint.generator.resolution
    centred = square_without_face((photo.width, photo.height), checkpoint, None)
    square = centred or face.alignment
    crop = crop_of(photo, square, size)
    landmarks: NDArray[np.float64] | None = np.array(face.landmarks, float) if centred is None else None
    return Session(
        photo_path=path.resolve(),
        photo_sha256=photo.sha256,
        photo_size=(photo.width, photo.height),
        model=model_reference(model),
        model_sha256=checkpoint.sha256,
        quality=quality,  # type: ignore[arg-type]
        seed=settings.seed,
        settings=_asdict(settings),
        face=face.index if centred is None else None,
        landmarks=landmarks,
        alignment=square,
        crop=crop.pixels,
        valid=crop.valid,
        faces=len(about.faces or ()) if centred is None else None,
        points=sliding.dense_points(photo, square) if centred is None else None,
    )


def _asdict(settings: InversionSettings) -> dict[str, object]:
    import dataclasses

    return dataclasses.asdict(settings)


def rendered(
    photo: Photo, works: dict[int, Work], checkpoint: Checkpoint, *, but: int | None = None
) -> Photo:
    """The photo with all that is in effect in its faces, from left to right; but: a face to leave out."""
    sessions = [
        (works[face].session(), checkpoint) for face in sorted(works) if works[face].edited and face != but
    ]
    return stages.render_faces(photo, sessions)
