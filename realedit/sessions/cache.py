"""Inversions that were made before, in the user's cache folder, so that no face is inverted twice.

    <cache>/sessions/<key>-<face>/    a session folder in which nothing was dragged

The key is a hash of the photo's content, the model's content, the settings and the version of the inversion.
Folders and files are their owner's alone. What was not used for long goes first when the cache outgrows its
limit. A cache that cannot be read or written, and whatever else lies in it, costs time, never an edit.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checkpoints.cache import cache_folder, read_error, subfolder, without_cache
from inversion import ALGORITHM
from realedit.errors import CheckpointError, OutputError, RealeditError, SessionError
from realedit.plumbing.files import output_error

if TYPE_CHECKING:
    from realedit.sessions.session import Session

DAY = 24 * 3600.0
_ENTRY = re.compile(r"\.?[0-9a-f]{32}-.+")  # what is called otherwise is not ours


@dataclass(frozen=True, kw_only=True)
class CacheSettings:
    """max_bytes: of all entries together. max_age: days an entry may lie unused."""

    max_bytes: int = 512 << 20
    max_age: float = 90.0


@dataclass(frozen=True)
class Entry:
    """One kept inversion. size: bytes on disk; used: when it was made or last served, seconds since 1970."""

    path: Path
    size: int
    used: float


def sessions_folder() -> Path:
    """Where the entries lie; not created."""
    return cache_folder() / "sessions"


def key(photo_sha256: str, model_sha256: str, settings: Mapping[str, Any]) -> str:
    """What an entry depends on besides the face, as 32 hexadecimal digits."""
    parts = [ALGORITHM, photo_sha256, model_sha256, dict(settings)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def find(photo_sha256: str, model_sha256: str, settings: Mapping[str, Any]) -> Iterator[Session]:
    """The kept inversions of a photo, one per face that was edited. One that is damaged, or of another photo,
    model or settings, is deleted.
    """
    from realedit.sessions.session import Session

    for path in _of(photo_sha256, model_sha256, settings):
        try:
            session = Session.load(path)
            asked = (photo_sha256, model_sha256, dict(settings))
            if (session.photo_sha256, session.model_sha256, dict(session.settings)) != asked:
                raise SessionError(f"{path} holds the inversion of another photo")
        except SessionError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError):
                # which says nothing of what is in there
                without_cache(error)
            else:
                without_cache(f"a kept inversion is not used and deleted ({error})")
                shutil.rmtree(path, ignore_errors=True)
            continue
        with suppress(OSError):
            os.utime(path)  # it was used now
        yield session


def may_have(photo_sha256: str, model_sha256: str, settings: Mapping[str, Any]) -> bool:
    """Whether `find` has anything to look at."""
    return bool(_of(photo_sha256, model_sha256, settings))


def _of(photo_sha256: str, model_sha256: str, settings: Mapping[str, Any]) -> list[Path]:
    """Where inversions of a photo are kept. A cache that cannot be read has none, and that is said."""
    prefix = key(photo_sha256, model_sha256, settings)
    try:
        return sorted(path for path in _listed() if path.name.startswith(f"{prefix}-"))
    except OutputError as error:
        without_cache(error)
        return []


def keep(session: Session, settings: CacheSettings | None = None) -> None:
    """Keep a fresh inversion, then make room. Where that fails it is logged: the edit itself goes on."""
    name = f"{key(session.photo_sha256, session.model_sha256, session.settings)}-{_face(session)}"
    try:
        folder = subfolder("sessions")
        temporary = folder / f".{name}-{secrets.token_hex(4)}.part"
        try:
            replace(session, history=(), masks={}, current=session.pivot).save(temporary)
            if not (folder / name).exists():
                temporary.rename(folder / name)  # whole or not at all
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        evict(settings or CacheSettings())
    except (RealeditError, CheckpointError, OSError) as error:
        without_cache(f"the inversion is not kept for the next edit: {error}")


def entries() -> list[Entry]:
    """What is kept, the longest unused first. Raises OutputError where the cache cannot be read."""
    found = []
    for path in _listed():
        with suppress(OSError):  # another process may be clearing up, or it is somebody else's
            sizes = [file.lstat().st_size for file in path.iterdir()]
            found.append(Entry(path, sum(sizes), path.stat().st_mtime))
    return sorted(found, key=lambda entry: entry.used)


def _listed() -> list[Path]:
    """The folders that are called as entries are. Raises OutputError where the cache cannot be read."""
    try:
        folder = sessions_folder()
        return [path for path in folder.iterdir() if _ENTRY.fullmatch(path.name) and not path.is_symlink()]
    except FileNotFoundError:
        return []
    except CheckpointError as error:
        raise OutputError(str(error)) from error
    except OSError as error:
        raise OutputError(str(read_error(error, folder))) from error


def evict(settings: CacheSettings, *, now: float | None = None) -> int:
    """Delete what is too old, then the oldest until the rest fits; how many were deleted."""
    kept = entries()
    oldest = (time.time() if now is None else now) - settings.max_age * DAY
    total = sum(entry.size for entry in kept)
    deleted = 0
    for entry in kept:
        unfinished = entry.path.name.startswith(".") and entry.used > oldest
        if unfinished or (entry.used >= oldest and total <= settings.max_bytes):
            continue
        shutil.rmtree(entry.path, ignore_errors=True)
        total -= entry.size
        deleted += 1
    return deleted


def clear() -> tuple[int, int]:
    """Delete every kept inversion: how many there were, and their bytes. Raises OutputError where it
    cannot, or the cache cannot be read.
    """
    kept = entries()
    for entry in kept:
        try:
            shutil.rmtree(entry.path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise OutputError(str(output_error(error, entry.path))) from error
    return len(kept), sum(entry.size for entry in kept)


def _face(session: Session) -> str:
    if session.face is not None:
        return str(session.face)
    x, y = session.alignment.centre
    return f"box-{x:g}-{y:g}-{session.alignment.side:g}"
