"""The reach of a drag: where in the crop it may act.

A reach is a soft region `[S, S]` in [0, 1] over the crop.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alignment.names import REGIONS, region_of
from realedit.errors import UsageError
from realedit.geometry.parts import REACHES as REACHES
from realedit.geometry.parts import Parts as Parts
from realedit.geometry.parts import Reach as Reach


@dataclass(frozen=True, kw_only=True)
class ReachSettings:
    """Widths of a drag's local region, in shares of the crop's side.

    core: everything this near to the dragged part may move fully. fade: over this much more it fades to
    nothing.
    others: how much of the reach is left on other parts of the face (a mouth moves, the nose above it
    hardly).
    """

    core: float = 0.05
    fade: float = 0.12
    others: float = 0.3


def reach_region(
    reach: str | Parts,
    handles: NDArray[np.float64],
    targets: NDArray[np.float64],
    size: int,
    *,
    landmarks: NDArray[np.float64] | None = None,
    settings: ReachSettings | None = None,
) -> NDArray[np.float32]:
    """The soft region `[size, size]` in [0, 1] a drag may change, by the name of its reach or its parts.

    `local`: see `local_reach`. `face`: the face's oval with the forehead. `head`: an ellipse around face and
    hair. `all`: the whole crop but a thin rim. Points and landmarks are crop pixels at `size`. Without
    landmarks `face` and `head` are `all`.
    """
    if isinstance(reach, Parts):
        return parts_reach(reach, handles, targets, size, landmarks=landmarks)
    if reach == "local":
        return local_reach(handles, targets, size, landmarks=landmarks, settings=settings)
    everything = _within_rim(size)
    if reach == "all" or landmarks is None:
        return everything
    if reach not in ("face", "head"):
        raise UsageError(f"unknown reach {reach!r}; choose one of {', '.join(REACHES)}")
    centre, axes, angle = _face_ellipse(landmarks, 1.0 if reach == "face" else 1.45)
    region = np.zeros((size, size), np.uint8)
    cv2.ellipse(region, (centre, axes, angle), 255, -1)
    return np.asarray(_smoothstep(1 - _distance(region) / 0.08) * everything, np.float32)


def _within_rim(size: int) -> NDArray[np.float32]:
    """Everything but a thin soft rim, where a change would end in a line."""
    rim = np.minimum(*np.meshgrid(*[np.minimum(np.arange(size) + 0.5, size - np.arange(size) - 0.5)] * 2))
    return _smoothstep(rim / (0.06 * size))


def _face_ellipse(
    landmarks: NDArray[np.float64], grow: float
) -> tuple[tuple[float, float], tuple[float, float], float]:
    """Centre, full axes and angle (degrees) of the face's oval: jaw to a forehead as high as the nose is
    long."""
    eyes = landmarks[36:48].mean(0)
    chin = landmarks[8]
    up = (eyes - chin) / max(float(np.linalg.norm(eyes - chin)), 1e-6)
    top = eyes + up * np.linalg.norm(eyes - chin) * 0.8
    centre = (top + chin) / 2
    width = float(np.linalg.norm(landmarks[16] - landmarks[0])) * 1.05
    height = float(np.linalg.norm(top - chin)) * 1.05
    angle = float(np.degrees(np.arctan2(up[0], -up[1])))
    return (float(centre[0]), float(centre[1])), (width * grow, height * grow), angle


def parts_reach(
    parts: Parts,
    handles: NDArray[np.float64],
    targets: NDArray[np.float64],
    size: int,
    *,
    landmarks: NDArray[np.float64] | None,
) -> NDArray[np.float32]:
    """The soft region `[size, size]` of named parts of the face; see `Parts`. Points are crop pixels.

    Raises UsageError without landmarks.
    """
    if landmarks is None:
        raise UsageError("parts of a face were named, but this model's photos have no landmarks")
    inside = np.zeros((size, size), np.uint8)
    _draw_ways(inside, handles, targets)
    for name in parts.regions:
        _fill(inside, landmarks[list(REGIONS[name])])
    eyes = landmarks[42:48].mean(0) - landmarks[36:42].mean(0)
    unit = float(np.linalg.norm(eyes)) / size
    near = _smoothstep(1 - (_distance(inside) - parts.margin * unit) / (parts.fade * unit))
    return near * _within_rim(size)


def local_reach(
    handles: NDArray[np.float64],
    targets: NDArray[np.float64],
    size: int,
    *,
    landmarks: NDArray[np.float64] | None = None,
    settings: ReachSettings | None = None,
) -> NDArray[np.float32]:
    """The soft region `[size, size]` a drag may change: around handles and targets and the face parts they
    lie on.

    handles, targets `[K, 2]` and landmarks `[68, 2]` are crop pixels at `size`.
    """
    settings = settings or ReachSettings()
    dragged = np.zeros((size, size), np.uint8)
    held = np.zeros((size, size), np.uint8)
    _draw_ways(dragged, handles, targets)
    if landmarks is not None:
        touched = [_landmark_under(handle, landmarks, 0.08 * size) for handle in handles]
        for index in touched:
            if index is not None:
                _fill(dragged, landmarks[_part_around(index)])
        names = {region_of(index) for index in touched if index is not None}
        for name in set(REGIONS) - names - {"jaw"}:
            _fill(held, landmarks[list(REGIONS[name])])
    reach = _smoothstep(1 - (_distance(dragged) - settings.core) / settings.fade)
    if not held.any():
        return reach
    free = _smoothstep(_distance(held) / settings.core)
    kept = np.maximum(settings.others + (1 - settings.others) * free, dragged > 0)
    return np.asarray(reach * kept, np.float32)


def _landmark_under(point: NDArray[np.float64], landmarks: NDArray[np.float64], within: float) -> int | None:
    """The landmark nearest to a point, None where all are farther than `within`."""
    distances = np.linalg.norm(landmarks - point, axis=1)
    nearest = int(distances.argmin())
    return nearest if distances[nearest] <= within else None


def _part_around(index: int) -> list[int]:
    """The landmarks of the face part a landmark belongs to; of the jaw, whose outline is the face, those
    near it."""
    members = REGIONS[region_of(index)]
    return [each for each in members if region_of(index) != "jaw" or abs(each - index) <= 2]


def _draw_ways(region: NDArray[np.uint8], handles: NDArray[np.float64], targets: NDArray[np.float64]) -> None:
    """The lines from handles to targets."""
    size = region.shape[0]
    for handle, target in zip(handles, targets, strict=True):
        start, end = _fixed_point(np.clip([handle, target], 0.5, size - 0.5))  # a line beside it is not drawn
        cv2.line(region, start, end, 255, thickness=max(1, size // 64), shift=4)


def _fill(region: NDArray[np.uint8], points: NDArray[np.float64]) -> None:
    hull = np.asarray(cv2.convexHull(points.astype(np.float32))[:, 0], np.float32)
    cv2.fillConvexPoly(region, np.asarray(_fixed_point(hull), np.int32), 255, shift=4)


def _distance(region: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Distance to a region, in shares of the picture's side."""
    return np.asarray(cv2.distanceTransform(255 - region, cv2.DIST_L2, 5) / region.shape[0], np.float32)


def _fixed_point(points: NDArray[np.floating]) -> list[tuple[int, int]]:
    """OpenCV's integer coordinates with four binary places; pixel centres are whole numbers there."""
    return [(round((x - 0.5) * 16), round((y - 0.5) * 16)) for x, y in points]


def _smoothstep(x: NDArray[np.floating]) -> NDArray[np.float32]:
    t = np.clip(x, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
