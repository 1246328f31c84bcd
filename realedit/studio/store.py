"""The studio's folder, from which work goes on after a reload, a crash or a restart.

    studio.json                        the photos of the filmstrip, in order, and what is shown
    <photo>/original                   the photo's bytes as they came
    <photo>/photo.json                 its name and its faces
    <photo>/<face>/session/            the face's session as it is now: what `realedit paste` reads
    <photo>/<face>/work.json           its changes, those that were undone too, and its points
    <photo>/<face>/latents.safetensors the latent after each of them
    <photo>/<face>/mask-*.png          masks of them; mask.png is the one that is painted

Folders are their owner's alone. What is read is data from elsewhere, and what cannot be read is left out and
said.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from pathlib import Path
from typing import Any, TypeVar

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from alignment import Alignment
from realedit.errors import RealeditError
from realedit.plumbing.files import output_error, write_bytes
from realedit.sessions.session import Drag, Session
from realedit.sessions.stored import Square
from realedit.sessions.stored import read_mask as read_picture
from realedit.studio.work import Change, Pair, Work

log = logging.getLogger(__name__)

T = TypeVar("T")
ID = re.compile(r"[0-9a-f]{24}")


class FoundFace(msgspec.Struct, frozen=True):
    """A face of a photo: its number, landmarks `[68, 2]` and square, photo pixels."""

    index: int
    landmarks: list[tuple[float, float]]
    square: Square

    @property
    def alignment(self) -> Alignment:
        """The square."""
        return Alignment.from_dict(msgspec.structs.asdict(self.square))


class PhotoFile(msgspec.Struct, frozen=True):
    """photo.json. faces: None until they were looked for."""

    name: str
    sha256: str
    size: tuple[int, int]
    faces: list[FoundFace] | None = None


class Desk(msgspec.Struct, frozen=True):
    """studio.json. photos: their ids; photo, face: what is shown."""

    photos: list[str] = []
    photo: str | None = None
    face: int | None = None


class _Change(msgspec.Struct, frozen=True):
    label: str
    drags: list[Drag]
    latent: bool
    recipe: str | None = None
    strength: float = 1.0


class _Work(msgspec.Struct, frozen=True):
    changes: list[_Change]
    at: int
    points: list[Pair]
    quality: str


class Store:
    """Reads and writes the folder. Raises OutputError, ResourceError where it cannot be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            _private(folder)
        except OSError as error:
            raise output_error(error, folder) from error

    def desk(self) -> Desk:
        """The photos that are there."""
        desk = _read(self.folder / "studio.json", Desk) or Desk()
        photos = [each for each in desk.photos if ID.fullmatch(each) and self.photo(each) is not None]
        return msgspec.structs.replace(desk, photos=photos)

    def save_desk(self, desk: Desk) -> None:
        """Remember the filmstrip."""
        self._write(self.folder / "studio.json", msgspec.json.encode(desk))

    def add(self, photo: str, source: bytes, about: PhotoFile) -> None:
        """A new photo."""
        _private(self.folder / photo)
        self._write(self.original(photo), source)
        self.save_photo(photo, about)

    def original(self, photo: str) -> Path:
        """Where the photo's bytes are."""
        return self.folder / photo / "original"

    def photo(self, photo: str) -> PhotoFile | None:
        """What is known of a photo."""
        return (
            _read(self.folder / photo / "photo.json", PhotoFile) if self.original(photo).is_file() else None
        )

    def save_photo(self, photo: str, about: PhotoFile) -> None:
        """Remember what is known of a photo."""
        self._write(self.folder / photo / "photo.json", msgspec.json.encode(about))

    def remove(self, photo: str) -> None:
        """Forget a photo and all that was done to it."""
        shutil.rmtree(self.folder / photo, ignore_errors=True)

    def faces(self, photo: str) -> list[int]:
        """The faces of a photo that were worked on."""
        inside = (self.folder / photo).glob("*/session/session.json")
        return sorted(int(path.parent.parent.name) for path in inside if path.parent.parent.name.isdecimal())

    def session_folder(self, photo: str, face: int) -> Path:
        """Where the face's session is, as the command line reads it."""
        return self.folder / photo / str(face) / "session"

    def save_work(self, photo: str, face: int, work: Work) -> None:
        """Remember a face's work."""
        folder = self.folder / photo / str(face)
        try:
            _private(folder)
            tensors = {
                str(number): change.latent.contiguous().cpu()
                for number, change in enumerate(work.changes)
                if change.latent is not None
            }
            self._write(folder / "latents.safetensors", save_tensors(tensors))
            for name, mask in work.masks.items():
                if not (folder / name).is_file():
                    self._write(folder / name, _png(mask))
            work.session().save(folder / "session")
            self._write(folder / "work.json", msgspec.json.encode(_written(work)))
        except OSError as error:
            raise output_error(error, folder) from error

    def save_mask(self, photo: str, face: int, mask: NDArray[np.uint8] | None) -> None:
        """Remember the mask that is painted."""
        folder = self.folder / photo / str(face)
        _private(folder)
        if mask is None:
            (folder / "mask.png").unlink(missing_ok=True)
        else:
            self._write(folder / "mask.png", _png(mask))

    def work(self, photo: str, face: int) -> Work | None:
        """A face's work; None where there is none that can be read."""
        folder = self.folder / photo / str(face)
        try:
            session = Session.load(folder / "session")
            found = _read(folder / "work.json", _Work)
            if found is None:
                return _from_session(session)
            latents = load_tensors((folder / "latents.safetensors").read_bytes())
            changes = tuple(
                Change(each.label, tuple(each.drags), latents.get(str(number)), each.recipe, each.strength)
                for number, each in enumerate(found.changes)
            )
            names = {drag.mask for change in changes for drag in change.drags if drag.mask is not None}
            masks = {name: read_picture(folder, name, session.photo_size) for name in names}
            mask = None
            if (folder / "mask.png").is_file():
                mask = read_picture(folder, "mask.png", session.photo_size)
            return Work(
                base=session.from_start(),
                changes=changes,
                at=min(max(found.at, 0), len(changes)),
                points=tuple(found.points),
                mask=mask,
                masks=masks,
            )
        except (RealeditError, OSError, ValueError, SafetensorError) as error:
            log.warning("what was done to a face cannot be read (%s)", error)
            return None

    def _write(self, path: Path, content: bytes) -> None:
        try:
            write_bytes(path, content, private=True)
        except OSError as error:
            raise output_error(error, path) from error


def _written(work: Work) -> _Work:
    changes = [
        _Change(each.label, list(each.drags), each.latent is not None, each.recipe, each.strength)
        for each in work.changes
    ]
    return _Work(changes, work.at, list(work.points), work.base.quality)


def _from_session(session: Session) -> Work:
    """Work whose history was lost: the session as it is, in one change."""
    base = Work(base=session.from_start())
    return base.changed(session, "recovered") if session.history else base


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError) as error:
        if path.exists():
            log.warning("%s cannot be read (%s)", path, error)
        return None


def _private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix":
        folder.chmod(0o700)


def _png(picture: NDArray[Any]) -> bytes:
    ok, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 4])
    assert ok
    return data.tobytes()
