"""What an edit looks like on one face, from its session and the recipes that were asked for."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from realedit.looks import Asked, Verdict, judge
from realedit.perception.frames import VIEW
from realedit.photos import Photo
from realedit.recipes import Use
from realedit.sessions.session import Session

_MARGIN = 8  # photo pixels beyond what is looked at


def verdict_on(
    before: Photo,
    after: Photo,
    session: Session,
    uses: Sequence[Use | None] = (),
    *,
    identity: float | None = None,
) -> Verdict | None:
    """How one face of `after` looks beside the photo; None without a face, or where nothing changed.

    uses: the recipes that the last drags of the session came from, in order, None for points. identity:
    dlib's distance between both. Only the part of the photos around the face is looked at.
    """
    if session.landmarks is None or after.changed is None:
        return None
    wide = replace(session.alignment, side=VIEW * session.alignment.side).corners()
    left, top = (max(0, math.floor(value) - _MARGIN) for value in wide.min(axis=0))
    right, bottom = (math.ceil(value) + _MARGIN for value in wide.max(axis=0))
    box = left, top, min(right, before.width), min(bottom, before.height)
    x, y = session.alignment.centre
    face = replace(session.alignment, centre=(x - left, y - top))
    asked = _asked(session, uses, (left, top))
    return judge(before.srgb(box), after.srgb(box), face, asked, identity=identity)


def _asked(session: Session, uses: Sequence[Use | None], corner: tuple[int, int]) -> list[Asked]:
    """Everything that was asked since the photo was taken, in pixels of its part that begins at `corner`."""
    plain = max(0, len(session.history) - len(uses))
    recipes = [*([None] * plain), *uses]
    return [
        Asked(
            None if use is None else use.recipe.name,
            1.0 if use is None else use.strength,
            np.asarray(entry.handles, float) - corner,
            np.asarray(entry.targets, float) - corner,
        )
        for entry, use in zip(session.history, recipes, strict=False)
    ]
