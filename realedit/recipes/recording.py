"""From a finished session's drags to a recipe: each point is told from the landmark nearest to it."""

import re

import msgspec
import numpy as np
from numpy.typing import NDArray

from alignment.names import NAMES
from realedit.errors import SessionError
from realedit.geometry.reach import REACHES, Parts, Reach
from realedit.recipes.placing import Frame
from realedit.recipes.recipe import Point, Recipe
from realedit.sessions.session import Session

_SAME = 0.03  # units; a drag that begins this near to where one ended takes the same point further
_ON = 0.005  # units; this near to a landmark is at it
_DIGITS = 4


def recorded(session: Session, name: str) -> Recipe:
    """The session's drags as one recipe; `name` is made one that a recipe may have.

    Points lie beside their nearest landmarks, and movements are those asked for, in interocular distances;
    without a face both are shares of the square's side. The reach is the widest of the drags'. Raises
    SessionError where nothing was dragged.
    """
    if not session.history:
        raise SessionError("nothing was dragged in the session yet; run: realedit drag DIR --drag X,Y:X,Y")
    landmarks = session.landmarks
    frame = Frame.of_box(session.alignment) if landmarks is None else Frame.of_face(landmarks)
    reach = _reach(session)
    ways = _ways(session, _SAME * float(np.hypot(*frame.right)))
    return Recipe(
        name=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64].rstrip("-") or "recorded",
        description=f"Recorded from a session with {len(session.history)} drags.",
        units="box" if landmarks is None else "face",
        points=tuple(_point(frame, start, end) for start, end in ways),
        reach=None if isinstance(reach, Parts) or reach == "local" else reach,
        mask=reach if isinstance(reach, Parts) else None,
    )


def to_toml(recipe: Recipe) -> str:
    """A recipe as a file that `load` reads; what has its usual value is left out."""
    fields = msgspec.to_builtins(recipe)
    points = fields.pop("points")
    lines = [f"{key} = {_value(value)}" for key, value in fields.items()]
    for point in points:
        lines += ["", "[[points]]", *(f"{key} = {_value(value)}" for key, value in point.items())]
    return "\n".join(lines) + "\n"


def _ways(session: Session, near: float) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Where each point began and should have ended, photo pixels; a drag that goes on from one
    before is part of it."""
    ways: list[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]] = []
    for drag in session.history:
        for numbers in zip(drag.handles, drag.targets, drag.reached, strict=True):
            handle, target, reached = (np.array(each, float) for each in numbers)
            for index, (start, _, ended) in enumerate(ways):
                if float(np.hypot(*(handle - ended))) <= near:
                    ways[index] = (start, target, reached)
                    break
            else:
                ways.append((handle, target, reached))
    return [(start, target) for start, target, _ in ways]


def _point(frame: Frame, start: NDArray[np.float64], end: NDArray[np.float64]) -> Point:
    move = _pair(frame.units(end - start))
    if frame.landmarks is None:
        right, up = _pair(frame.units(start - frame.origin))
        return Point(at=(right, -up), move=move)
    nearest = int(np.linalg.norm(frame.landmarks - start, axis=1).argmin())
    name = next((name for name, members in NAMES.items() if members == (nearest,)), f"68:{nearest}")
    offset = _pair(frame.units(start - frame.landmarks[nearest]))
    return Point(at=name, offset=offset if np.hypot(*offset) > _ON else (0.0, 0.0), move=move)


def _reach(session: Session) -> Reach | Parts:
    """The widest of the drags; masks painted for one photo fit no other and are left out."""
    reaches = [drag.reach for drag in session.history]
    parts = [reach for reach in reaches if isinstance(reach, Parts)]
    if len(parts) < len(reaches):
        return max((reach for reach in REACHES if reach in reaches), key=REACHES.index)
    regions = tuple(dict.fromkeys(name for each in parts for name in each.regions))
    margin, fade = max(each.margin for each in parts), max(each.fade for each in parts)
    return Parts(regions=regions, margin=margin, fade=fade)


def _pair(numbers: NDArray[np.float64]) -> tuple[float, float]:
    x, y = (round(float(number), _DIGITS) + 0.0 for number in numbers)  # + 0.0: no minus before zero
    return x, y


def _value(value: object) -> str:
    """TOML for texts, numbers, arrays and tables of them; JSON has the same form but for tables."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    return msgspec.json.encode(value).decode()
