"""Where the faces are: dlib's HOG detector in all four directions, then its CNN detector if need be."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from alignment.geometry import Alignment
from alignment.models import FaceModels, face_models
from alignment.warp import extract_crop

logger = logging.getLogger(__name__)

DETECTION_SIZE = 1600  # longest side of the copy that is searched
TURNED_SIZE = 800  # the same for the turned copies
CNN_SIZES = (800, 1200)  # the same for the CNN, one after the other; 1600 would take 25 s and 2 GB on a CPU
TURNED_SCORE = 0.5  # a turned picture has to show a face more clearly than the upright one
_SURE_SCORE = 0.8  # a face below it has to be seen again, with at least _AGAIN_SCORE, at another scale
_AGAIN_SCORE = 0.3
_AGAIN_SIZE = 360
_LARGEST_ENLARGEMENT = 2.0
_SAME_FACE = 0.3  # intersection over union above which two boxes are one face


@dataclass(frozen=True)
class Box:
    """Where a detector saw a face: photo pixels of the displayed view, pixel borders at integers.

    The box may reach beyond the photo's edges. score: the detector's own, above 0; higher is surer. turn: by
    how many counter-clockwise quarter turns of the photo (as `numpy.rot90` counts) the face comes upright,
    within about 45 degrees; None: not known.
    """

    left: float
    top: float
    right: float
    bottom: float
    score: float
    turn: int | None = None

    @property
    def centre(self) -> tuple[float, float]:
        return ((self.left + self.right) / 2, (self.top + self.bottom) / 2)

    @property
    def side(self) -> float:
        """The longer side."""
        return max(self.right - self.left, self.bottom - self.top)


class Detector(Protocol):
    """Finds faces in a photo, HWC RGB uint8 as displayed; an empty list when there is none."""

    def __call__(self, pixels: NDArray[np.uint8]) -> list[Box]: ...


@dataclass(frozen=True)
class HogDetector:
    """dlib's HOG detector on a copy of at most `size` pixels; `turns`: the directions in which faces may
    stand.

    It sees faces of at least 80 pixels of the copy that are tilted by up to about 45 degrees in the picture.
    Small photos are enlarged by up to 2. A face that it is not sure of has to show in a closer view too.
    """

    size: int = DETECTION_SIZE
    turns: tuple[int, ...] = (0,)
    least_score: float = 0.0
    models: FaceModels | None = None

    def __call__(self, pixels: NDArray[np.uint8]) -> list[Box]:
        models = self.models or face_models()
        copy, factors = scaled_copy(pixels, self.size)
        boxes = []
        for turn in self.turns:
            turned = np.ascontiguousarray(np.rot90(copy, turn))
            for rectangle, score in models.hog(turned, self.least_score):
                box = Box(*_edges(rectangle), score=score, turn=turn)
                boxes.append(_to_photo(_unturned(box, turned.shape[1], turned.shape[0]), factors))
        return [
            box for box in distinct(boxes) if box.score >= _SURE_SCORE or _seen_again(pixels, box, models)
        ]


@dataclass(frozen=True)
class CnnDetector:
    """dlib's CNN (max-margin) detector on a copy of at most `size` pixels.

    It sees faces of at least 80 pixels of the copy, also in profile, half hidden or tilted by up to 90
    degrees, and takes seconds on a CPU.
    """

    size: int = CNN_SIZES[-1]
    models: FaceModels | None = None

    def __call__(self, pixels: NDArray[np.uint8]) -> list[Box]:
        models = self.models or face_models()
        copy, factors = scaled_copy(pixels, self.size)
        return distinct(
            _to_photo(Box(*_edges(rectangle), score=score), factors) for rectangle, score in models.cnn(copy)
        )


@dataclass(frozen=True)
class FaceDetector:
    """The detector that `find_faces` uses: HOG upright and turned; where that finds nothing, the CNN."""

    models: FaceModels | None = None

    def __call__(self, pixels: NDArray[np.uint8]) -> list[Box]:
        upright = HogDetector(models=self.models)
        turned = HogDetector(TURNED_SIZE, turns=(1, 2, 3), least_score=TURNED_SCORE, models=self.models)
        if found := distinct([*upright(pixels), *turned(pixels)]):
            return found
        for size in CNN_SIZES:
            logger.info("HOG finds no face; looking again with the CNN detector at %d pixels.", size)
            if found := CnnDetector(size, models=self.models)(pixels):
                return found
            if max(pixels.shape[:2]) * _LARGEST_ENLARGEMENT <= size:
                break
        return []


def _seen_again(pixels: NDArray[np.uint8], box: Box, models: FaceModels) -> bool:
    """Whether HOG sees the face in a close view of the box too; folds of cloth seldom look like one twice."""
    around = Alignment(centre=box.centre, side=2 * box.side, angle=(box.turn or 0) * math.pi / 2)
    view = np.ascontiguousarray(extract_crop(pixels, around, _AGAIN_SIZE).pixels)
    quarter = _AGAIN_SIZE / 4
    expected = Box(quarter, quarter, 3 * quarter, 3 * quarter, score=0.0)
    found = models.hog(view, _AGAIN_SCORE)
    return any(overlap(Box(*_edges(each), score=0.0), expected) > _SAME_FACE for each, _ in found)


def scaled_copy(pixels: NDArray[np.uint8], size: int) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """A contiguous copy whose longest side is `size` or, for a small photo, twice its own.

    Area-filtered when it shrinks. Returns it with the photo pixels per pixel of the copy, in x and y.
    """
    height, width = pixels.shape[:2]
    factor = min(size / max(height, width), _LARGEST_ENLARGEMENT)
    columns, rows = max(1, round(width * factor)), max(1, round(height * factor))
    mode = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    copy = cv2.resize(np.ascontiguousarray(pixels), (columns, rows), interpolation=mode)
    return np.ascontiguousarray(copy, dtype=np.uint8), (width / columns, height / rows)


def distinct(boxes: Iterable[Box]) -> list[Box]:
    """The boxes, surest first, without those that show the same face as a surer one."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: -box.score):
        if all(overlap(box, other) < _SAME_FACE for other in kept):
            kept.append(box)
    return kept


def overlap(a: Box, b: Box) -> float:
    """Intersection over union, 0 to 1."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    common = max(0.0, width) * max(0.0, height)
    areas = sum((box.right - box.left) * (box.bottom - box.top) for box in (a, b))
    return common / (areas - common) if areas > common else 0.0


def _edges(rectangle: Any) -> tuple[float, float, float, float]:
    """dlib's rectangles name the last pixel inside; ours end at its border."""
    return (
        float(rectangle.left()),
        float(rectangle.top()),
        float(rectangle.right() + 1),
        float(rectangle.bottom() + 1),
    )


def _unturned(box: Box, width: int, height: int) -> Box:
    """A box in a picture of `width` x `height` made by `rot90(..., box.turn)`, in the picture before that."""
    for _ in range((box.turn or 0) % 4):
        # A counter-clockwise quarter turn takes (x, y) to (y, width - x), and that width is `height` here.
        box = replace(box, left=height - box.bottom, right=height - box.top, top=box.left, bottom=box.right)
        width, height = height, width
    return box


def _to_photo(box: Box, factors: Sequence[float]) -> Box:
    x, y = factors
    return replace(box, left=box.left * x, right=box.right * x, top=box.top * y, bottom=box.bottom * y)
