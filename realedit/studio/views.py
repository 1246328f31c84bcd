"""Pictures as the page gets them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

LARGEST = 4096  # pixels of the longer side of a view
QUALITY = 90


def jpeg(picture: NDArray[np.uint8], quality: int = QUALITY) -> bytes:
    """A picture `[H, W, 3]` RGB as JPEG with whole colour."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
    ok, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), options)
    assert ok
    return data.tobytes()
