"""What options take and files are named by, before anything is loaded: the command line answers at once with
it."""

from __future__ import annotations

from pathlib import Path

from realedit.drag.settings import DragSettings as DragSettings
from realedit.geometry.boxes import parse_region as parse_region
from realedit.photos.kinds import EXTENSIONS as EXTENSIONS
from realedit.photos.kinds import MAX_PIXELS as MAX_PIXELS
from realedit.photos.kinds import Format as Format
from realedit.photos.source import most_bytes as most_bytes
from realedit.recipes.recipe import LARGEST_STRENGTH as LARGEST_STRENGTH

__all__ = [
    "EXTENSIONS",
    "LARGEST_STRENGTH",
    "MAX_PIXELS",
    "DragSettings",
    "Format",
    "can_write_heic",
    "format_of",
    "most_bytes",
    "parse_region",
    "session_files",
]


def format_of(head: bytes) -> Format | None:
    """The format of a photo's file by its first 4096 bytes; None for what is no photo."""
    from realedit.photos.sniff import sniff

    return sniff(head)


def can_write_heic() -> bool:
    """Whether this build of pillow-heif has an encoder; it reads HEIC too, which takes a while to load."""
    from realedit.photos.heif.heic import can_write

    return can_write()


def session_files(folder: Path) -> list[Path]:
    """The files of a session in a folder, and of those of several faces in its numbered folders."""
    from realedit.sessions.folders import session_files as found

    return found(folder)
