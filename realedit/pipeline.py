"""The four stages: align the photo, invert the crop, drag the latent, paste the change.

Each takes and returns plain values (a `Photo`, a `Session`); `edit` of the command line is one after the
other.
"""

import dataclasses
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

import checkpoints
import inversion
from alignment import Alignment, Face, find_faces, share_out
from alignment.errors import NoFaceError
from alignment.models import FaceModels
from checkpoints import Checkpoint
from inversion import InversionSettings, Quality, Step
from realedit import sliding, turning
from realedit.compositing import ChangeSettings, Mode, Mouth, debug_pictures, describe, paste
from realedit.cropping import crop_of, square_without_face
from realedit.drag import DragSettings, DragStep, Editor
from realedit.errors import UsageError
from realedit.files import make_folder, write_png
from realedit.masks import Parts, Reach
from realedit.photos import Box, Photo
from realedit.pictures import (
    device_of,
    features_of,
    generator_of,
    label_of,
    latents_of,
    moved_landmarks,
    pictures,
)
from realedit.regions import check_mask, check_points, crop_region, photo_mask, reach_of
from realedit.session import Drag, Session, mask_name, to_tensor

log = logging.getLogger(__name__)

OnStep = Callable[[Step | DragStep], bool]
"""Told of every step; False asks the stage to stop and keep what it has."""


def keep_going(step: Step | DragStep) -> bool:
    """The `OnStep` that watches nothing."""
    return True


@dataclass(frozen=True, kw_only=True)
class PasteSettings:
    """mode: how to paste. change: how the change is described."""

    mode: Mode = "detail"
    change: ChangeSettings = field(default_factory=ChangeSettings)


def align(
    photo: Photo,
    checkpoint: Checkpoint,
    *,
    photo_path: Path,
    face: str | int = "auto",
    box: Box | None = None,
    points: ArrayLike | None = None,
    models: FaceModels | None = None,
    settings: InversionSettings,
    quality: Quality,
) -> Session:
    """Find the face that holds the points and cut its square: a session with nothing inverted yet.

    points `[K, 2]` in photo pixels; box: as in `align_faces`. Raises NoFaceError, OutsideError.
    """
    together = () if points is None else np.asarray(points, float).reshape(1, -1, 2)
    ((session, _),) = align_faces(
        photo, checkpoint, photo_path=photo_path, faces=(face,), box=box, drags=together, models=models,
        settings=settings, quality=quality,
    )  # fmt: skip
    return session


def align_faces(
    photo: Photo,
    checkpoint: Checkpoint,
    *,
    photo_path: Path,
    faces: Sequence[str | int] = ("auto",),
    box: Box | None = None,
    drags: ArrayLike = (),
    models: FaceModels | None = None,
    settings: InversionSettings,
    quality: Quality,
) -> list[tuple[Session, list[int]]]:
    """`align` for each face that is meant, from left to right, with the indices of the drags that lie on it.

    faces: as `alignment.share_out` takes them. box: what is meant, whatever is there (left, top, right,
    bottom in photo pixels): its square is taken and no face is looked for. drags `[K, N, 2]` in photo pixels,
    each on one face. Raises NoFaceError, OutsideError, UsageError.
    """

    def session(square: Alignment, face: Face | None, count: int | None) -> Session:
        crop = crop_of(photo, square, checkpoint.generator.resolution)
        return Session(
            photo_path=photo_path,
            photo_sha256=photo.sha256,
            photo_size=(photo.width, photo.height),
            model=checkpoint.name,
            model_sha256=checkpoint.sha256,
            quality=quality,
            seed=settings.seed,
            settings=dataclasses.asdict(settings),
            face=None if face is None else face.index,
            landmarks=None if face is None else face.landmarks,
            alignment=square,
            crop=crop.pixels,
            valid=crop.valid,
            faces=count,
            points=None if face is None else sliding.dense_points(photo, square),
        )

    if box is not None and tuple(faces) != ("auto",):
        raise UsageError("a box and a face were named; name one of them")
    square = square_without_face((photo.width, photo.height), checkpoint, box)
    if square is not None:
        return [(session(square, None, None), list(range(len(np.asarray(drags)))))]
    try:
        found = find_faces(photo.eight_bit(), points=drags, models=models)
        shared = share_out(found, faces, drags)
    except NoFaceError as error:
        raise NoFaceError(f"{photo_path}: {error}") from error
    except ValueError as error:
        raise UsageError(f"{error}") from error
    return [(session(face.alignment, face, len(found)), own) for face, own in shared]


def invert(
    session: Session, checkpoint: Checkpoint, settings: InversionSettings, *, on_step: OnStep = keep_going
) -> Session:
    """Find the latent of the crop, and tune the generator to it where the settings say so."""
    return invert_together([session], checkpoint, settings, on_step=on_step)[0]


