"""Where the user lets an edit act: a mask picture and rectangles.

A mask is a picture of the displayed photo's size, white (>= 128) may move.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.errors import PhotoError, UsageError
from realedit.geometry.boxes import parse_region as parse_region
from realedit.photos import Box, read_photo


def read_mask(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A mask picture as `[height, width]` uint8, 255 where it is white (>= 128), which may move, else 0.

    size: the displayed photo's (width, height). Raises UsageError for another size, a missing file or an
    all-black mask.
    """
    if not path.exists():
        raise UsageError(f"there is no mask {path}; give a picture of {size[0]} x {size[1]} pixels")
    try:
        picture = read_photo(path).srgb()
    except PhotoError as error:
        raise UsageError(f"the mask cannot be read: {error}") from error
    grey = np.asarray(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY), np.uint8)
    return checked_mask(grey, size, str(path))


def checked_mask(grey: NDArray[np.uint8], size: tuple[int, int], name: str) -> NDArray[np.uint8]:
    """`read_mask` of a grey picture `[h, w]`; `name` stands for it in errors."""
    height, width = grey.shape
    if (width, height) != size:
        raise UsageError(
            f"the mask {name} has {width} x {height} pixels, the photo as displayed has {size[0]} x {size[1]}"
            "; make them the same"
        )
    mask = np.where(grey >= 128, 255, 0).astype(np.uint8)
    if not mask.any():
        raise UsageError(f"the mask {name} is black everywhere, so nothing may move; paint white what may")
    return mask


def edit_mask(mask: Path | None, regions: Sequence[Box], size: tuple[int, int]) -> NDArray[np.uint8] | None:
    """The mask picture within the union of the rectangles, `[height, width]` uint8; None without either.

    size: the displayed photo's (width, height). Raises UsageError as `read_mask` does, and for a rectangle
    outside of the photo or masks that leave nothing.
    """
    return within_regions(None if mask is None else read_mask(mask, size), regions, size, str(mask))


def within_regions(
    allowed: NDArray[np.uint8] | None, regions: Sequence[Box], size: tuple[int, int], name: str = ""
) -> NDArray[np.uint8] | None:
    """`edit_mask` of a mask in memory; `name` stands for it in errors."""
    if not regions:
        return allowed
    within = np.zeros((size[1], size[0]), np.uint8)
    for left, top, right, bottom in regions:
        if left >= size[0] or top >= size[1] or right <= 0 or bottom <= 0:
            raise UsageError(
                f"the region {left},{top},{right - left},{bottom - top} lies outside of the photo, which is "
                f"{size[0]} x {size[1]} pixels as displayed"
            )
        within[max(0, top) : bottom, max(0, left) : right] = 255
    if allowed is None:
        return within
    both = np.minimum(within, allowed)
    if not both.any():
        raise UsageError(f"the mask {name} is black in all of the regions, so nothing may move")
    return both
