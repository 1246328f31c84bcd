"""What programs give, as the stages of an edit take it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from realedit.errors import UsageError

if TYPE_CHECKING:
    from inversion import InversionSettings, Quality
    from realedit.photos import Box

Way = tuple[tuple[float, float], tuple[float, float]]
"""A handle and its target."""
Chosen = str | int | Sequence[str | int]
"""A face: `auto`, `largest`, `all`, its number, or several numbers."""
Mask = str | os.PathLike[str] | ArrayLike
"""A picture's file, or `[height, width]` of the photo: uint8, white (>= 128) may move, or bool."""


def ways_of(drags: ArrayLike) -> tuple[Way, ...]:
    """`[K, 2, 2]`: handles and targets. Raises UsageError for other shapes and numbers that are not
    finite."""
    try:
        ways = np.asarray(drags, float)
    except (TypeError, ValueError) as error:
        raise UsageError(f"drags are ((x, y), (x, y)), handle and target each: {error}") from error
    if ways.size == 0:
        return ()
    if ways.ndim != 3 or ways.shape[1:] != (2, 2):
        raise UsageError(
            f"drags are ((x, y), (x, y)), handle and target each, not {list(ways.shape)} numbers"
        )
    if not np.isfinite(ways).all():
        raise UsageError("a drag has a coordinate that is not a number")
    return tuple(((float(a), float(b)), (float(c), float(d))) for (a, b), (c, d) in ways)


def faces_of(face: Chosen) -> tuple[str, ...]:
    """As a request names them."""
    several = (face,) if isinstance(face, (str, int)) else tuple(face)
    return tuple(dict.fromkeys(map(str, several))) or ("auto",)


def box_of(box: Sequence[int] | None) -> Box | None:
    """Left, top, right, bottom as whole pixels."""
    if box is None:
        return None
    try:
        left, top, right, bottom = map(int, box)
    except (TypeError, ValueError) as error:
        raise UsageError(f"a box is (left, top, right, bottom) in pixels, not {box!r}") from error
    return left, top, right, bottom


def mask_of(
    mask: Mask | None, regions: Sequence[Sequence[int]], size: tuple[int, int]
) -> NDArray[np.uint8] | None:
    """The mask within the regions, `[height, width]` uint8; None: everything may move. size: the photo's
    (width, height). Raises UsageError for one that does not fit or lets nothing move."""
    from realedit.geometry.masks import checked_mask, read_mask, within_regions

    boxes = [box for each in regions if (box := box_of(each)) is not None]
    if mask is None:
        return within_regions(None, boxes, size)
    if isinstance(mask, (str, os.PathLike)):
        return within_regions(read_mask(Path(mask), size), boxes, size, str(mask))
    given: NDArray[Any] = np.asarray(mask)
    if given.dtype == np.bool_:
        given = given.astype(np.uint8) * 255
    if given.dtype != np.uint8 or given.ndim != 2:
        raise UsageError(
            f"a mask is [height, width] of uint8 or bool, not {list(given.shape)} of {given.dtype}"
        )
    return within_regions(checked_mask(given, size, "that was given"), boxes, size, "that was given")


def inversion_settings(
    quality: Quality, seed: int, label: str | None, changes: Mapping[str, object] | None
) -> InversionSettings:
    """The preset with changes by name, e.g. `{"tuning.steps": 200}`. Raises UsageError."""
    from inversion import QUALITIES, InversionSettings
    from realedit.editing.request import changed_settings

    if quality not in QUALITIES:
        raise UsageError(f"unknown quality {quality!r}; choose {', '.join(QUALITIES)}")
    settings = InversionSettings.preset(quality, seed=seed, label=label)
    return changed_settings(settings, changes_of(changes))


def changes_of(changes: Mapping[str, object] | None) -> tuple[tuple[str, str], ...]:
    """Names and values, as they are written on the command line."""
    return tuple((name, str(value)) for name, value in (changes or {}).items())
