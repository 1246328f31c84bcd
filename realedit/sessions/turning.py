"""The head of a session: how far drags ask it to turn, and the photo with it turned."""

import logging
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from realedit.compositing import HEAD_MOTIONS, Head, Turn, head_picture, paste
from realedit.drag import DragSettings
from realedit.geometry.reach import Parts, Reach
from realedit.photos import Photo
from realedit.sessions.session import Session

log = logging.getLogger(__name__)

Points = NDArray[np.float64]

TOLD = 0.5  # degrees: of less that is missing nobody is told


def head_of(session: Session, *, glasses: float = 0.0) -> Head | None:
    """The head whose face the session has; None without a face. glasses: as `Head` has them."""
    if session.points is None:
        return None
    from realedit.perception.weights import bundled

    return Head.of(session.points, session.alignment, bundled().shape, glasses=glasses)


def asked(
    session: Session, reach: Reach | Parts, settings: DragSettings, starts: Points, ends: Points
) -> tuple[Turn, DragSettings, NDArray[np.bool_]]:
    """How far the head is to have turned after a drag of these points (`[K, 2]` photo pixels, positions in
    the current result), the settings for what is not the head's, and which of the points are, `[K]`.

    Amounts of the motions `turn`, `nod` and `tilt` are degrees. Without motions the points themselves say how
    far, where their reach is the head and they go as a head does.
    """
    nothing, everything = np.zeros(len(starts), np.bool_), np.ones(len(starts), np.bool_)
    head = head_of(session)
    if head is None:
        return session.turn, settings, nothing
    if settings.amounts and set(settings.motions) & set(HEAD_MOTIONS):
        amounts = dict(zip(settings.motions, settings.amounts, strict=True))
        turn = _within(head, session.turn, *(amounts.get(name, 0.0) for name in HEAD_MOTIONS))
        others = {name: amount for name, amount in amounts.items() if name not in HEAD_MOTIONS}
        settings = replace(settings, motions=tuple(others), amounts=tuple(others.values()))
        return turn, settings, nothing if others else everything
    if reach != "head" or settings.motions or np.allclose(starts, ends):
        return session.turn, settings, nothing
    turned = head.asked(session.turn, starts, ends)
    if turned is None:
        return session.turn, settings, nothing
    return _within(head, Turn(), turned.yaw, turned.pitch, turned.roll), settings, everything


def _within(head: Head, turn: Turn, *angles: float) -> Turn:
    """Farther by these angles, and no farther than the photo can show."""
    result = head.farther(turn, *angles)
    wanted = np.add([turn.yaw, turn.pitch, turn.roll], angles)
    got = np.array([result.yaw, result.pitch, result.roll])
    most = int(np.abs(wanted - got).argmax())
    if abs(wanted[most] - got[most]) > TOLD:
        log.warning(
            "the head would turn by %.0f degrees; it turns by %.0f, since farther round most of what comes "
            "to light is not in the photo",
            abs(wanted[most]),
            abs(got[most]),
        )
    return result


def in_photo(session: Session, points: Points) -> Points:
    """Where points `[K, 2]` of the current result are in the photo as if its head had not turned."""
    return back(session, session.turn, points)


def back(session: Session, turn: Turn, points: Points) -> Points:
    """Where points `[K, 2]` of the head, turned by `turn`, are in the photo as it was."""
    head = None if turn == Turn() else head_of(session)
    return points if head is None else head.unturned(turn, points)


def in_result(session: Session, points: Points) -> Points:
    """Where points `[K, 2]` of the photo are in the current result, as far as the head has turned."""
    head = None if session.turn == Turn() else head_of(session)
    return points if head is None else head.turned(session.turn, points)


def turned_points(session: Session, turn: Turn, points: Points) -> Points:
    """Where points `[K, 2]` of the current result are when the head has turned by `turn` in all."""
    head = head_of(session)
    return points if head is None else head.turned(turn, in_photo(session, points))


def turned(photo: Photo, before: Photo, session: Session, mask: NDArray[np.bool_] | None) -> Photo:
    """The photo with the session's head turned. before: the photo in which the session's face was found, as
    it was before anything was edited; mask: as `paste` takes it."""
    if session.points is None or session.turn == Turn():
        return photo
    from realedit.perception import perceive

    seen = perceive(before.view(), session.alignment)
    head = head_of(session, glasses=seen.glasses)
    assert head is not None
    matte = seen.matte(head.square, head.size)
    return paste(photo, head.change(session.turn, matte), head.square, mask=mask, grain=False)


def picture(photo: Photo, session: Session) -> NDArray[np.uint8] | None:
    """The photo with the lines of the face, where they are and where they go; None where no head turns."""
    head = head_of(session)
    if head is None or session.turn == Turn():
        return None
    return head_picture(photo, head, session.turn)
