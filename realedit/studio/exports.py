"""What a person takes away: the same bytes as the command line writes for the same session."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from checkpoints import Checkpoint
from realedit.compare import STYLES, ComparisonSettings, max_side, pair_of, write_comparison
from realedit.compare.timelapse import Recorder, write_timelapse
from realedit.drag import keep_going
from realedit.editing import stages
from realedit.errors import UsageError
from realedit.photos import Photo, Provenance, write_photo
from realedit.recipes.recording import recorded, to_toml
from realedit.sessions.session import Session
from realedit.studio.messages import MEDIA, Export


def exported(
    export: Export, name: str, photo: Photo, result: Photo, sessions: Sequence[Session],
    folders: Sequence[Path], checkpoint: Checkpoint,
) -> tuple[str, bytes, tuple[str, ...]]:  # fmt: skip
    """A file's name, its bytes, and what the person should know of it.

    name: the photo's; sessions: of its edited faces; folders: where these are kept. Raises UsageError for
    what cannot be exported so.
    """
    stem = re.sub(r"[^\w.-]+", "_", Path(name).stem).strip("._") or "photo"
    extension = {"recipe": ".toml", "session": ".zip"}.get(export.kind, export.extension.lower())
    if extension not in MEDIA:
        raise UsageError(f"{extension!r} is no kind of file that is exported")
    if export.kind != "photo" and not sessions:
        raise UsageError("nothing was changed in this photo yet")
    if export.kind == "photo":
        found: list[bytes] = []
        target = f"{stem}-edited{extension}"
        report = write_photo(
            result, Path(target), provenance=Provenance(), strip=export.strip,
            visible_label=export.label, into=found.append,
        )  # fmt: skip
        return target, found[0], (*result.warnings, *report.warnings)
    if export.kind == "recipe":
        target = f"{stem}.toml"
        return target, to_toml(recorded(sessions[0], stem)).encode(), ()
    if export.kind == "session":
        return f"{stem}-session.zip", _zipped(folders), ()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{stem}-{export.style or export.kind}{extension}"
        if export.kind == "timelapse":
            _timelapse(path, sessions, checkpoint)
        else:
            _comparison(path, export.style, photo, result)
        return path.name, path.read_bytes(), ()


def _comparison(path: Path, style: str | None, photo: Photo, result: Photo) -> None:
    chosen = next((each for each in STYLES if each == style), None)
    if style is not None and chosen is None:
        raise UsageError(f"{style!r} is no style of a comparison")
    settings = ComparisonSettings(style=chosen)
    write_comparison(path, pair_of(photo, result, max_side=max_side(path, settings)), settings)


def _timelapse(path: Path, sessions: Sequence[Session], checkpoint: Checkpoint) -> None:
    """The drags once more, from their handles to their targets, and every step of them."""
    from realedit.compare.animation import check_encoder

    check_encoder(path)
    if any(session.pivot is None for session in sessions):
        raise UsageError("a time-lapse needs the face in the model; wait until it is there")
    recorder, done = Recorder(keep_going), []
    for session in sessions:
        again = session.from_start()
        for drag in session.history:
            mask = None if drag.mask is None else session.masks[drag.mask]
            again = stages.drag(
                again, checkpoint, drag.handles, drag.targets,
                mask=mask, reach=drag.reach, on_step=recorder,
            )  # fmt: skip
        done.append(again)
    if not recorder.steps:
        raise UsageError(
            "only lids and lips were moved, which the photo shows itself; there are no steps to show"
        )
    write_timelapse(path, recorder.steps, done, checkpoint)


def _zipped(folders: Sequence[Path]) -> bytes:
    """Sessions' folders in one file; of several faces, each by its number."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for folder in folders:
            inside = "" if len(folders) == 1 else f"{folder.parent.name}/"
            for path in sorted(folder.iterdir()):
                archive.write(path, f"session/{inside}{path.name}")
    return packed.getvalue()
