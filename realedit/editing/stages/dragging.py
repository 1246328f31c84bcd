"""The third stage: session -> session whose latent is dragged."""

from dataclasses import replace

import msgspec
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

import inversion
from checkpoints import Checkpoint
from realedit.drag import DragSettings, Editor, OnStep, keep_going
from realedit.editing import sliding
from realedit.geometry.reach import Parts, Reach
from realedit.sessions import turning
from realedit.sessions.pictures import device_of, generator_of, latents_of
from realedit.sessions.regions import check_mask, check_points, crop_region
from realedit.sessions.session import Drag, Session, mask_name


def drag(
    session: Session,
    checkpoint: Checkpoint,
    handles: ArrayLike,
    targets: ArrayLike,
    *,
    mask: NDArray[np.uint8] | None = None,
    reach: Reach | Parts = "local",
    settings: DragSettings | None = None,
    on_step: OnStep = keep_going,
) -> Session:
    """Drag handles to targets (`[K, 2]` photo pixels, positions in the current result), from the current
    latent. Points on lids and lips are not the generator's: the paste lets these slide. Nor are turns of the
    head: the paste turns it. Where no other point has a way to go, a session that is not inverted will do.

    mask `[height, width]` uint8 over the displayed photo, white (>= 128) may move. Raises OutsideError for a
    point outside of the square, SessionError before the inversion.
    """
    check_points(session, handles, targets)
    starts, ends = (np.asarray(points, float).reshape(-1, 2) for points in (handles, targets))
    turn, settings, carried = turning.asked(session, reach, settings or DragSettings(), starts, ends)
    moves = session.moves
    if carried.all():
        ends = turning.turned_points(session, turn, starts)
    elif not _led(checkpoint, settings):
        places = (turning.in_photo(session, points) for points in (starts, ends))
        moves, carried = sliding.asked(session, checkpoint, *places)
    entry = Drag(
        _points(starts), _points(ends), _points(ends), 0, "arrived", reach, None,
        carried=carried.nonzero()[0].tolist(), moves=moves, turn=turn,
    )  # fmt: skip
    if mask is not None:
        check_mask(mask, entry)
        entry = msgspec.structs.replace(entry, mask=mask_name(mask))
        session = replace(session, masks={**session.masks, mask_name(mask): mask})
    current = session.current
    if not carried.any() or (starts != ends)[~carried].any():
        current, entry = _dragged(session, checkpoint, entry, settings, on_step)
    return replace(session, current=current, history=(*session.history, entry))


def _led(checkpoint: Checkpoint, settings: DragSettings) -> bool:
    """Whether given amounts of motions say how far a drag goes, and not its points."""
    known = None if checkpoint.codes is None else checkpoint.codes.motions
    if known is None or not settings.amounts:
        return False
    return known.all_of(settings.motions) is not None


def _dragged(
    session: Session, checkpoint: Checkpoint, entry: Drag, settings: DragSettings, on_step: OnStep
) -> tuple[torch.Tensor, Drag]:
    """The latent after those of a drag's points that are the generator's, and how the drag ended."""
    latent = latents_of(session)[1].to(device_of(checkpoint))
    size = checkpoint.generator.resolution
    own = [i for i in range(len(entry.handles)) if i not in entry.carried]
    editor = Editor(
        generator_of(session, checkpoint),
        latent,
        settings,
        inversion.CodeSpace.of(checkpoint),
        mask=crop_region(session, entry, size),
        layers=checkpoint.drag_layers,
        motions=None if checkpoint.codes is None else checkpoint.codes.motions,
    )
    start, goal = (
        session.alignment.to_crop(turning.in_photo(session, np.array(points)[own]), size)
        for points in (entry.handles, entry.targets)
    )
    editor.add(start, goal)
    step = None
    for step in editor.steps():
        if not on_step(step):
            break
    assert step is not None
    reached = np.array(entry.targets)
    reached[own] = turning.in_result(session, session.alignment.to_photo(editor.handles, size))
    targets = np.array(entry.targets)
    if settings.amounts:  # the motions' amounts said how far, not the targets
        targets[own] = turning.in_result(session, session.alignment.to_photo(editor.targets, size))
    entry = msgspec.structs.replace(
        entry,
        targets=_points(targets),
        reached=_points(reached),
        steps=step.index,
        ending="stopped" if step.ending == "running" else step.ending,
        vague=[own[i] for i in editor.vague.nonzero()[0]],
    )
    return editor.latent.detach().cpu(), entry


def _points(points: ArrayLike) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in np.asarray(points, float).reshape(-1, 2)]
