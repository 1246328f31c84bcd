"""Pixels of a program's own, as the file that a photo is read from."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.errors import UsageError


def as_png(pixels: NDArray[Any]) -> bytes:
    """sRGB pixels `[h, w, 3]` or grey `[h, w]`, uint8 or uint16, as PNG. Raises UsageError for others."""
    fits = pixels.dtype in (np.uint8, np.uint16) and pixels.size > 0
    if not (fits and (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3))):
        raise UsageError(
            "pixels are [height, width, 3] or [height, width] of uint8 or uint16, not "
            f"{list(pixels.shape)} of {pixels.dtype}"
        )
    layers = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    ok, data = cv2.imencode(".png", np.ascontiguousarray(layers))
    if not ok:
        raise UsageError(f"pixels of the size {list(pixels.shape)} cannot be made a photo")
    return data.tobytes()
