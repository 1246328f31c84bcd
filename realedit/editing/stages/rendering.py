"""The last stage: photo and session -> the photo with what was dragged."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from checkpoints import Checkpoint
from realedit.compositing import Mouth, Scene, debug_pictures, describe, paste
from realedit.compositing.settings import PasteSettings as PasteSettings
from realedit.editing import sliding
from realedit.geometry.cropping import crop_of
from realedit.photos import Photo
from realedit.plumbing.files import make_folder, write_png
from realedit.sessions import turning
from realedit.sessions.pictures import features_of, moved_landmarks, pictures
from realedit.sessions.regions import photo_mask, reach_of
from realedit.sessions.session import Session


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
    if features is not None:
        photo = sliding.slid(Scene(features, photo), session, mask)
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
