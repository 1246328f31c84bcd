"""A real face, and what becomes of it."""

from dataclasses import dataclass

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from alignment import Alignment, find_faces
from alignment.detection import HogDetector
from realedit.perception import Perceived, perceive


@dataclass(frozen=True)
class Portrait:
    """A photo with one face and what is seen of it."""

    photo: NDArray[np.uint8]
    face: Alignment
    seen: Perceived


@pytest.fixture(scope="session")
def portrait() -> Portrait:
    photo = np.ascontiguousarray(skimage.data.astronaut())
    (face,) = find_faces(photo, detector=HogDetector())
    return Portrait(photo, face.alignment, perceive(photo, face.alignment))
