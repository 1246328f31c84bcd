"""The quick way from a photo's pixels to 8-bit sRGB, for looking at them; never for what is written back.

Half a level off the exact way at the most (a few levels where a profile is made of tables), and fast enough
for whole frames of large photos.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from realedit.photos.colour.profile import Colour, MatrixColour, TableColour
from realedit.photos.colour.spaces import linear_to_srgb
from realedit.plumbing.parallel import ordered_map

_STRIP = 1 << 18  # pixels converted at a time, few enough to stay in the processor's cache

ToSrgb = Callable[[NDArray[Any]], NDArray[np.uint8]]
"""Pixels [h, w, 3] of the photo's depth, rows one after the other, to sRGB uint8 of the same shape."""


def converter(colour: Colour, dtype: np.dtype[Any]) -> ToSrgb:
    """How pixels of `dtype` (uint8 or uint16) in `colour` become 8-bit sRGB."""
    if colour.is_srgb:
        return to_8bit
    if isinstance(colour, MatrixColour):
        return _by_matrix(colour, dtype)

    if isinstance(colour, TableColour):
        return _by_table(colour)
    raise TypeError(f"no quick way for {colour!r}")


def to_8bit(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """uint16 rounded to uint8; uint8 as it is."""
    if pixels.dtype == np.uint8:
        return pixels
    return np.asarray(cv2.convertScaleAbs(pixels, alpha=1 / 257), np.uint8).reshape(pixels.shape)


def in_strips(pixels: NDArray[Any], convert: ToSrgb) -> NDArray[np.uint8]:
    """`convert` of [h, w, 3] with any strides; no second frame is held but the result."""
    result = np.empty(pixels.shape, np.uint8)
    rows = max(1, _STRIP // max(1, pixels.shape[1]))

    def strip(top: int) -> None:
        result[top : top + rows] = convert(np.ascontiguousarray(pixels[top : top + rows]))

    for _ in ordered_map(strip, range(0, len(pixels), rows)):
        pass
    return result


def _by_matrix(colour: MatrixColour, dtype: np.dtype[Any]) -> ToSrgb:
    """Curves by table, the matrix, and sRGB's curve by a table of 16 bits."""
    levels = np.linspace(0, 1, int(np.iinfo(dtype).max) + 1)
    curves = [curve.forward(levels).astype(np.float32) for curve in colour.profile.curves]
    linear = np.stack(curves, axis=-1)[None]  # [1, levels, 3]
    matrix = (colour.to_linear_srgb * 65535).astype(np.float32)
    encoded = np.rint(linear_to_srgb(np.linspace(0, 1, 1 << 16)) * 255).astype(np.uint8)

    def convert(pixels: NDArray[Any]) -> NDArray[np.uint8]:
        if pixels.dtype == np.uint8:
            light = cv2.LUT(pixels, linear)
        else:
            light = np.stack([np.take(curves[c], pixels[..., c]) for c in range(3)], axis=-1)
        light = np.clip(cv2.transform(light, matrix), 0, 65535)
        return encoded[light.astype(np.uint16)].reshape(pixels.shape)

    return convert


def _by_table(colour: TableColour) -> ToSrgb:
    """Pillow's interpolation of the table into the wide space, and from there by curves and a matrix."""
    nodes = np.ascontiguousarray(colour.forward.transpose(2, 1, 0, 3)).reshape(-1)  # red changes fastest
    table = ImageFilter.Color3DLUT(len(colour.forward), nodes)
    from_wide = _by_matrix(colour.wide, np.dtype(np.uint8))

    def convert(pixels: NDArray[Any]) -> NDArray[np.uint8]:
        return from_wide(np.asarray(Image.fromarray(to_8bit(pixels)).filter(table)))

    return convert
