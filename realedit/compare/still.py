"""Before and after in one picture: beside each other, above each other, divided, or what differs."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from realedit.compare.pair import Picture, resized

Divider = Literal["vertical", "diagonal"]

LINE = (255, 255, 255)
LEAN = 0.25  # of a diagonal divider: how far its top is right of its middle, in heights
MOST_AMPLIFIED = 32


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
    line = np.full((height, width, 3), LINE, dtype=np.uint8)
    return np.hstack([_at_height(before, height), line, _at_height(after, height)])


def stacked(before: Picture, after: Picture) -> Picture:
    """`before` above `after` at equal width; otherwise as `side_by_side`."""
    turned = side_by_side(before.swapaxes(0, 1), after.swapaxes(0, 1))
    return np.ascontiguousarray(turned.swapaxes(0, 1))


def split(before: Picture, after: Picture, where: float = 0.5, divider: Divider = "vertical") -> Picture:
    """`before` left of a line and `after` right of it, one picture over the other; both of one size.

    where: 0 shows only `after`, 1 only `before`.
    """
    left, line = divided(before.shape, where, divider)
    picture = after * (1 - left)[..., None] + before * left[..., None]
    return np.rint(picture * (1 - line)[..., None] + np.array(LINE) * line[..., None]).astype(np.uint8)


def divided(
    shape: tuple[int, ...], where: float, divider: Divider
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """`[H, W]` in [0, 1], antialiased: what lies left of the divider, and the line itself.

    At `where` 0 and 1 the line is just outside of the picture.
    """
    height, width = shape[:2]
    lean = LEAN * height if divider == "diagonal" else 0.0
    half = max(1.0, min(height, width) / 300) / 2
    slant = math.hypot(1, 2 * lean / height)  # how much longer a row's cut is than the line is wide
    reach = lean + half * slant + 0.5
    middle = -reach + where * (width + 2 * reach)
    rows = middle + lean * (1 - 2 * (np.arange(height) + 0.5) / height)  # x of the line in each row
    right_of = ((np.arange(width) + 0.5)[None] - rows[:, None]) / slant
    left = np.clip(0.5 - right_of, 0, 1)
    line = np.clip(0.5 + half - np.abs(right_of), 0, 1)
    return left.astype(np.float32), line.astype(np.float32)


def difference(before: Picture, after: Picture) -> tuple[Picture, int]:
    """What differs, on black, and by how much it was amplified (1 to 32): so that all but the largest
    fiftieth of what differs shows in proportion, the rest fully.
    """
    apart = np.abs(before.astype(np.int16) - after.astype(np.int16))
    largest = apart.max(axis=-1)
    most = int(np.percentile(largest[largest > 0], 98)) if apart.any() else 255
    factor = int(np.clip(255 // max(1, most), 1, MOST_AMPLIFIED))
    return np.minimum(apart * factor, 255).astype(np.uint8), factor


def _at_height(picture: Picture, height: int) -> Picture:
    """The picture at `height`, its proportions kept; itself when it has that height."""
    return resized(picture, (max(1, round(picture.shape[1] * height / picture.shape[0])), height))
