"""Points and recipes on a session: each recipe is a drag that goes on from what the one before made."""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from checkpoints import Checkpoint
from realedit.compositing.features import LANDMARKS
from realedit.drag import DragSettings, OnStep, keep_going
from realedit.drag.motions import BEYOND
from realedit.editing import stages
from realedit.errors import OutsideError
from realedit.geometry.reach import Parts, Reach
from realedit.recipes.placing import draggable, frame_for, place, within
from realedit.recipes.recipe import Recipe, Use
from realedit.sessions import turning
from realedit.sessions.pictures import features_of, moved_landmarks, pictures
from realedit.sessions.session import Session

log = logging.getLogger(__name__)

_THERE = 0.02  # interocular distances: what is so near to where it should go is there
_MOST = 0.75  # of the photos: a recipe that came out well in fewer says so


def drag(
    session: Session,
    checkpoint: Checkpoint,
    drags: Sequence[tuple[tuple[float, float], tuple[float, float]]],
    uses: Sequence[Use],
    *,
    mask: NDArray[np.uint8] | None = None,
    reach: Reach = "local",
    settings: DragSettings | None = None,
    on_step: OnStep = keep_going,
) -> Session:
    """First the points of `drags` (handle and target, photo pixels) together, then each recipe in turn.

    mask, settings: as in `stages.drag`; a recipe has its own reach and choices on top of them. A stopped
    drag is the last. Raises UsageError where a recipe does not suit the model, OutsideError where a point
    leaves the square.
    """
    settings = settings or DragSettings()

    def go(points: ArrayLike, reach: Reach | Parts, settings: DragSettings) -> Session:
        handles, targets = np.moveaxis(np.asarray(points, float), 1, 0)  # [K, 2, 2] -> twice [K, 2]
        return stages.drag(
            session, checkpoint, handles, targets,
            mask=mask, reach=reach, settings=settings, on_step=on_step,
        )  # fmt: skip

    if drags:
        session = go(drags, reach, settings)
    for use in uses:
        if session.history and session.history[-1].ending == "stopped":
            break
        points, where, chosen = placed(session, checkpoint, use, settings)
        session = go(points, where, chosen)
    return session


def placed(
    session: Session, checkpoint: Checkpoint, use: Use, settings: DragSettings
) -> tuple[NDArray[np.float64], Reach | Parts, DragSettings]:
    """A recipe on the session's face as it is now: handles and targets `[K, 2, 2]` in photo pixels, the reach
    of the drag and its settings. Raises as `drag` does."""
    recipe = use.recipe
    landmarks = current_landmarks(session, checkpoint)
    frame = frame_for(recipe, landmarks, session.alignment, checkpoint.domain)
    asked = place(recipe, frame, use.strength)
    points = within(asked, session.alignment, session.photo_size)
    useful = draggable(asked, points, session.alignment, session.photo_size)
    if not useful.any():
        raise OutsideError(
            f"all that the recipe {recipe.name} moves lies outside of the photo or of what the model "
            "sees of the face; use a photo that shows it"
        )
    if not useful.all():
        log.warning(
            "the recipe %s has a point at or past the edge of what the model sees; it goes without it",
            recipe.name,
        )
    elif not np.allclose(asked, points):
        log.warning(
            "the recipe %s moves a point out of what the model sees; it goes as far as the edge",
            recipe.name,
        )
    if beyond(recipe, use.strength, checkpoint):
        log.warning(
            "the recipe %s at strength %g goes farther than the model learned; it goes as far as that",
            recipe.name, use.strength,
        )  # fmt: skip
    points = points[useful]
    far = np.linalg.norm(points[:, 1] - points[:, 0], axis=1).max()
    if use.strength and far < _THERE * abs(use.strength) * np.linalg.norm(frame.right):
        log.warning("the recipe %s has nothing to move on this face: all is there already", recipe.name)
    return points, recipe.where, recipe.drag.over(settings, use.strength)


def beyond(recipe: Recipe, strength: float, checkpoint: Checkpoint) -> bool:
    """Whether the recipe's amounts of motions at a strength are more than the model may go."""
    known = None if checkpoint.codes is None else checkpoint.codes.motions
    if known is None or recipe.drag.amounts is None:
        return False
    asked_for = known.all_of(recipe.drag.motions or ())
    if asked_for is None:
        return False
    limits = BEYOND * known.ranges[asked_for]
    asked = strength * limits.new_tensor(recipe.drag.amounts)
    return bool((asked < limits[:, 0]).any() or (asked > limits[:, 1]).any())


def known_limits(uses: Sequence[Use], checkpoint: Checkpoint) -> list[str]:
    """A warning for every recipe that is known to come out badly with this model."""
    warnings = []
    for recipe in dict.fromkeys(use.recipe for use in uses):
        measured = recipe.measured_with(checkpoint.sha256)
        if measured is not None and measured.good < _MOST:
            good = round(measured.good * measured.portraits)
            warnings.append(
                f"with {checkpoint.name} the recipe {recipe.name} came out well in only {good} of "
                f"{measured.portraits} portraits; look at the result"
            )
    return warnings


def current_landmarks(session: Session, checkpoint: Checkpoint) -> NDArray[np.float64] | None:
    """Where the face's landmarks are in the current result, photo pixels `[68, 2]`; None without a face.

    Lids' are where the dense points see them. After a drag all are moved as dlib sees them move from
    before to after, and as the parts of the face slid, and as the
    head turned.
    """
    if session.landmarks is None:
        return None
    landmarks = session.landmarks.copy()
    shift = np.zeros_like(landmarks)
    inverted = session.pivot is not None
    if inverted and any(len(each.carried) < len(each.handles) for each in session.history):
        shift = moved_landmarks(session, *pictures(session, checkpoint)) - session.landmarks
    features = features_of(session)
    if features is not None and session.points is not None:
        landmarks[list(LANDMARKS)] = session.points[list(LANDMARKS.values())]
        landmarks = features.moved(session.moves, landmarks)
    return turning.in_result(session, np.asarray(landmarks + shift))
