"""Rectangles of a photo as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realedit.photos import Box

_MOST_PIXELS = 1 << 31  # of a coordinate


def parse_region(text: str) -> Box:
    """`X,Y,W,H`, a rectangle of photo pixels, as (left, top, right, bottom). Raises ValueError."""
    try:
        left, top, width, height = (int(number) for number in text.split(","))
    except ValueError as error:
        raise ValueError(
            f"{text!r} is not a rectangle; write X,Y,W,H in pixels, e.g. 200,300,120,80"
        ) from error
    if max(map(abs, (left, top, width, height))) >= _MOST_PIXELS:
        raise ValueError(f"the rectangle {text!r} is larger than any photo; write X,Y,W,H in pixels")
    if width < 1 or height < 1:
        raise ValueError(f"the rectangle {text!r} is empty; its width and height must be at least 1")
    return left, top, left + width, top + height
