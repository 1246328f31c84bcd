"""How sure a face is: whether it looks like one, where its parts are, and how well it is seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from alignment.geometry import Alignment, as_points
from alignment.landmarks import frontal_score, several_landmarks
from alignment.models import FaceModels, face_models
from alignment.warp import extract_crop

_SIZE = 128  # of the view in which sharpness is measured: what a small generator sees
_FACE = slice(30, 115), slice(25, 103)  # rows and columns of the face in it


@dataclass(frozen=True)
class Certainty:
    """score: HOG's for an upright frontal face in the square, 1 and more for clear ones; None: it sees none.
    spread: by how much the landmarks differ from look to look, in interocular distances; 0.005 to 0.011 on
    faces that are seen well. sharpness: the share of the local contrast that a blur by one pixel of 128 takes
    away, 0.17 and more on photos in focus. turn: the logarithm of the ratio of the cheeks' widths as one sees
    them; 0 from the front, positive for a face that looks to the right, 1.5 for about 45 degrees. whole:
    brows, eyes, nose and mouth lie in the photo.
    """

    score: float | None
    spread: float
    sharpness: float
    turn: float
    whole: bool


def certainty(
    pixels: NDArray[np.uint8],
    landmarks: ArrayLike,
    square: Alignment,
    models: FaceModels | None = None,
) -> Certainty:
    """How sure the face with `landmarks` [68, 2] in `square` is. pixels: HWC RGB uint8, as displayed."""
    models = models or face_models()
    known = as_points(landmarks)
    looks = several_landmarks(pixels, square, models)  # [9, 68, 2]
    mean = looks.mean(axis=0)
    unit = max(float(np.linalg.norm(mean[42:48].mean(axis=0) - mean[36:42].mean(axis=0))), 1e-6)
    apart = np.linalg.norm(looks - mean, axis=2).mean(axis=0)  # [68]
    score = frontal_score(pixels, square, models)
    return Certainty(
        score=score if math.isfinite(score) else None,
        spread=float(np.median(apart)) / unit,
        sharpness=_sharpness(pixels, square),
        turn=_turn(square.to_crop(mean, 1)),
        whole=bool(((known[17:] >= 0) & (known[17:] <= pixels.shape[1::-1])).all()),
    )


def _sharpness(pixels: NDArray[np.uint8], square: Alignment) -> float:
    view = np.ascontiguousarray(extract_crop(pixels, square, _SIZE).pixels[_FACE])
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY).astype(np.float32)

    def contrast(picture: NDArray[np.float32]) -> float:
        return float(np.hypot(*np.gradient(picture)).mean())

    blurred = np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.0), np.float32)
    return 1 - contrast(blurred) / max(contrast(grey), 1e-6)


def _turn(points: NDArray[np.float64]) -> float:
    """From landmarks in the upright unit square."""
    nose = points[30, 0]
    left, right = nose - points[0:4, 0].mean(), points[13:17, 0].mean() - nose
    return math.log(max(float(left), 1e-3) / max(float(right), 1e-3))
