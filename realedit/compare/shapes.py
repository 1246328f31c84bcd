"""Antialiased shapes on small and large pictures alike, each given by its signed distance.

A shape is a function from pixel centres [H, W, 2] to the distance to its edge in pixels [H, W], negative
inside. How much of a pixel it covers is then 0.5 - distance, within 0 and 1; widths need not be whole pixels,
and a shape grown by `n` is the same function minus `n`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Point = NDArray[np.float64]
Distance = NDArray[np.floating]
Shape = Callable[[Point], Distance]
Colour = tuple[int, int, int]


def disc(centre: Point, radius: float) -> Shape:
    return lambda at: np.hypot(*np.moveaxis(at - centre, -1, 0)) - radius


def ring(centre: Point, radius: float, width: float) -> Shape:
    return lambda at: np.abs(np.hypot(*np.moveaxis(at - centre, -1, 0)) - radius) - width / 2


def stroke(start: Point, end: Point, width: float) -> Shape:
    """A line with round ends."""
    way = end - start
    length = max(float(way @ way), 1e-12)

    def distance(at: Point) -> Distance:
        along = np.clip((at - start) @ way / length, 0, 1)
        return np.asarray(np.hypot(*np.moveaxis(at - start - along[..., None] * way, -1, 0)) - width / 2)

    return distance


def arrow_head(tip: Point, along: Point, length: float) -> Shape:
    """A triangle as wide as it is long, pointing along the unit vector `along`."""
    across = np.array([-along[1], along[0]])
    slope = np.array([1.0, 0.5]) / math.hypot(1.0, 0.5)  # across, along: the normal of a flank

    def distance(at: Point) -> Distance:
        behind, beside = (tip - at) @ along, np.abs((at - tip) @ across)
        return np.asarray(np.maximum(beside * slope[0] - behind * slope[1], behind - length))

    return distance


def union(*shapes: Shape) -> Shape:
    return lambda at: np.minimum.reduce([shape(at) for shape in shapes])


def fill(picture: Picture, shape: Shape, colour: Colour, *, around: Point, grow: float = 0.0) -> None:
    """Paint `shape`, grown by `grow` pixels, onto `picture` (HWC uint8) in place.

    around: [N, 2] points whose bounding box, grown too, holds the shape; nothing outside of it is looked at.
    """
    height, width = picture.shape[:2]
    low, high = np.floor(around.min(axis=0) - grow - 1), np.ceil(around.max(axis=0) + grow + 1)
    left, top = (int(v) for v in np.clip(low, 0, (width, height)))
    right, bottom = (int(v) for v in np.clip(high, 0, (width, height)))
    if left < right and top < bottom:
        x, y = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
        blend(picture[top:bottom, left:right], shape(np.stack([x, y], axis=-1)) - grow, colour)


def blend(window: Picture, distance: Distance, colour: Colour, opacity: float = 1.0) -> None:
    """Paint what `distance` [H, W] says is inside onto `window` (HWC uint8, a view) in place."""
    coverage = (np.clip(0.5 - distance, 0, 1) * opacity)[..., None]
    window[...] = np.rint(window * (1 - coverage) + np.array(colour) * coverage).astype(np.uint8)


def mask_distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """[H, W]: signed distance of each pixel centre to the edge of a mask; a picture's border is no edge."""
    grey = mask.astype(np.uint8)
    if not mask.any() or mask.all():
        return np.full(mask.shape, -1e6 if mask.all() else 1e6, dtype=np.float32)
    outside = cv2.distanceTransform(1 - grey, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inside = cv2.distanceTransform(grey, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.where(mask, 0.5 - inside, outside - 0.5).astype(np.float32)
