"""Photos that the alignment tests share: a real portrait, turned, copied side by side and cut."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from alignment import Face, find_faces
from alignment.detection import HogDetector

Photo = NDArray[np.uint8]
PORTRAITS = Path(__file__).parents[2].parent / "shared" / "data" / "portraits-2024"


@pytest.fixture(scope="session")
def astronaut() -> Photo:
    """[512, 512, 3]: one frontal face, about 90 pixels wide, near the top edge."""
    return np.ascontiguousarray(skimage.data.astronaut())


@pytest.fixture(scope="session")
def face(astronaut: Photo) -> Face:
    (only,) = find_faces(astronaut, detector=HogDetector())
    return only


@pytest.fixture(scope="session")
def portraits() -> list[Photo]:
    """Six public-domain portraits of different people."""
    files = sorted(PORTRAITS.glob("*.jpg"))[::80][:6]
    if not files:
        pytest.skip(f"needs the portraits in {PORTRAITS}")
    return [cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB).astype(np.uint8) for file in files]
