"""Edits from file to file, with all that is written beside the photo: what the command line and batches do.

What is wrong with any of the files is told before anything takes long. A program that has photos in memory,
or wants them there, uses `realedit.edit`; both give the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from realedit.api.models import Model
from realedit.api.starting import start_loading
from realedit.photos.source import check_there

if TYPE_CHECKING:
    from collections.abc import Sequence

    from realedit.drag import OnStep as OnStep
    from realedit.editing.begun import Begun as Begun
    from realedit.editing.outcome import EditReport
    from realedit.editing.request import EditRequest
    from realedit.plumbing.timing import Laps


def check_file(photo: Path, max_pixels: int) -> None:
    """What is wrong with the file of a photo before it is looked into; loads nothing. Raises UsageError,
    PhotoError."""
    check_there(photo, max_pixels)


def edit_file(
    request: EditRequest, *, model: Model | None = None, on_step: OnStep | None = None
) -> EditReport:
    """Read, edit and write as the request says.

    model: the request's, where it is loaded already. on_step: as in `realedit.edit`. Raises what
    `realedit.edit` and `Result.save` raise.
    """
    return finish_file(begin_file(request, model=model), on_step=on_step)


def begin_file(request: EditRequest, *, model: Model | None = None, laps: Laps | None = None) -> Begun:
    """The beginning of `edit_file`: read the photo and find its faces, while torch is loaded. laps: told of
    each stage."""
    if request.source is None:
        check_there(request.photo, request.max_pixels)
    start_loading()
    from realedit.editing.arriving import arrived, faces_ahead
    from realedit.plumbing.timing import Laps

    laps = laps or Laps()
    photo = arrived(request, laps)
    faces = faces_ahead(request, photo, laps)
    from realedit.pipeline import begin_read

    checkpoint = None if model is None else model.checkpoint
    return begin_read(request, photo, checkpoint=checkpoint, faces=faces, laps=laps)


def invert_files(begun: Sequence[Begun], together: int, *, on_step: OnStep | None = None) -> list[Begun]:
    """Edits that differ in photo and output alone, their faces inverted side by side; see
    `realedit.invert`."""
    from realedit.drag import keep_going
    from realedit.editing.begun import invert_begun

    return invert_begun(begun, together, on_step=on_step or keep_going)


def finish_file(begun: Begun, *, on_step: OnStep | None = None) -> EditReport:
    """The rest of `edit_file`: invert what is not inverted, drag, paste, write."""
    from realedit.drag import keep_going
    from realedit.pipeline import finish

    return finish(begun, on_step=on_step or keep_going)


def verified(path: Path) -> str:
    """The SHA-256 of a photo's file, which is decoded to its end from the disk. Raises PhotoError."""
    from realedit.photos import check_photo

    return check_photo(path)
