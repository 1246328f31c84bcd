"""Colour spaces of ICC profiles that are made of tables, through LittleCMS.

Pillow's LittleCMS computes with 8 bits, so its results are taken at the nodes of a grid and interpolated,
which loses its steps. A wide space stands between the profile and sRGB, so that no colour is cut off on the
way.
"""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from realedit.photos.colour import icc
from realedit.photos.colour.spaces import MatrixColour

_GRID = 52  # nodes per axis: 255 / 51 is whole, so every node is a level of 8 bits
_STEPS = 12  # of Newton's method, for profiles that know only one direction
_DAMPING = 1e-3


@dataclass(frozen=True, eq=False)
class TableColour:
    """own space <-> wide space by tables of `_GRID`^3 nodes [r, g, b, 3]; wide space <-> sRGB exactly."""

    name: str
    forward: NDArray[np.float32]
    inverse: NDArray[np.float32]
    wide: MatrixColour
    is_srgb: bool = False

    def to_srgb(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Own space -> sRGB."""
        return self.wide.to_srgb(interpolate(self.forward, values)[0])

    def from_srgb(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """sRGB -> own space; colours outside of the wide space (BT.2020) count as the nearest inside."""
        return interpolate(self.inverse, self.wide.from_srgb(values))[0]


def table_colour(profile: bytes, name: str) -> TableColour:
    """The space of an RGB profile; PyCMSError when LittleCMS cannot use it.

    Some profiles know only the way out of their space (Apple's "Wide Color Sharing Profile" for example); the
    way back is then found by inverting it.
    """
    wide_profile = icc.profile_of_code_points(9, 13)
    assert wide_profile is not None
    matrix = icc.matrix_profile(icc.parse(wide_profile))
    assert matrix is not None
    own, wide = (ImageCms.getOpenProfile(io.BytesIO(data)) for data in (profile, wide_profile))
    forward = _table(own, wide)
    try:
        inverse = _table(wide, own)
    except ImageCms.PyCMSError:
        inverse = _inverted(forward)
    return TableColour(name, forward, inverse, MatrixColour("BT.2020", matrix))


def grid(levels: NDArray[Any]) -> NDArray[Any]:
    """All colours of the given levels [r, g, b, 3]."""
    return np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)


def interpolate(
    table: NDArray[np.float32], values: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Trilinear interpolation of `table` [n, n, n, 3] at `values` [..., 3] in [0, 1], and its slopes [..., 3,
    3].

    slopes[..., i, j] is how much result i grows with value j.
    """
    last = len(table) - 1
    scaled = np.clip(values, 0, 1) * last
    low = np.minimum(scaled.astype(np.intp), last - 1)
    part = (scaled - low).astype(np.float32)
    result = np.zeros_like(part)
    slopes = np.zeros((*part.shape, 3), np.float32)
    for corner in range(8):
        steps = np.array([corner >> 2 & 1, corner >> 1 & 1, corner & 1])
        weights = np.where(steps, part, 1 - part)
        index = low + steps
        node = table[index[..., 0], index[..., 1], index[..., 2]]
        result += weights.prod(axis=-1, keepdims=True) * node
        for axis in range(3):
            others = weights[..., (axis + 1) % 3] * weights[..., (axis + 2) % 3]
            sign = last if steps[axis] else -last
            slopes[..., axis] += (sign * others)[..., None] * node
    return result, slopes


def _table(source: Any, target: Any) -> NDArray[np.float32]:
    colours = grid(np.arange(0, 256, 255 // (_GRID - 1), dtype=np.uint8))
    image = Image.fromarray(colours.reshape(_GRID, _GRID * _GRID, 3))
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    transform = ImageCms.buildTransform(source, target, "RGB", "RGB", intent, flags)
    table = np.asarray(ImageCms.applyTransform(image, transform))
    return (table.reshape(colours.shape) / 255).astype(np.float32)


def _inverted(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """The way back: at each node the colour that `table` takes nearest to it (damped Newton steps)."""
    targets = grid(np.linspace(0, 1, _GRID, dtype=np.float32)).reshape(-1, 3)
    found = targets.copy()
    for _ in range(_STEPS):
        reached, slopes = interpolate(table, found)
        square = np.swapaxes(slopes, 1, 2) @ slopes + _DAMPING * np.eye(3, dtype=np.float32)
        missing = np.swapaxes(slopes, 1, 2) @ (targets - reached)[..., None]
        found = np.clip(found + np.linalg.solve(square, missing)[..., 0], 0, 1)
    return found.reshape(_GRID, _GRID, _GRID, 3)
