"""A real face, and faces made of the mean face."""

from dataclasses import dataclass

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from alignment import Alignment, Face, find_faces
from alignment.detection import HogDetector
from realedit.perception import Perceived, Pose, perceive
from realedit.perception.weights import bundled


@dataclass(frozen=True)
class Portrait:
    """A photo with one face and what is seen of it."""

    photo: NDArray[np.uint8]
    face: Face
    seen: Perceived


@pytest.fixture(scope="session")
def portrait() -> Portrait:
    photo = np.ascontiguousarray(skimage.data.astronaut())
    (face,) = find_faces(photo, detector=HogDetector())
    return Portrait(photo, face, perceive(photo, face.alignment))


def mean_face(width: float = 100.0) -> Perceived:
    """The mean face, looking straight ahead, in a photo of 400 x 400; `width`: the interocular distance."""
    shape = bundled().shape * width
    view = Alignment(centre=(200, 200), side=6 * width, angle=0.0)
    y, x = np.mgrid[0:96, 0:96] + 0.5
    matte = np.clip((30 - np.hypot(x - 48, y - 48)) / 4 + 0.5, 0, 1).astype(np.float32)
    return Perceived(shape[:, :2] + 200, shape[:, 2], Pose(0, 0, 0), 1.0, 0.01, view, matte)
