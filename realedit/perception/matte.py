"""A coarse matte brought to other squares, and to the photo's own pixels along its edges."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from alignment import Alignment
from alignment.geometry import index_affine

Matte = NDArray[np.float32]
Box = tuple[int, int, int, int]

_REACH = 0.03  # radius of the guided filter, as a part of the view's side
_SHARPER = 2.5  # contrast of the coarse matte before it, which is softer than its edges are wide
_CLEARER = 1.4  # contrast of the fine matte after it
_SMOOTH = 1e-4  # variance of colour (0 to 1) below which the guided filter smooths
_WORKING = 1024  # pixels along the view's side at which the filter's coefficients are found, at most


def in_square(matte: Matte, view: Alignment, square: Alignment, size: int) -> Matte:
    """The matte `[M, M]` of `view` in another square `[size, size]`; beyond the view its border goes on."""
    to_photo = np.linalg.inv(np.vstack([square.matrix(size), [0, 0, 1]]))
    return _warped(matte, view, to_photo, (size, size))


def in_box(matte: Matte, view: Alignment, box: Box) -> Matte:
    """The matte of `view` over the photo's pixels of `box` (left, top, right, bottom), `[h, w]`."""
    left, top, right, bottom = box
    to_photo = np.array([[1.0, 0, left], [0, 1, top], [0, 0, 1]])
    return _warped(matte, view, to_photo, (right - left, bottom - top))


def _warped(matte: Matte, view: Alignment, to_photo: NDArray[np.float64], size: tuple[int, int]) -> Matte:
    """`to_photo`: [3, 3] affine of the wanted picture's pixels to photo pixels; size: columns, rows."""
    to_view = view.matrix(matte.shape[0]) @ to_photo
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(matte, index_affine(to_view), size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.clip(warped, 0, 1), np.float32)


def refined(pixels: NDArray[Any], matte: Matte, view_side: float) -> Matte:
    """The matte `[h, w]` along the edges of `pixels` (`[h, w, 3]` uint8 or uint16, RGB).

    A guided filter with the colours as its guide (He, Sun and Tang, "Guided Image Filtering", 2013, equations
    14 to 16). Its coefficients are found on a reduced copy where the view is wider than 1024 pixels ("Fast
    Guided Filter", arXiv 1505.00996). `view_side`: of the square that the matte was seen in, photo pixels.
    """
    matte = _contrast(matte, _SHARPER)
    guide = pixels.astype(np.float32) / np.iinfo(pixels.dtype).max
    height, width = matte.shape
    factor = min(1.0, _WORKING / view_side)
    small = (max(1, round(width * factor)), max(1, round(height * factor)))
    radius = max(1, round(_REACH * view_side * factor))
    reduced, target = (cv2.resize(each, small, interpolation=cv2.INTER_AREA) for each in (guide, matte))
    slope, offset = _coefficients(np.asarray(reduced), np.asarray(target), radius)
    large = cv2.resize(np.dstack([slope, offset]), (width, height), interpolation=cv2.INTER_LINEAR)
    return _contrast((large[..., :3] * guide).sum(axis=2) + large[..., 3], _CLEARER)


def _contrast(matte: NDArray[Any], factor: float) -> Matte:
    return np.asarray(np.clip((matte - 0.5) * factor + 0.5, 0, 1), np.float32)


def _coefficients(guide: NDArray[Any], matte: NDArray[Any], radius: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Slopes `[h, w, 3]` and offsets `[h, w]` of the matte over the guide's colours, averaged."""

    def mean(values: NDArray[Any]) -> NDArray[Any]:
        side = 2 * radius + 1
        return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT))

    middle, level = mean(guide), mean(matte)
    products = guide[:, :, :, None] * guide[:, :, None, :]
    h, w = matte.shape
    spread = np.dstack([mean(products[:, :, i]) for i in range(3)]).reshape(h, w, 3, 3)
    spread -= middle[:, :, :, None] * middle[:, :, None, :]
    shared = mean(guide * matte[:, :, None]) - middle * level[:, :, None]
    slope = np.linalg.solve(spread + _SMOOTH * np.eye(3, dtype=np.float32), shared[..., None])[..., 0]
    offset = level - (slope * middle).sum(axis=2)
    return mean(np.ascontiguousarray(slope)), mean(offset)
