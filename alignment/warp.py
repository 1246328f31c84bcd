"""From a photo to the aligned crop: filtered when it shrinks, extended smoothly where the photo ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from alignment.errors import OutsideError
from alignment.geometry import Alignment, index_affine

Pixels = NDArray[Any]

_REACH = 6  # photo pixels around the square that the interpolation kernel may look at
_OVERSAMPLING = 3  # samples per crop pixel to which a denser region is area-reduced before it is warped
_BLUR_PER_DISTANCE = 0.25  # sigma of the blur of a made-up pixel, per pixel of its distance to the photo
_FULL_BLUR = 0.04  # its sigma at most, as a part of the crop's size


@dataclass(frozen=True)
class Crop:
    """pixels: HWC RGB [S, S, 3] of the photo's dtype; valid: bool [S, S], False where pixels were made up."""

    pixels: Pixels
    valid: NDArray[np.bool_]


def extract_crop(pixels: Pixels, alignment: Alignment, size: int) -> Crop:
    """The aligned square of a photo as a crop of `size` x `size` pixels.

    pixels: the photo as displayed, HWC RGB, uint8 or uint16; only the part under the square is read or
    copied. Where the crop is coarser than the photo, each of its pixels is the mean over its footprint (an
    area filter); where it is finer, Lanczos interpolation. Pixels outside of the photo mirror it, blurred
    more the farther away they are, and `valid` is False for each pixel whose footprint leaves the photo.

    Raises OutsideError when no pixel of the crop is in the photo, ValueError for another layout, dtype or
    size.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"A photo is [H, W, 3] uint8 or uint16, not {pixels.shape} {pixels.dtype}.")
    if size < 1:
        raise ValueError(f"A crop has at least one pixel, not {size}.")
    valid = valid_mask(pixels.shape[1], pixels.shape[0], alignment, size)
    if not valid.any():
        raise OutsideError(
            f"The square to edit ({alignment.describe()}) lies outside of the photo, which is "
            f"{pixels.shape[1]} x {pixels.shape[0]} pixels; choose one that meets it."
        )
    left, top, right, bottom = region_under(alignment, pixels.shape[1], pixels.shape[0])
    reduced = _reduce(pixels[top:bottom, left:right], (left, top), alignment.scale(size))
    crop = _warp(*reduced, alignment, size)
    return Crop(pixels=crop if valid.all() else _soften(crop, valid), valid=valid)


def valid_mask(width: int, height: int, alignment: Alignment, size: int) -> NDArray[np.bool_]:
    """[S, S]: which pixels of the crop have their whole footprint in a photo of `width` x `height` pixels."""
    grid = np.arange(size + 1, dtype=np.float64)
    a, b = alignment.to_photo([(0, 0), (size, 0)], size), alignment.to_photo([(0, size)], size)
    x_step, y_step = (a[1] - a[0]) / size, (b[0] - a[0]) / size
    slack = 1e-6 * alignment.side
    inside = np.ones((size + 1, size + 1), dtype=np.bool_)
    for axis, limit in ((0, width), (1, height)):
        position = a[0, axis] + x_step[axis] * grid[None, :] + y_step[axis] * grid[:, None]
        inside &= (position >= -slack) & (position <= limit + slack)
    return np.asarray(inside[:-1, :-1] & inside[:-1, 1:] & inside[1:, :-1] & inside[1:, 1:])


def region_under(alignment: Alignment, width: int, height: int) -> tuple[int, int, int, int]:
    """The part (left, top, right, bottom) of a photo of `width` x `height` pixels that its crop is made of,
    with what is mirrored where the square leaves the photo."""
    corners = alignment.corners()
    low_high = []
    for axis, limit in ((0, width), (1, height)):
        low, high = float(corners[:, axis].min()) - _REACH, float(corners[:, axis].max()) + _REACH
        # What lies beyond an edge is the mirror of what lies before it, so that much must be at hand.
        first, last = math.floor(min(low, 2 * limit - high)), math.ceil(max(high, -low))
        low_high.append((min(limit, max(0, first)), max(0, min(limit, last))))
    (left, right), (top, bottom) = low_high
    return left, top, right, bottom


def _reduce(region: Pixels, offset: tuple[int, int], scale: float) -> tuple[Pixels, NDArray[np.float64]]:
    """Area-reduce a region much denser than the crop; returns it with its [3, 3] affine to the photo."""
    height, width = region.shape[:2]
    factor = min(1.0, scale * _OVERSAMPLING)
    columns, rows = max(1, round(width * factor)), max(1, round(height * factor))
    if factor < 1:
        region = cv2.resize(np.ascontiguousarray(region), (columns, rows), interpolation=cv2.INTER_AREA)
    to_photo = np.array([[width / columns, 0, offset[0]], [0, height / rows, offset[1]], [0, 0, 1.0]])
    return region, to_photo


def _warp(region: Pixels, to_photo: NDArray[np.float64], alignment: Alignment, size: int) -> Pixels:
    """Warp a region to the crop: sampled at least as densely as the region is, then averaged down."""
    density = 1 / (
        alignment.scale(size) * min(to_photo[0, 0], to_photo[1, 1])
    )  # region pixels per crop pixel
    fine = size * max(1, math.ceil(density - 0.05))  # a reduced region misses its density by a rounding
    to_crop = np.vstack([alignment.matrix(fine), [0, 0, 1]]) @ to_photo
    crop_to_region = index_affine(np.linalg.inv(to_crop)[:2])
    warped = cv2.warpAffine(
        np.ascontiguousarray(region),
        crop_to_region,
        (fine, fine),
        flags=(cv2.INTER_LANCZOS4 if fine == size else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    return warped if fine == size else cv2.resize(warped, (size, size), interpolation=cv2.INTER_AREA)


def _soften(crop: Pixels, valid: NDArray[np.bool_]) -> Pixels:
    """Blur made-up pixels by their distance to the photo; the photo's own pixels stay as they are."""
    size = crop.shape[0]
    outside = np.where(valid, 0, 255).astype(np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    strongest = max(_FULL_BLUR * size, 1.0)
    wanted = np.minimum(distance * _BLUR_PER_DISTANCE, strongest)
    sigmas = [0.0, *np.geomspace(0.5, strongest, 6)]
    softened = crop.copy()
    below = crop
    for low, high in pairwise(sigmas):
        above = _blurred(crop, high)
        band = (wanted > low) & (wanted <= high)
        share = ((wanted[band] - low) / (high - low))[:, None]
        softened[band] = np.rint(below[band] * (1 - share) + above[band] * share)
        below = above
    return softened


def _blurred(crop: Pixels, sigma: float) -> Pixels:
    """Gaussian blur, computed on a reduced copy where that makes no difference."""
    size = crop.shape[0]
    reduced = math.ceil(size / max(1, math.floor(sigma / 2)))
    small = cv2.resize(crop, (reduced, reduced), interpolation=cv2.INTER_AREA) if reduced < size else crop
    small = cv2.GaussianBlur(small, (0, 0), sigma * reduced / size, borderType=cv2.BORDER_REFLECT)
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR) if reduced < size else small
