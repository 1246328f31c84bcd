"""One edit of one photo and what the judge says of it; what kind of photo it is."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment import extract_crop
from checkpoints import Checkpoint
from realedit.compositing.tone import Tone
from realedit.editing import stages
from realedit.editing.applying import drag
from realedit.editing.measuring import identity_distance
from realedit.editing.verdicts import verdict_on
from realedit.looks import Verdict
from realedit.looks.pair import lab
from realedit.perception import Perceived, perceive
from realedit.photos import Photo
from realedit.recipes import Frame, Point, Recipe, Use
from realedit.sessions.session import Session

Picture = NDArray[np.uint8]
DRAGS: dict[str, Point] = {
    "drag corner": Point(at="mouth.right_corner", move=(0.1, 0.1)),
    "drag chin": Point(at="jaw.chin", move=(0.0, -0.12)),
    "drag brow": Point(at="left_brow.middle", move=(0.0, 0.1)),
}
"""The explicit drags that every photo gets: handle, and how far it goes in interocular distances."""

GLASSES, PARTED = 0.5, 0.04  # how sure glasses are; interocular distances between lips that are apart
TILTED, TURNED = 15.0, 20.0  # degrees
SMALL, LARGE = 200, 800  # pixels of the face's square
LIGHT, DARK = 28.0, 10.0  # degrees of the individual typology angle of skin: light above, dark below
_CHEEKS = (50, 280, 205, 425)
_VIEW = 256


@dataclass(frozen=True)
class Looked:
    """One edit: which, what kind of photo, and the verdict with its reasons. digest: of the recipe, or
    what the drag is; person: by whom photos are split."""

    photo: str
    person: str
    what: str
    digest: str
    kinds: tuple[str, ...]
    verdict: str
    reasons: tuple[str, ...]
    words: tuple[str, ...]
    identity: float
    seconds: float
    judged: float
    measures: Mapping[str, float] = field(default_factory=dict)

    @property
    def badness(self) -> tuple[int, int, float]:
        """Sorts the worst last."""
        return ("good", "weak", "bad").index(self.verdict), len(self.reasons), self.identity


def look(
    what: str, recipe: Recipe | None, photo: Photo, session: Session, checkpoint: Checkpoint
) -> tuple[Verdict, float, tuple[float, float], Picture]:
    """The verdict on one edit, the identity distance, the seconds of edit and of judge, and the result.

    what: a recipe's name, or (recipe None) one of `DRAGS`. Raises what an edit raises.
    """
    started = time.perf_counter()
    uses = [] if recipe is None else [Use(recipe=recipe)]
    dragged = drag(session, checkpoint, [] if uses else [dragged_points(what, session)], uses)
    result = stages.render(photo, dragged, checkpoint)
    edited = time.perf_counter()
    identity = identity_distance(photo, result, dragged) or 0.0
    begun = time.perf_counter()
    verdict = verdict_on(photo, result, dragged, uses, identity=identity)
    seconds = edited - started, time.perf_counter() - begun
    if verdict is None:  # nothing changed
        return _nothing(), identity, seconds, result.srgb()
    return verdict, identity, seconds, result.srgb()


def dragged_points(what: str, session: Session) -> tuple[tuple[float, float], tuple[float, float]]:
    """Handle and target of one of `DRAGS` on a face, photo pixels."""
    assert session.landmarks is not None
    point, frame = DRAGS[what], Frame.of_face(session.landmarks)
    handle = frame.handle(point)
    target = handle + frame.movement(point)
    return (float(handle[0]), float(handle[1])), (float(target[0]), float(target[1]))


def kinds_of(photo: Photo, session: Session) -> tuple[str, ...]:
    """What kind of photo it is: glasses, lips, skin, tilt, turn, size, colours."""
    pixels = photo.srgb()
    seen = perceive(pixels, session.alignment)
    skin = _skin(pixels, seen)
    side = session.alignment.side
    view = extract_crop(pixels, session.alignment, _VIEW).pixels.astype(np.float32) / 255
    return (
        "glasses" if seen.glasses >= GLASSES else "no glasses",
        "lips apart" if seen.mouth_gap >= PARTED else "lips closed",
        "black and white" if Tone.of(view) is not None else f"{skin} skin",
        "tilted" if abs(seen.pose.roll) > TILTED else "upright",
        "turned" if abs(seen.pose.yaw) > TURNED else "from the front",
        "small" if side < SMALL else "large" if side >= LARGE else "medium size",
    )


def _skin(pixels: Picture, seen: Perceived) -> str:
    """light, medium or dark: by the individual typology angle of the cheeks' colour (Chardon et al. 1991)."""
    colours = []
    for index in _CHEEKS:
        x, y = (int(value) for value in seen.points[index])
        around = pixels[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4].astype(np.float32) / 255
        if around.size:
            colours.append(lab(around).reshape(-1, 3).mean(axis=0))
    if not colours:
        return "medium"
    lightness, _, yellow = np.median(colours, axis=0)
    angle = math.degrees(math.atan2(float(lightness) - 50, max(float(yellow), 1e-3)))
    return "light" if angle > LIGHT else "dark" if angle < DARK else "medium"


def _nothing() -> Verdict:
    from realedit.looks import Reason

    return Verdict("bad", (Reason("did: nothing", 0.0, "bad", "nothing changed"),), {})


def as_looked(value: Mapping[str, Any]) -> Looked:
    """From JSON."""
    lists = {key: tuple(value[key]) for key in ("kinds", "reasons", "words")}
    return Looked(**{**value, **lists})
