"""The four stages: align the photo, invert the crop, drag the latent, paste the change.

Each takes and returns plain values (a `Photo`, a `Session`); `edit` of the command line is one after the
other.
"""

import dataclasses
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

import checkpoints
import inversion
from alignment import Face, centred_square, choose_face, extract_crop, find_faces
from alignment.errors import NoFaceError
from alignment.models import FaceModels
from checkpoints import Checkpoint, Generator
from inversion import InversionSettings, Step
from realedit.compositing import ChangeSettings, Mode, debug_pictures, describe, paste
from realedit.drag import DragSettings, DragStep, Editor
from realedit.errors import SessionError, UsageError
from realedit.files import write_png
from realedit.masks import Parts, Reach
from realedit.photos import Photo
from realedit.regions import check_mask, check_points, crop_region, photo_mask
from realedit.session import Drag, Session, mask_name, to_picture, to_tensor

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
    points: ArrayLike | None = None,
    models: FaceModels | None = None,
    settings: InversionSettings,
    quality: str,
) -> Session:
    """Find the face that holds the points and cut its square: a session with nothing inverted yet.

    points `[K, 2]` in photo pixels. Raises NoFaceError, OutsideError.
    """
    size = checkpoint.generator.resolution
    landmarks = index = count = None
    if checkpoint.alignment == "ffhq":
        chosen, count = _chosen_face(photo.eight_bit(), photo_path, face, points, models)
        square, landmarks, index = chosen.alignment, chosen.landmarks, chosen.index
    else:
        square = centred_square(photo.width, photo.height)
    crop = extract_crop(photo.view(), square, size)
    return Session(
        photo_path=photo_path,
        photo_sha256=photo.sha256,
        photo_size=(photo.width, photo.height),
        model=checkpoint.name,
        model_sha256=checkpoint.sha256,
        quality=quality,
        seed=settings.seed,
        settings=dataclasses.asdict(settings),
        face=index,
        landmarks=landmarks,
        alignment=square,
        crop=_shown(photo, crop.pixels),
        valid=crop.valid,
        faces=count,
    )


def _shown(photo: Photo, crop: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8]:
    """A crop in the photo's own colours and depth as sRGB, uint8."""
    if photo.colour.is_srgb and crop.dtype == np.uint8:
        return np.asarray(crop, np.uint8)
    shown = photo.colour.to_srgb(crop.astype(np.float32) / np.float32(np.iinfo(crop.dtype).max))
    return np.asarray(np.clip(shown, 0, 1) * 255 + 0.5, np.uint8)


def _chosen_face(
    pixels: NDArray[np.uint8],
    path: Path,
    face: str | int,
    points: ArrayLike | None,
    models: FaceModels | None,
) -> tuple[Face, int]:
    """The face to edit, and how many there are."""
    try:
        faces = find_faces(pixels, points=points, models=models)
        return choose_face(faces, face, points), len(faces)
    except NoFaceError as error:
        raise NoFaceError(f"{path}: {error}") from error
    except ValueError as error:
        raise UsageError(f"{error}") from error


