"""The square of a photo that the generator sees: which, where no face decides, and its pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from alignment import Alignment, Crop, box_square, centred_square, extract_crop, region_under
from alignment.errors import OutsideError
from realedit.photos import Box, Photo

if TYPE_CHECKING:
    from checkpoints import Checkpoint


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


def square_without_face(size: tuple[int, int], checkpoint: Checkpoint, box: Box | None) -> Alignment | None:
    """The box's square, else the largest centred one for a model that draws no faces, else None: the faces of
    the photo of `size` (width, height) decide. Raises OutsideError for a box that leaves the photo.
    """
    return square_of(size, checkpoint.alignment, box)


def square_of(size: tuple[int, int], alignment: str, box: Box | None) -> Alignment | None:
    """`square_without_face` of a model whose photos become crops by `alignment`: `ffhq` or `box`."""
    width, height = size
    if box is None:
        return None if alignment == "ffhq" else centred_square(width, height)
    left, top, right, bottom = box
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise OutsideError(
            f"the box {left:g},{top:g},{right - left:g},{bottom - top:g} (X,Y,W,H) leaves the photo of "
            f"{width} x {height} pixels as displayed"
        )
    return box_square(box)
