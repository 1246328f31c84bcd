"""The verdict on one face of an edit, from its session and what was asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from realedit.looks.verdict import Asked, Verdict, judge
from realedit.perception.frames import VIEW
from realedit.photos import Photo
from realedit.recipes import Frame, Use, place
from realedit.session import Session

Point = tuple[float, float]
_MARGIN = 8  # photo pixels beyond what is looked at


def verdict_on(
    before: Photo,
    after: Photo,
    session: Session,
    drags: Sequence[tuple[Point, Point]],
    uses: Sequence[Use],
    *,
    identity: float | None = None,
) -> Verdict | None:
    """How one face of `after` looks beside the photo; None without a face, or where nothing changed.

    drags: handles and targets that were asked of it, photo pixels; uses: the recipes. identity: dlib's
    distance between both. Only the part of the photos around the face is looked at.
    """
    if session.landmarks is None or after.changed is None:
        return None
    wide = replace(session.alignment, side=VIEW * session.alignment.side).corners()
    left, top = (max(0, math.floor(value) - _MARGIN) for value in wide.min(axis=0))
    right, bottom = (math.ceil(value) + _MARGIN for value in wide.max(axis=0))
    box = left, top, min(right, before.width), min(bottom, before.height)
    x, y = session.alignment.centre
    face = replace(session.alignment, centre=(x - left, y - top))
    return judge(
        before.srgb(box), after.srgb(box), face, _asked(session, drags, uses, (left, top)), identity=identity
    )


def _asked(
    session: Session, drags: Sequence[tuple[Point, Point]], uses: Sequence[Use], corner: Point
) -> list[Asked]:
    """What was asked, in pixels of the part of the photo that begins at `corner`."""
    asked = []
    if drags:
        handles, targets = np.moveaxis(np.asarray(drags, float) - corner, 1, 0)
        asked.append(Asked(handles=handles, targets=targets))
    for use in uses:
        if use.recipe.units == "face" and session.landmarks is not None:
            points = place(use.recipe, Frame.of_face(session.landmarks), use.strength) - corner
            asked.append(Asked(use.recipe.name, use.strength, points[:, 0], points[:, 1]))
    return asked
