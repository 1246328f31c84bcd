"""Before and after in one picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

_DIVIDER_COLOUR = (255, 255, 255)


def side_by_side(
    before: Picture, after: Picture, *, max_height: int | None = None, divider: int | None = None
) -> Picture:
    """`before` on the left, `after` on the right, at equal height, with a thin white line between them.

    before, after: HWC RGB uint8; the taller one is reduced (area-filtered) to the height of the other, and
    both to `max_height` if that is less. divider: the line's width in pixels of the result, 0 for none; by
    default about a three-hundredth of the height. Returns HWC RGB uint8. Raises ValueError for another layout
    or a size below 1.
    """
    for name, picture in (("before", before), ("after", after)):
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
            raise ValueError(f"`{name}` is [H, W, 3] uint8, not {picture.shape} {picture.dtype}.")
    if max_height is not None and max_height < 1:
        raise ValueError(f"A picture is at least one pixel high, not {max_height}.")
    height = min(before.shape[0], after.shape[0], max_height or before.shape[0])
    width = max(1, round(height / 300)) if divider is None else divider
    if width < 0:
        raise ValueError(f"A divider is at least 0 pixels wide, not {width}.")
    line = np.full((height, width, 3), _DIVIDER_COLOUR, dtype=np.uint8)
    return np.hstack([at_height(before, height), line, at_height(after, height)])


def at_height(picture: Picture, height: int) -> Picture:
    """The picture (HWC uint8) reduced to `height`, its proportions kept; itself when it has that height."""
    if picture.shape[0] == height:
        return picture
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    mode = cv2.INTER_AREA if height < picture.shape[0] else cv2.INTER_CUBIC
    return cv2.resize(np.ascontiguousarray(picture), (width, height), interpolation=mode).astype(np.uint8)
