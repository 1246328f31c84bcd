"""CMYK photos: shown as sRGB, edited as sRGB, and the change brought back to the inks.

A CMYK photo has no RGB space of its own, so its displayed view is sRGB. Going back, only the difference
between the inks of the old and of the new colour is added to the photo's own inks: where nothing changed
nothing moves, and the photo keeps its own black generation.
"""

import io
import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Inks:
    """Both ways between CMYK and sRGB; uint8, 255 = full ink."""

    to_rgb_transform: Any = None
    to_cmyk_transform: Any = None

    def to_rgb(self, cmyk: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """[h, w, 4] -> sRGB [h, w, 3]."""
        if self.to_rgb_transform is not None:
            return _apply(self.to_rgb_transform, cmyk)
        wide = 255 - cmyk.astype(np.uint32)
        return ((wide[..., :3] * wide[..., 3:] + 127) // 255).astype(np.uint8)

    def change(
        self, cmyk: NDArray[np.uint8], before: NDArray[np.uint8], after: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        """`cmyk` [h, w, 4] with what changed from `before` to `after` (sRGB, [h, w, 3]) added to it."""
        if self.to_cmyk_transform is not None:
            moved = _apply(self.to_cmyk_transform, after).astype(np.int16)
            moved -= _apply(self.to_cmyk_transform, before)
            inked = np.clip(cmyk + moved, 0, 255).astype(np.uint8)
        else:
            light = after.max(axis=-1, keepdims=True).astype(np.int32)
            black = np.minimum(cmyk[..., 3:], 255 - light)  # no more black than the brightest channel allows
            colour = 255 - (after.astype(np.int32) * 255 + 127) // np.maximum(255 - black, 1)
            inked = np.concatenate([np.clip(colour, 0, 255), black], axis=-1).astype(np.uint8)
        same = (before == after).all(axis=-1, keepdims=True)
        return np.where(same, cmyk, inked)


def inks_of(profile_data: bytes | None) -> tuple[Inks, str | None]:
    """The inks of an embedded CMYK profile; the plain ones and a warning when it cannot be used."""
    if not profile_data:
        return Inks(), "it is CMYK without an ICC profile, so its colours are shown by the plain ink formula"
    try:
        own = ImageCms.getOpenProfile(io.BytesIO(profile_data))
        srgb = ImageCms.createProfile("sRGB")
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        return Inks(
            ImageCms.buildTransform(own, srgb, "CMYK", "RGB", intent),
            ImageCms.buildTransform(srgb, own, "RGB", "CMYK", intent),
        ), None
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        log.debug("unusable CMYK profile", exc_info=error)
        return Inks(), "its CMYK profile cannot be used, so its colours are shown by the plain ink formula"


def _apply(transform: Any, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    mode = "CMYK" if pixels.shape[-1] == 4 else "RGB"
    image = Image.frombytes(mode, (pixels.shape[1], pixels.shape[0]), np.ascontiguousarray(pixels).tobytes())
    return np.asarray(ImageCms.applyTransform(image, transform))
