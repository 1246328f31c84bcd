"""68 landmarks of a face, at the photo's full resolution and always seen the same way up and the same size.

dlib's 68-point predictor was trained on boxes of the HOG detector, is unsure by a few percent of a face's
width when the box moves by a pixel, and loses a face that is tilted by more than about 30 degrees. So no
detector's box is used directly: the 5-point predictor, which suits any box, says where the face is and how it
is tilted; the face is warped upright to a fixed size, and the 68-point predictor sees it in the box that the
HOG detector gives on average. The layout is that of the iBUG 300-W annotations; `alignment.names` names it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment.detection import Box
from alignment.errors import AlignmentError
from alignment.geometry import Alignment, Points, ffhq_square
from alignment.models import FaceModels, face_models
from alignment.warp import extract_crop

VIEW_SIZE = (
    512  # the upright view of the FFHQ square that the landmarks are found in; the face is ~310 px of it
)

# Where the 5 points (eye corners from the outer right one on, base of the nose) and the HOG box lie in the
# unit FFHQ square, averaged over 1285 portraits; the points' layout is dlib's.
_FIVE = np.array([[0.6723, 0.4764], [0.5763, 0.4798], [0.3277, 0.4764], [0.4237, 0.4798], [0.5, 0.6652]])
_BOX_CENTRE = (0.502, 0.606)
_BOX_SIDE = 0.605
# When nobody knows which way up a face is: the first is taken unless another looks more like a face.
_POSSIBLE_TURNS = (0, 1, 3, 2)
_SCORE_SIZE = 256
_LEAST_SCORE = -0.5
# The answer jumps as the box moves by a pixel, so it is the mean over a few: (dx, dy, scale) in that unit.
_BOXES = tuple(
    (0.015 * dx, 0.015 * dy, 1 + 0.03 * zoom)
    for dx, dy, zoom in (
        *((0, 0, 0), (-1, 0, -1), (1, 0, 1), (0, -1, 1), (0, 1, -1)),
        *((-1, -1, 0), (1, 1, 0), (-1, 1, 1), (1, -1, -1)),
    )
)


def find_landmarks(pixels: NDArray[np.uint8], box: Box, models: FaceModels | None = None) -> Points:
    """[68, 2] float64 photo pixels (centres at +0.5) of the face in `box`; pixels HWC RGB uint8 as displayed.

    Raises AlignmentError when the box does not hold anything that can be a face.
    """
    if not (0 < box.side < math.inf):
        raise AlignmentError("What looked like a face has no extent; try a clearer photo.")
    models = models or face_models()
    if box.turn is not None:
        square = _rough_square(pixels, box, box.turn, models)
    else:
        squares = [_rough_square(pixels, box, turn, models) for turn in _POSSIBLE_TURNS]
        square = max(squares, key=lambda square: frontal_score(pixels, square, models))
    return _landmarks_in(pixels, square, _BOXES, models)


def landmarks_in(pixels: NDArray[np.uint8], square: Alignment, models: FaceModels | None = None) -> Points:
    """[68, 2] photo pixels of the face whose FFHQ square is known; nothing is looked for elsewhere."""
    return _landmarks_in(pixels, square, _BOXES, models or face_models())


def _landmarks_in(
    pixels: NDArray[np.uint8],
    square: Alignment,
    boxes: Iterable[tuple[float, float, float]],
    models: FaceModels,
) -> Points:
    """[68, 2] photo pixels: the mean of what the predictor sees in the upright view, over several boxes."""
    return np.asarray(_looks(pixels, square, boxes, models).mean(axis=0))


def several_landmarks(
    pixels: NDArray[np.uint8], square: Alignment, models: FaceModels | None = None
) -> NDArray[np.float64]:
    """[9, 68, 2] photo pixels: what the predictor sees in each of the boxes whose mean `landmarks_in` is."""
    return _looks(pixels, square, _BOXES, models or face_models())


def _looks(
    pixels: NDArray[np.uint8],
    square: Alignment,
    boxes: Iterable[tuple[float, float, float]],
    models: FaceModels,
) -> NDArray[np.float64]:
    """[N, 68, 2] photo pixels, one for each box."""
    view = np.ascontiguousarray(extract_crop(pixels, square, VIEW_SIZE).pixels)
    found = [_shape(models.landmarks, view, _box_in_view(*box)) for box in boxes]
    return np.stack([square.to_photo(each, VIEW_SIZE) for each in found])


def _rough_square(pixels: NDArray[np.uint8], box: Box, turn: int, models: FaceModels) -> Alignment:
    """The FFHQ square by the 5 points in the detector's box, taken for a face that is turned by `turn`."""
    import dlib

    # In a picture that was turned counter-clockwise once, the x axis is what was the y axis.
    around = Alignment(centre=box.centre, side=2 * box.side, angle=turn * math.pi / 2)
    view = np.ascontiguousarray(extract_crop(pixels, around, VIEW_SIZE).pixels)
    quarter = VIEW_SIZE // 4
    inner = dlib.rectangle(quarter, quarter, VIEW_SIZE - quarter - 1, VIEW_SIZE - quarter - 1)
    five = around.to_photo(_shape(models.five_points, view, inner), VIEW_SIZE)
    rough = _landmarks_in(pixels, _fitted_square(_FIVE, five), _BOXES[:1], models)
    return ffhq_square(rough)


def frontal_score(pixels: NDArray[np.uint8], square: Alignment, models: FaceModels) -> float:
    """How surely HOG sees an upright face in the middle of the square; -inf when it sees none."""
    view = np.ascontiguousarray(extract_crop(pixels, square, _SCORE_SIZE).pixels)
    near = _SCORE_SIZE * 0.15
    middle = np.array(_BOX_CENTRE) * _SCORE_SIZE
    return max(
        (
            score
            for each, score in models.hog(view, _LEAST_SCORE)
            if np.hypot(each.center().x - middle[0], each.center().y - middle[1]) < near
        ),
        default=-math.inf,
    )


def _fitted_square(unit: Points, points: Points) -> Alignment:
    """The similarity that takes `unit` square positions to photo `points` with the least squared error."""
    source, target = unit - unit.mean(axis=0), points - points.mean(axis=0)
    # As complex numbers, a turn and scale is one factor: target ~ factor * source.
    a, b = source @ [1, 1j], target @ [1, 1j]
    factor = complex(np.vdot(a, b) / np.vdot(a, a))
    if abs(factor) < 1e-6:
        raise AlignmentError("What looked like a face has no eyes and nose; try a clearer photo.")
    middle = complex(*points.mean(axis=0)) + factor * (complex(0.5, 0.5) - complex(*unit.mean(axis=0)))
    return Alignment(
        centre=(middle.real, middle.imag), side=abs(factor), angle=math.atan2(factor.imag, factor.real)
    )


def _box_in_view(dx: float, dy: float, scale: float) -> Any:
    """The `dlib.rectangle` of the usual HOG box in the upright view, shifted and scaled a little."""
    import dlib

    half = _BOX_SIDE * scale / 2
    x, y = _BOX_CENTRE[0] + dx, _BOX_CENTRE[1] + dy
    left, top, right, bottom = (round(v * VIEW_SIZE) for v in (x - half, y - half, x + half, y + half))
    return dlib.rectangle(left, top, right - 1, bottom - 1)


def _shape(predictor: Any, view: NDArray[np.uint8], rectangle: Any) -> Points:
    """dlib's landmarks [N, 2]; it counts pixels by their index, so their centres are at +0.5."""
    return np.array([(p.x + 0.5, p.y + 0.5) for p in predictor(view, rectangle).parts()], dtype=np.float64)