def invert(
    session: Session, checkpoint: Checkpoint, settings: InversionSettings, *, on_step: OnStep = keep_going
) -> Session:
    """Find the latent of the crop, and tune the generator to it where the settings say so."""
    device = _device(checkpoint)
    crop = to_tensor(session.crop, device)
    valid = torch.from_numpy(session.valid.astype(np.float32)).to(device)[None, None]
    try:
        loss = inversion.choose(settings.perceptual, checkpoint, checkpoints.backbone)
    except ValueError as error:
        raise UsageError(f"{error}; fetch it with: realedit models pull {settings.perceptual}") from error
    log.info("inverting with the perceptual loss %s", loss.name)
    label = label_of(settings, checkpoint)
    pivot = inversion.starting_latent(checkpoint, crop, label)
    made: dict[str, int] = {}
    steps: Iterator[Step] = inversion.project(
        checkpoint, crop, valid, loss, settings.projection, start=pivot, precision=settings.precision
    )
    for step in steps:
        pivot = step.latent
        made[step.stage] = step.index
        if not on_step(step):
            break
    tuning: Mapping[str, torch.Tensor] = {}
    if settings.tuning.steps + settings.tuning.noise_steps:
        tuned = inversion.tuned_copy(checkpoint.generator)
        tuning_steps = inversion.tune(
            checkpoint,
            tuned,
            pivot,
            crop,
            valid,
            loss,
            settings.tuning,
            label=label,
            seed=settings.seed,
            precision=settings.precision,
        )
        for step in tuning_steps:
            made[step.stage] = step.index
            if not on_step(step):
                break
        tuning_steps.close()
        tuning = inversion.difference(tuned, checkpoint.generator)
    pivot = pivot.detach().cpu()
    return replace(
        session,
        pivot=pivot,
        current=pivot,
        tuning=tuning,
        history=(),
        masks={},
        loss=loss.name,
        steps=made,
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
    latent.

    mask `[height, width]` uint8 over the displayed photo, white (>= 128) may move. Raises OutsideError for a
    point outside of the square, SessionError before the inversion.
    """
    latent = _latents(session)[1].to(_device(checkpoint))
    check_points(session, handles, targets)
    size = checkpoint.generator.resolution
    generator = generator_of(session, checkpoint)
    start = session.alignment.to_crop(handles, size)
    goal = session.alignment.to_crop(targets, size)
    entry = Drag(_points(handles), _points(targets), [], 0, "nothing", reach, None)
    if mask is not None:
        check_mask(mask, entry)
        entry = msgspec.structs.replace(entry, mask=mask_name(mask))
        session = replace(session, masks={**session.masks, mask_name(mask): mask})
    editor = Editor(
        generator,
        latent,
        settings or DragSettings(),
        inversion.CodeSpace.of(checkpoint),
        mask=crop_region(session, entry, size),
        layers=checkpoint.drag_layers,
    )
    editor.add(start, goal)
    step = None
    for step in editor.steps():
        if not on_step(step):
            break
    assert step is not None
    ending = "stopped" if step.ending == "running" else step.ending
    reached = _points(session.alignment.to_photo(editor.handles, size))
    entry = msgspec.structs.replace(entry, reached=reached, steps=step.index, ending=ending)
    return replace(session, current=editor.latent.detach().cpu(), history=(*session.history, entry))


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
    before, after = pictures(session, checkpoint)
    size = checkpoint.generator.resolution
    reach = np.zeros((size, size), np.float32)
    for entry in session.history:
        reach = np.maximum(reach, crop_region(session, entry, size))
    crop = session.crop if photo.changed is None else _crop_now(photo, session)
    change = describe(
        before,
        after,
        crop,
        session.valid,
        reach,
        replace(settings.change, mode=settings.mode),
        inverted=session.crop,
    )
    if debug is not None:
        for name, picture in debug_pictures(crop, before, after, reach, change).items():
            write_png(debug / f"{name}.png", picture)
    return paste(photo, change, session.alignment, mask=photo_mask(session))


def _crop_now(photo: Photo, session: Session) -> NDArray[np.uint8]:
    """The session's square of a photo that was edited since, `[R, R, 3]` sRGB."""
    corners = session.alignment.corners()
    left, top = (max(0, int(value) - 8) for value in corners.min(0))
    right, bottom = (
        min(int(v) + 9, limit) for v, limit in zip(corners.max(0), session.photo_size, strict=True)
    )
    x, y = session.alignment.centre
    square = replace(session.alignment, centre=(x - left, y - top))
    return _shown(
        photo, extract_crop(photo.view((left, top, right, bottom)), square, len(session.crop)).pixels
    )


def pictures(session: Session, checkpoint: Checkpoint) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Before and after: the pivot and the current latent, `[R, R, 3]` sRGB in [0, 1], from the same
    generator."""
    pivot, current = _latents(session)
    generator = generator_of(session, checkpoint)
    device = _device(checkpoint)
    with torch.no_grad():
        before = to_picture(generator.synthesis(pivot.to(device)))
        after = before if torch.equal(pivot, current) else to_picture(generator.synthesis(current.to(device)))
    return before, after


def label_of(settings: InversionSettings, checkpoint: Checkpoint) -> torch.Tensor | None:
    """The settings' label `[1, c_dim]`, None for a generator that takes none.

    Raises UsageError where a label is missing, CheckpointError for one that does not fit.
    """
    c_dim = checkpoint.generator.c_dim
    if settings.label is None:
        if c_dim:
            raise UsageError(
                f"the model {checkpoint.name} draws {c_dim} classes; say which with --label, 0 to {c_dim - 1}"
            )
        return None
    return checkpoints.parse_label(settings.label, c_dim).to(_device(checkpoint))


def same_settings(session: Session, settings: InversionSettings) -> bool:
    """Whether a session was inverted with these settings."""
    return dict(session.settings) == dataclasses.asdict(settings)


def generator_of(session: Session, checkpoint: Checkpoint) -> Generator:
    """The generator as tuned to the session's photo."""
    if not session.tuning:
        return checkpoint.generator
    tuned = inversion.tuned_copy(checkpoint.generator)
    try:
        inversion.apply(tuned, session.tuning)
    except ValueError as error:
        raise SessionError(f"{error}; delete the session and invert again") from error
    return tuned


def _latents(session: Session) -> tuple[torch.Tensor, torch.Tensor]:
    if session.pivot is None or session.current is None:
        raise SessionError("the session holds no inversion yet; run: realedit invert PHOTO --keep DIR")
    return session.pivot, session.current


def _points(points: ArrayLike) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in np.asarray(points, float).reshape(-1, 2)]


def _device(checkpoint: Checkpoint) -> torch.device:
    return next(checkpoint.generator.parameters()).device
