"""The aligned square of a photo as the generator sees it."""

from dataclasses import replace

import numpy as np

from alignment import Alignment, Crop, extract_crop, region_under
from realedit.photos import Photo


def crop_of(photo: Photo, square: Alignment, size: int) -> Crop:
    """The square as it is now, edits included: pixels `[size, size, 3]` uint8 sRGB, valid `[size, size]`.

    Only what lies under the square is looked at, in the photo's own colours and depth. Raises OutsideError
    where the square lies outside of the photo.
    """
    box = region_under(square, photo.width, photo.height)
    x, y = square.centre
    crop = extract_crop(photo.view(box), replace(square, centre=(x - box[0], y - box[1])), size)
    if photo.colour.is_srgb and crop.pixels.dtype == np.uint8:
        return crop
    shown = photo.colour.to_srgb(crop.pixels.astype(np.float32) / np.float32(np.iinfo(crop.pixels.dtype).max))
    return replace(crop, pixels=np.asarray(np.clip(shown, 0, 1) * 255 + 0.5, np.uint8))
