"""How much of what was asked of a face shows in the result, and how much it is still the same person."""

import numpy as np

from alignment.identity import descriptor, distance
from alignment.landmarks import landmarks_in
from realedit.photos import Photo
from realedit.sessions.regions import around_face
from realedit.sessions.session import Session
from realedit.sessions.turning import in_result

AT_LANDMARK = 0.06  # interocular distances: a handle so near to a landmark moves it
TELLABLE = 0.03  # interocular distances: dlib cannot tell less of a movement


def seen_share(after: Photo, session: Session) -> float | None:
    """The share of the movement asked of the face's landmarks that dlib sees in the photo `after`: of the
    handles that lie at landmarks, along their ways. None where none of those was asked to move far enough to
    tell, or without a face."""
    if session.landmarks is None:
        return None
    unit = float(np.linalg.norm(session.landmarks[42:48].mean(0) - session.landmarks[36:42].mean(0)))
    places, asked = session.landmarks.copy(), np.zeros((68, 2))
    for entry in session.history:
        for i, (start, target, reached) in enumerate(
            zip(entry.handles, entry.targets, entry.reached, strict=True)
        ):
            if i in entry.carried:  # lids and lips, which dlib has not learned to see shut
                continue
            apart = np.linalg.norm(places - start, axis=1)
            nearest = int(apart.argmin())
            if apart[nearest] < AT_LANDMARK * unit:
                asked[nearest] += np.subtract(target, start)
                places[nearest] += np.subtract(reached, start)
    wanted = float((asked**2).sum())
    if np.linalg.norm(asked, axis=1).max() < TELLABLE * unit:
        return None
    box, landmarks, square = around_face(session)
    moved = landmarks_in(after.srgb(box), square) - landmarks
    return float((moved * asked).sum()) / wanted


def identity_distance(before: Photo, after: Photo, session: Session) -> float | None:
    """dlib descriptor distance between the face before and after, at the landmarks of the photo, turned
    with the head; None without a face."""
    if session.landmarks is None:
        return None
    if after.changed is None:
        return 0.0
    box, landmarks, _ = around_face(session)
    corner = session.landmarks - landmarks
    turned = in_result(session, session.landmarks) - corner
    one, other = (
        descriptor(photo.srgb(box), places) for photo, places in ((before, landmarks), (after, turned))
    )
    return distance(one, other)
