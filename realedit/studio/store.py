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

from realedit.api import Alignment, Change, Drag, Model, Session
from realedit.api.pictures import read_mask
from realedit.errors import RealeditError
from realedit.plumbing.files import output_error, write_bytes
from realedit.studio.work import Label, Pair, Work

log = logging.getLogger(__name__)

T = TypeVar("T")
ID = re.compile(r"[0-9a-f]{24}")
MASK = re.compile(r"mask-[0-9a-f]{12}\.png")


class FoundFace(msgspec.Struct, frozen=True):
    """A face of a photo: its number, landmarks `[68, 2]` and square, photo pixels."""

    index: int
    landmarks: list[tuple[float, float]]
    square: Alignment


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
        self._ours: set[Path] = set()  # folders of faces that were read or written
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
            self._make_ours(folder)
            changes = work.session.changes
            latents = {
                str(number): each.latent.cpu().contiguous().clone()  # two changes may share one
                for number, each in enumerate(changes)
                if each.latent is not None
            }
            self._write(folder / "latents.safetensors", save_tensors(latents))
            for name, mask in {name: mask for each in changes for name, mask in each.masks.items()}.items():
                if not (folder / name).is_file():
                    self._write(folder / name, _png(mask))
            work.session.save(folder / "session")
            self._write(folder / "work.json", msgspec.json.encode(_written(work)))
        except OSError as error:
            raise output_error(error, folder) from error

    def save_mask(self, photo: str, face: int, mask: NDArray[np.uint8] | None) -> None:
        """Remember the mask that is painted."""
        folder = self.folder / photo / str(face)
        self._make_ours(folder)
        if mask is None:
            (folder / "mask.png").unlink(missing_ok=True)
        else:
            self._write(folder / "mask.png", _png(mask))

    def work(self, photo: str, face: int, model: Model) -> Work | None:
        """A face's work; None where there is none that can be read, and was done with this model."""
        folder = self.folder / photo / str(face)
        try:
            session = Session.load(folder / "session", model=model)
            self._ours.add(folder)
            found = _read(folder / "work.json", _Work)
            if found is None:  # the session as it is, in one change
                return Work(session, (Label("recovered"),) * len(session.changes))
            latents = load_tensors((folder / "latents.safetensors").read_bytes())
            size = session.photo_size
            changes = [
                Change(
                    tuple(each.drags),
                    latents.get(str(number)),
                    {name: read_mask(folder / name, size) for name in _masks(each)},
                )
                for number, each in enumerate(found.changes)
            ]
            session.restore(changes, min(max(found.at, 0), len(changes)))
            painted = folder / "mask.png"
            return Work(
                session,
                tuple(Label(each.label, each.recipe, each.strength) for each in found.changes),
                points=tuple(found.points),
                mask=read_mask(painted, size) if painted.is_file() else None,
            )
        except (RealeditError, OSError, ValueError, SafetensorError) as error:
            log.warning("what was done to a face cannot be read (%s)", error)
            return None

    def _make_ours(self, folder: Path) -> None:
        """Make a face's folder. Work that lies there and could not be read is kept beside it."""
        if folder not in self._ours and folder.exists():
            number = 1
            while (aside := folder.with_name(f"{folder.name}-unread-{number}")).exists():
                number += 1
            folder.rename(aside)
            log.warning("what was done to a face before and cannot be read is in %s", aside)
        self._ours.add(folder)
        _private(folder)

    def _write(self, path: Path, content: bytes) -> None:
        try:
            write_bytes(path, content, private=True)
        except OSError as error:
            raise output_error(error, path) from error


def _written(work: Work) -> _Work:
    changes = [
        _Change(label.text, list(each.drags), each.latent is not None, label.recipe, label.strength)
        for label, each in zip(work.labels, work.session.changes, strict=True)
    ]
    return _Work(changes, work.at, list(work.points), work.session.quality)


def _masks(change: _Change) -> set[str]:
    """The names of its masks, as they are in its folder."""
    names = {drag.mask for drag in change.drags if drag.mask is not None}
    if not all(MASK.fullmatch(name) for name in names):
        raise ValueError("a change names a mask by no name of a mask")
    return names


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
