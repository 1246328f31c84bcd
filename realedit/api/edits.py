"""From a photo and what is asked to the edited photo."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from realedit.api.asking import (
    Chosen,
    Mask,
    box_of,
    changes_of,
    faces_of,
    inversion_settings,
    mask_of,
    ways_of,
)
from realedit.api.models import DEFAULT, Model, loaded
from realedit.api.photos import Photo, opened
from realedit.api.recipes import Asked, uses_of
from realedit.api.starting import start_loading
from realedit.errors import UsageError

if TYPE_CHECKING:
    from inversion import Quality
    from realedit.api.results import Result
    from realedit.drag import DragSettings, OnStep
    from realedit.editing.begun import Begun
    from realedit.geometry.parts import Reach
    from realedit.plumbing.choices import Mode
    from realedit.plumbing.timing import Laps


@dataclass(frozen=True, eq=False)
class Prepared:
    """An edit whose photo is read and whose faces are found: what is wrong with the request is told by now.
    Made by `prepare`."""

    photo: Photo
    model: Model
    begun: Begun

    def finish(self, *, on_step: OnStep | None = None, record: bool = False) -> Result:
        """Invert what is not inverted, drag, and paste. on_step, record: as in `edit`."""
        from realedit.api.results import Result
        from realedit.drag import keep_going
        from realedit.pipeline import made

        return Result(made(self.begun, on_step=on_step or keep_going, record=record), recorded=record)


def edit(
    photo: Photo | str | os.PathLike[str] | bytes,
    *,
    recipes: Iterable[Asked] | Asked = (),
    drags: ArrayLike = (),
    strength: float = 1.0,
    face: Chosen = "auto",
    box: Sequence[int] | None = None,
    mask: Mask | None = None,
    regions: Sequence[Sequence[int]] = (),
    reach: Reach = "local",
    quality: Quality = "standard",
    model: str | Path | Model = DEFAULT,
    device: str = "auto",
    seed: int = 0,
    label: str | None = None,
    settings: DragSettings | None = None,
    inversion: Mapping[str, object] | None = None,
    paste: Mode = "detail",
    cache: bool = True,
    keep: str | os.PathLike[str] | None = None,
    debug: str | os.PathLike[str] | None = None,
    record: bool = False,
    on_step: OnStep | None = None,
) -> Result:
    """Edit a photo; what comes back is in memory, and the photo stays as it is.

    There are recipes, or drags, or both (the drags come first).

    Args:
        photo: opened, or what `open` takes.
        recipes: names (`"smile"`, `"smile:0.7"`), files, or `(name, strength)`.
        drags: handle and target each, `((x, y), (x, y))` in pixels of the displayed photo.
        strength: of recipes that name none of their own; below 0 they do the opposite.
        face: `"auto"` (the one that holds the handles, else the largest whole one), `"largest"`, `"all"`, a
            number from the left, or several numbers. Recipes go to each, a drag to the one it lies on.
        box: left, top, right, bottom of what to edit instead of a face, whatever it is.
        mask: a picture's file or an array `[height, width]`; white (>= 128) or True may move.
        regions: rectangles (left, top, right, bottom) that may change; they narrow the mask.
        reach: how far around the points of `drags` the photo may change: `"local"`, `"face"`, `"head"`,
            `"all"`.
        quality: how long to look for the face in the model: `"draft"`, `"standard"`, `"best"`.
        model: a name, a file, or one that is loaded already (`load_model`).
        device: `"auto"`, `"cpu"`, `"cuda"`, `"cuda:N"`, `"mps"`; a loaded model has its own.
        seed: the same seed on the same machine gives the same bytes.
        label: the class of a model that draws several: its number, or all values.
        settings: of the drag.
        inversion: settings that differ from the quality's, by name: `{"tuning.steps": 200}`.
        paste: `"detail"` moves the photo's own pixels; `"plain"` and `"seamless"` show the model's.
        cache: look for an earlier inversion of the face in the user's cache, and keep this one.
        keep: a folder that keeps the session, or has one to go on from.
        debug: a folder that gets the pictures the paste is made of.
        record: keep the steps of the drags, so that `Result.timelapse` can show them.
        on_step: called with every step of inversion and drag; where it returns False, that stage stops, and
            what it has is kept.

    Raises:
        UsageError: for what makes no sense.
        NoFaceError: where there is no face, or not the one that was asked for.
        OutsideError: for points that lie beside the face.
        PhotoError: for a photo that cannot be read.
        CheckpointError: for a model that cannot be loaded.
        ResourceError: where memory or disk is full.
    """
    prepared = prepare(
        photo, recipes=recipes, drags=drags, strength=strength, face=face, box=box, mask=mask,
        regions=regions, reach=reach, quality=quality, model=model, device=device, seed=seed, label=label,
        settings=settings,
        inversion=inversion, paste=paste, cache=cache, keep=keep, debug=debug,
    )  # fmt: skip
    return prepared.finish(on_step=on_step, record=record)


def prepare(
    photo: Photo | str | os.PathLike[str] | bytes,
    *,
    recipes: Iterable[Asked] | Asked = (),
    drags: ArrayLike = (),
    strength: float = 1.0,
    face: Chosen = "auto",
    box: Sequence[int] | None = None,
    mask: Mask | None = None,
    regions: Sequence[Sequence[int]] = (),
    reach: Reach = "local",
    quality: Quality = "standard",
    model: str | Path | Model = DEFAULT,
    device: str = "auto",
    seed: int = 0,
    label: str | None = None,
    settings: DragSettings | None = None,
    inversion: Mapping[str, object] | None = None,
    paste: Mode = "detail",
    cache: bool = True,
    keep: str | os.PathLike[str] | None = None,
    debug: str | os.PathLike[str] | None = None,
    laps: Laps | None = None,
) -> Prepared:
    """The beginning of `edit`: find the faces, and tell what is wrong before anything takes long.

    laps: told of each stage when it begins. The rest is as in `edit`; `Prepared.finish` does what is left.
    """
    start_loading()
    photo = opened(photo)
    uses, ways = uses_of(recipes, strength), ways_of(drags)
    if not (uses or ways):
        raise UsageError("there is nothing to do; say what to move with drags or recipes")
    inversion_settings(quality, seed, label, inversion)
    picture = mask_of(mask, regions, photo.size)

    from realedit.compositing.settings import PasteSettings
    from realedit.drag.settings import DragSettings
    from realedit.editing.arriving import faces_ahead
    from realedit.editing.checks import check_folders
    from realedit.editing.request import EditRequest

    request = EditRequest(
        photo=photo.content.path,
        output=Path(),
        drags=ways,
        recipes=uses,
        faces=faces_of(face),
        box=box_of(box),
        model=model.name if isinstance(model, Model) else str(model),
        quality=quality,
        seed=seed,
        label=label,
        keep=None if keep is None else Path(keep),
        changes=changes_of(inversion),
        cache=cache,
        reach=reach,
        debug=None if debug is None else Path(debug),
        drag=settings or DragSettings(),
        paste=PasteSettings(mode=paste),
    )
    check_folders(request)
    faces = photo.known_faces
    if faces is None and not isinstance(model, Model):
        faces = faces_ahead(request, photo.content)
    from realedit.pipeline import begin_with

    model = loaded(model, device)
    begun = begin_with(request, photo.content, picture, model.checkpoint, faces=faces, laps=laps)
    return Prepared(photo, model, begun)


def invert(edits: Sequence[Prepared], *, together: int = 8, on_step: OnStep | None = None) -> list[Prepared]:
    """Invert the faces of many edits side by side, up to `together` at a time: on a GPU several take little
    more time than one. They must ask for one model, quality and seed; photos, recipes and drags may differ.

    A batch is computed to other last bits than its faces one by one. Raises UsageError for edits that do not
    go together.
    """
    from realedit.drag import keep_going
    from realedit.editing.begun import invert_begun

    if not edits:
        return []
    one = edits[0].begun
    for other in (each.begun for each in edits[1:]):
        alike = all(
            getattr(one.request, name) == getattr(other.request, name)
            for name in ("quality", "seed", "label", "changes", "cache")
        )
        if not alike or one.checkpoint.sha256 != other.checkpoint.sha256:
            raise UsageError(
                "edits that are inverted together have one model, quality, seed, label, inversion and cache"
            )
    begun = invert_begun([each.begun for each in edits], together, on_step=on_step or keep_going)
    return [replace(each, begun=now) for each, now in zip(edits, begun, strict=True)]
