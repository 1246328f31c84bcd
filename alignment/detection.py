"""Where the faces are: by dlib's HOG detector in four directions, and by its CNN where HOG is blind.

HOG sees frontal faces; its weak answers are put to the CNN, in a close view, which costs little. The CNN also
sees profiles and faces behind sunglasses or cut by the frame, but a whole photo takes it seconds, so it looks
for large faces in a small copy, and for small ones only where nothing was found.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
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
LARGE_SIZE, SMALL_SIZE = 360, 800  # the same for the CNN, which looks for large and for small faces
LEAST_SCORE = -0.5  # of a HOG answer that is worth a closer look
TURNED_SCORE = 0.5  # a turned picture has to show a face more clearly than the upright one
_MARGIN = 1 / 16  # of the copy's longest side: so far it goes on, mirrored, and cut faces look whole
_CNN_MARGIN, _CNN_SCORE = 1 / 9, 0.6
_CNN_PIXELS = 480_000  # of a copy for the CNN; 1600 x 1600 would take 25 s and 2 GB on a CPU
_SURE_SCORE = 0.8  # a HOG answer below it has to be seen by the CNN too, with at least _AGAIN_SCORE
_AGAIN_SCORE = 0.4
_AGAIN_SIZE = 160
_LARGEST_ENLARGEMENT = 2.0
_WINDOWS, _WINDOW_SIZE = 5, 240  # around a point: how many at most, and the side of their copies
_LEAST_WINDOW = 100  # photo pixels
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
    Small photos are enlarged by up to 2. A face that it is not sure of has to be seen by the CNN too.
    """

    size: int = DETECTION_SIZE
    turns: tuple[int, ...] = (0,)
    least_score: float = LEAST_SCORE
    models: FaceModels | None = None

    def __call__(self, pixels: NDArray[np.uint8]) -> list[Box]:
        models = self.models or face_models()
        copy = _Copy.of(pixels, self.size, _MARGIN)
        boxes = []
        for turn in self.turns:
            turned = np.ascontiguousarray(np.rot90(copy.pixels, turn))
            for rectangle, score in models.hog(turned, self.least_score):
                box = Box(*_edges(rectangle), score=score, turn=turn)
                boxes.append(copy.to_photo(_unturned(box, turned.shape[1], turned.shape[0])))
        return [
            box
            for box in distinct(boxes)
            if _in_photo(box, pixels) and (box.score >= _SURE_SCORE or _seen_again(pixels, box, models))
        ]


@dataclass(frozen=True)
class CnnDetector:
    """dlib's CNN (max-margin) detector on a copy of at most `size` pixels.

    It sees faces of at least 80 pixels of the copy, also in profile, half hidden, cut by the frame or tilted
    by up to 90 degrees, and takes a second on a CPU for each 200,000 pixels of the copy.
    """

    size: int = SMALL_SIZE
    margin: float = 0.0
    least_score: float = 0.0
    models: FaceModels | None = None

    def __call__(self, pixels: NDArray[np.uint8]) -> list[Box]:
        models = self.models or face_models()
        height, width = pixels.shape[:2]
        bounded = math.sqrt(_CNN_PIXELS * max(height, width) / min(height, width))
        copy = _Copy.of(pixels, max(1, min(self.size, int(bounded))), self.margin)
        found = [
            copy.to_photo(Box(*_edges(rectangle), score=score))
            for rectangle, score in models.cnn(copy.pixels)
        ]
        return [box for box in distinct(found) if box.score >= self.least_score and _in_photo(box, pixels)]


def large_faces(size: int = LARGE_SIZE, models: FaceModels | None = None) -> CnnDetector:
    """The CNN for faces of at least a quarter of the picture, also those that its edge cuts."""
    return CnnDetector(size, _CNN_MARGIN, _CNN_SCORE, models)


@dataclass(frozen=True)
class FaceDetector:
    """The detector that `find_faces` uses: HOG upright and turned, the CNN for large faces, and where none
    finds anything the CNN for small ones."""

    models: FaceModels | None = None

    def __call__(self, pixels: NDArray[np.uint8]) -> list[Box]:
        upright = HogDetector(models=self.models)
        turned = HogDetector(TURNED_SIZE, turns=(1, 2, 3), least_score=TURNED_SCORE, models=self.models)
        found = distinct([*upright(pixels), *turned(pixels)])
        found += [
            box
            for box in large_faces(models=self.models)(pixels)
            if all(overlap(box, other) < _SAME_FACE for other in found)
        ]
        if not found:
            logger.info("No face is seen; looking for small ones with the CNN detector.")
            found = CnnDetector(models=self.models)(pixels)
        return found


def boxes_around(
    pixels: NDArray[np.uint8], point: Sequence[float], models: FaceModels | None = None
) -> Iterator[Box]:
    """What the CNN sees around a point (x, y), in windows from half of the photo's longest side down."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    for _ in range(_WINDOWS):
        side //= 2
        if side < _LEAST_WINDOW:
            return
        left = int(np.clip(point[0] - side / 2, 0, max(0, width - side)))
        top = int(np.clip(point[1] - side / 2, 0, max(0, height - side)))
        for box in large_faces(_WINDOW_SIZE, models)(pixels[top : top + side, left : left + side]):
            yield replace(
                box,
                left=box.left + left, right=box.right + left, top=box.top + top, bottom=box.bottom + top,
            )  # fmt: skip


def _seen_again(pixels: NDArray[np.uint8], box: Box, models: FaceModels) -> bool:
    """Whether the CNN sees the face in a close view of the box; folds of cloth look like one to HOG alone."""
    around = Alignment(centre=box.centre, side=2 * box.side, angle=(box.turn or 0) * math.pi / 2)
    view = np.ascontiguousarray(extract_crop(pixels, around, _AGAIN_SIZE).pixels)
    quarter = _AGAIN_SIZE / 4
    expected = Box(quarter, quarter, 3 * quarter, 3 * quarter, score=0.0)
    seen = [Box(*_edges(rectangle), score=score) for rectangle, score in models.cnn(view)]
    return any(each.score >= _AGAIN_SCORE and overlap(each, expected) > _SAME_FACE for each in seen)


def _in_photo(box: Box, pixels: NDArray[np.uint8]) -> bool:
    """Whether the box's centre lies in the photo: beyond it faces are mirror images."""
    x, y = box.centre
    height, width = pixels.shape[:2]
    return bool(0 <= x <= width and 0 <= y <= height)


@dataclass(frozen=True)
class _Copy:
    """A copy of a photo that is searched: its pixels, with a margin on all sides in which it goes on as its
    mirror image; the photo pixels per pixel of the copy, in x and y."""

    pixels: NDArray[np.uint8]
    margin: int
    factors: tuple[float, float]

    @classmethod
    def of(cls, pixels: NDArray[np.uint8], size: int, share: float) -> _Copy:
        """A `scaled_copy` with a margin of a share of its longest side."""
        copy, factors = scaled_copy(pixels, size)
        margin = round(share * max(copy.shape[:2]))
        if margin:
            copy = np.asarray(
                cv2.copyMakeBorder(copy, margin, margin, margin, margin, cv2.BORDER_REFLECT), np.uint8
            )
        return cls(copy, margin, factors)

    def to_photo(self, box: Box) -> Box:
        """A box of the copy in the photo."""
        x, y = self.factors
        return replace(
            box,
            left=(box.left - self.margin) * x,
            right=(box.right - self.margin) * x,
            top=(box.top - self.margin) * y,
            bottom=(box.bottom - self.margin) * y,
        )


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
