"""Lids and lips of a session: where they are, how far they are asked to go, and the photo with them there."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alignment import Alignment
from checkpoints import Checkpoint
from realedit.compositing import Features, Moves, Scene, parts_picture, slide
from realedit.photos import Photo
from realedit.sessions.pictures import features_of, moved_so_far
from realedit.sessions.session import Session

FADE = 0.015  # of the square's side: over so much a mask's border lets parts slide


def dense_points(photo: Photo, square: Alignment) -> NDArray[np.float64]:
    """`[478, 2]`: where the parts of the face in a square are, photo pixels."""
    from realedit.perception import perceive

    return perceive(photo.view(), square).points


def with_points(session: Session, photo: Photo) -> Session:
    """The session with the points of its face, also where it was kept before any were looked for."""
    if session.face is None or session.points is not None:
        return session
    return replace(session, points=dense_points(photo, session.alignment))


def moved_before(
    session: Session, checkpoint: Checkpoint, starts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far the generator has moved what these points (`[K, 2]` photo pixels) of the current result lie on:
    parts slide in the photo as it was."""
    if features_of(session) is None:
        return np.zeros_like(starts)
    return moved_so_far(session, checkpoint, starts)


def asked(
    session: Session,
    starts: NDArray[np.float64],
    ends: NDArray[np.float64],
    moved: NDArray[np.float64],
) -> tuple[Moves, NDArray[np.bool_]]:
    """How far parts of the face are to slide after a drag of these points (`[K, 2]` photo pixels,
    positions in the current result; moved: `moved_before` of the starts), and which of the points say
    so, `[K]`; the others are the generator's."""
    features = features_of(session)
    if features is None:
        return Moves(), np.zeros(len(starts), np.bool_)
    return features.asked(session.moves, starts - moved, ends - moved)


def slid(scene: Scene, session: Session, mask: NDArray[np.bool_] | None) -> Photo:
    """The scene's photo with the session's lids and lips where its drags took them; mask: as `slide` takes
    it."""
    return slide(scene.photo, scene.slides(session.moves), mask=mask, fade=FADE * session.alignment.side)


def parts(session: Session, features: Features) -> NDArray[np.uint8]:
    """The session's crop with the edges of what slides."""
    before, after = (
        [session.alignment.to_crop(edge, session.crop.shape[0]) for edge in features.edges(moves)]
        for moves in (Moves(), session.moves)
    )
    return parts_picture(session.crop, before, after)