def invert_together(
    sessions: Sequence[Session],
    checkpoint: Checkpoint,
    settings: InversionSettings,
    *,
    on_step: OnStep = keep_going,
) -> list[Session]:
    """`invert` for several crops: their latents are searched for as one batch, which a GPU does in little
    more time than one; then the generator is tuned to one after the other.
    """
    device = device_of(checkpoint)
    crops = torch.cat([to_tensor(session.crop, device) for session in sessions])  # [N, 3, R, R]
    valid = torch.from_numpy(np.stack([session.valid for session in sessions]).astype(np.float32))
    valid = valid.to(device)[:, None]  # [N, 1, R, R]
    try:
        loss = inversion.choose(settings.perceptual, checkpoint, checkpoints.backbone)
    except ValueError as error:
        raise UsageError(f"{error}; fetch it with: realedit models pull {settings.perceptual}") from error
    log.info("inverting with the perceptual loss %s", loss.name)
    label = label_of(settings, checkpoint)
    pivots = inversion.starting_latent(checkpoint, crops, label)
    made: dict[str, int] = {}
    steps: Iterator[Step] = inversion.project(
        checkpoint, crops, valid, loss, settings.projection, start=pivots, precision=settings.precision
    )
    for step in steps:
        pivots = step.latent
        made[step.stage] = step.index
        if not on_step(step):
            break
    rows = [[part[i : i + 1] for part in (pivots, crops, valid)] for i in range(len(sessions))]
    return [
        _tuned(session, checkpoint, settings, row, loss, label, made, on_step)
        for session, row in zip(sessions, rows, strict=True)
    ]


def _tuned(
    session: Session,
    checkpoint: Checkpoint,
    settings: InversionSettings,
    row: Sequence[torch.Tensor],
    loss: inversion.PerceptualLoss,
    label: torch.Tensor | None,
    made: Mapping[str, int],
    on_step: OnStep,
) -> Session:
    """The session with its pivot, and the generator tuned to it. row: pivot, crop and valid."""
    pivot, crop, valid = row
    made = dict(made)
    tuning: Mapping[str, torch.Tensor] = {}
    if settings.tuning.steps:
        tuned = inversion.tuned_copy(checkpoint.generator)
        tuning_steps = inversion.tune(
            checkpoint, tuned, pivot, crop, valid, loss, settings.tuning,
            label=label, seed=settings.seed, precision=settings.precision,
        )  # fmt: skip
        for step in tuning_steps:
            made[step.stage] = step.index
            if not on_step(step):
                break
        tuning_steps.close()
        tuning = inversion.difference(tuned, checkpoint.generator)
    pivot = pivot.detach().cpu()
    return replace(
        session, pivot=pivot, current=pivot, tuning=tuning, history=(), masks={}, loss=loss.name, steps=made
    )


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
    latent. Points on lids and lips are not the generator's: the paste lets these slide. Where no other point
    has a way to go, a session that is not inverted will do.

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


def render(
    photo: Photo,
    session: Session,
    checkpoint: Checkpoint,
    settings: PasteSettings | None = None,
    *,
    debug: Path | None = None,
) -> Photo:
    """The photo with everything in it that was dragged so far.

    `photo` may be the result of another session: several edited faces of one photo are rendered one after the
    other. debug: a folder that gets the pictures the paste is made of.
    """
    settings = settings or PasteSettings()
    mask, features, original = photo_mask(session), features_of(session), photo
    photo = sliding.slid(photo, session, mask)
    if debug is not None and features is not None:
        write_png(debug / "parts.png", sliding.parts(session, features))
    if debug is not None and (drawn := turning.picture(original, session)) is not None:
        write_png(debug / "head.png", drawn)
    if (
        session.pivot is None
        and session.history
        and all(entry.carried and not entry.steps for entry in session.history)
    ):
        return turning.turned(photo, original, session, mask)  # nothing was the generator's
    before, after = pictures(session, checkpoint)
    size = checkpoint.generator.resolution
    reach = reach_of(session, size)
    crop = session.crop if photo.changed is None else crop_of(photo, session.alignment, size).pixels
    change = describe(
        before,
        after,
        crop,
        session.valid,
        reach,
        replace(settings.change, mode=settings.mode),
        inverted=session.crop,
        mouth=_mouth(session, before, after) if settings.mode == "detail" else None,
    )
    if features is not None and not change.empty:
        change = change.moved_alone(features.covered(session.moves, session.alignment, change.size))
    if debug is not None:
        for name, picture in debug_pictures(crop, before, after, reach, change).items():
            write_png(debug / f"{name}.png", picture)
    photo = paste(photo, change, session.alignment, mask=mask)
    return turning.turned(photo, original, session, mask)


def _mouth(session: Session, before: NDArray[np.float32], after: NDArray[np.float32]) -> Mouth | None:
    """Where the face's landmarks are and where they went; None without a face or a change."""
    if session.landmarks is None or np.array_equal(before, after):
        return None
    old, new = session.landmarks, moved_landmarks(session, before, after)
    return Mouth(session.alignment.to_crop(old, 1), session.alignment.to_crop(new, 1))


def render_faces(
    photo: Photo,
    sessions: Sequence[tuple[Session, Checkpoint]],
    settings: PasteSettings | None = None,
    *,
    debug: Path | None = None,
) -> Photo:
    """`render` of several faces of one photo in order, each on what the ones before made of it.

    debug: gets a folder for each face, by its place in the order, where there are several.
    """
    for number, (session, checkpoint) in enumerate(sessions):
        folder = debug
        if debug is not None and len(sessions) > 1:
            folder = debug / str(number)
            make_folder(folder)
        photo = render(photo, session, checkpoint, settings, debug=folder)
    return photo


def same_settings(session: Session, settings: InversionSettings) -> bool:
    """Whether a session was inverted with these settings."""
    return dict(session.settings) == dataclasses.asdict(settings)


def _points(points: ArrayLike) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in np.asarray(points, float).reshape(-1, 2)]
