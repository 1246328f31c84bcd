"""What a person takes away: the same bytes as the command line writes for the same session."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from realedit.api import Photo, Writing, timelapse, together
from realedit.errors import UsageError
from realedit.plumbing.choices import STYLES
from realedit.studio.messages import MEDIA, Export
from realedit.studio.work import Work


def exported(
    export: Export, name: str, photo: Photo, works: dict[int, Work], folders: Sequence[Path]
) -> tuple[str, bytes, tuple[str, ...]]:
    """A file's name, its bytes, and what the person should know of it.

    name: the photo's; works: on its faces; folders: where the sessions of the edited ones are kept. Raises
    UsageError for what cannot be exported so.
    """
    stem = re.sub(r"[^\w.-]+", "_", Path(name).stem).strip("._") or "photo"
    extension = {"recipe": ".toml", "session": ".zip"}.get(export.kind, export.extension.lower())
    if extension not in MEDIA:
        raise UsageError(f"{extension!r} is no kind of file that is exported")
    sessions = [works[face].session.copy() for face in sorted(works) if works[face].edited]
    if export.kind == "photo":
        found: list[bytes] = []
        target = f"{stem}-edited{extension}"
        edited = together(sessions, photo=photo).photo if sessions else photo
        writing = Writing(strip=export.strip, visible_label=export.label)
        said = writing.write(edited, Path(target), into=found.append)
        return target, found[0], (*edited.warnings, *said)
    if not sessions:
        raise UsageError("nothing was changed in this photo yet")
    if export.kind == "recipe":
        return f"{stem}.toml", sessions[0].to_recipe(stem).encode(), ()
    if export.kind == "session":
        return f"{stem}-session.zip", _zipped(folders), ()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{stem}-{export.style or export.kind}{extension}"
        if export.kind == "timelapse":
            if not all(session.inverted for session in sessions):
                raise UsageError("a time-lapse needs the face in the model; wait until it is there")
            timelapse(sessions, path)
        else:
            style = next((each for each in STYLES if each == export.style), None)
            if style != export.style:
                raise UsageError(f"{export.style!r} is no style of a comparison")
            together(sessions, photo=photo).compare(path, style=style)
        return path.name, path.read_bytes(), ()


def _zipped(folders: Sequence[Path]) -> bytes:
    """Sessions' folders in one file; of several faces, each by its number."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for folder in folders:
            inside = "" if len(folders) == 1 else f"{folder.parent.name}/"
            for path in sorted(folder.iterdir()):
                archive.write(path, f"session/{inside}{path.name}")
    return packed.getvalue()
