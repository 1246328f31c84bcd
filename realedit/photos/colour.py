"""A photo's own colour space and the way from it to sRGB and back.

Detection and the generator see sRGB; the change an edit makes goes back into the photo's own space as a
difference, `from_srgb(to_srgb(base) + change) - from_srgb(to_srgb(base))`. So both directions must be smooth
and fine enough for 16 bits: profiles of curves and a matrix (Display P3, Adobe RGB, ProPhoto, grey) are
evaluated exactly, all others through a dense interpolated table made by LittleCMS, whose 8-bit steps are lost
in the interpolation.
"""

import io
import logging
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from realedit.photos import icc

log = logging.getLogger(__name__)

# linear sRGB -> XYZ relative to D50 (IEC 61966-2-1, adapted by the Bradford transform as in ICC's sRGB
# profiles)
_SRGB_TO_XYZ = np.array(
    [
        [0.4360657, 0.3851515, 0.1430784],
        [0.2224932, 0.7168870, 0.0606169],
        [0.0139160, 0.0970764, 0.7140961],
    ]
)
_XYZ_TO_SRGB = np.linalg.inv(_SRGB_TO_XYZ)
_SRGB_CURVE = icc.parametric_curve(3, [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045])
_GRID = 52  # nodes per axis of an interpolated table: 255 / 51 is whole, so every node is a level of 8 bits
_SAME = 0.5 / 255  # a space that never differs more from sRGB than this is sRGB


class Colour(Protocol):
    """A colour space of three channels.

    `to_srgb` takes float32 [..., 3] in [0, 1] of the space to float32 sRGB (display-referred); `from_srgb` is
    its inverse. sRGB values below 0 or above 1 stand for colours outside of sRGB: clip them only to show
    them.
    """

    @property
    def name(self) -> str:
        """What to call the space in messages."""

    @property
    def is_srgb(self) -> bool:
        """Whether both directions are the identity."""

    def to_srgb(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Own space -> sRGB."""

    def from_srgb(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """sRGB -> own space."""


@dataclass(frozen=True)
class SRGB:
    """sRGB itself, and what a photo without a profile is taken for."""

    name: str = "sRGB"
    is_srgb: bool = True

    def to_srgb(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The values themselves."""
        return values

    def from_srgb(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The values themselves."""
        return values


@dataclass(frozen=True)
class MatrixColour:
    """Curves and a matrix, evaluated exactly."""

    name: str
    profile: icc.MatrixProfile
    is_srgb: bool = False

    @property
    def to_linear_srgb(self) -> NDArray[np.float64]:
        """Linear light of the space -> linear light of sRGB [3, 3]."""
        return np.asarray(_XYZ_TO_SRGB @ self.profile.matrix)

    def to_srgb(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Own space -> sRGB."""
        linear = _per_channel([c.forward for c in self.profile.curves], values) @ self.to_linear_srgb.T
        return linear_to_srgb(linear).astype(np.float32)

    def from_srgb(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """sRGB -> own space."""
        linear = _SRGB_CURVE.forward(values.astype(np.float64))
        linear = linear @ (np.linalg.inv(self.profile.matrix) @ _SRGB_TO_XYZ).T
        return _per_channel([c.inverse for c in self.profile.curves], linear).astype(np.float32)


@dataclass(frozen=True, eq=False)
class TableColour:
    """Two tables of `_GRID` nodes per axis [r, g, b, 3], interpolated linearly in between."""

    name: str
    forward: NDArray[np.float32]
    inverse: NDArray[np.float32]
    is_srgb: bool = False

    def to_srgb(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Own space -> sRGB."""
        return _interpolate(self.forward, values)

    def from_srgb(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """sRGB -> own space; values outside of [0, 1] count as the nearest inside."""
        return _interpolate(self.inverse, values)


def linear_to_srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear light to values of sRGB."""
    return _SRGB_CURVE.inverse(linear)


def colour_of(profile_data: bytes | None) -> tuple[Colour, str | None]:
    """The space of an embedded RGB or grey profile, and a warning when it cannot be used (then sRGB stands
    in).
    """
    if not profile_data:
        return SRGB(), None
    try:
        return _from_profile(profile_data), None
    except (icc.ProfileError, ImageCms.PyCMSError, OSError, ValueError) as error:
        log.debug("unusable ICC profile", exc_info=error)
        return SRGB(), "its ICC profile is damaged or of an unusable kind; the colours are taken for sRGB"


def from_primaries(name: str, matrix: NDArray[np.float64], curve: icc.TransferCurve) -> Colour:
    """The space of `matrix` (linear RGB -> XYZ relative to D50, [3, 3]) with one curve for all channels."""
    return _simplest(MatrixColour(name, icc.MatrixProfile((curve, curve, curve), matrix)))


def _from_profile(data: bytes) -> Colour:
    profile = icc.parse(data)
    if profile.space == "GRAY":
        curve = icc.grey_curve(profile)
        if curve is None:
            raise icc.ProfileError("a grey profile without a curve")
        return from_primaries("a grey profile", _SRGB_TO_XYZ, curve)
    if profile.space != "RGB ":
        raise icc.ProfileError(f"a profile for {profile.space!r}")
    matrix = icc.matrix_profile(profile)
    return _simplest(MatrixColour(_description(data), matrix) if matrix else _table_colour(data))


def _simplest(colour: MatrixColour | TableColour) -> Colour:
    """sRGB itself where `colour` differs from it by less than can be seen."""
    steps = np.linspace(0, 1, 9, dtype=np.float32)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    return SRGB(colour.name) if np.abs(colour.to_srgb(grid) - grid).max() < _SAME else colour


def _description(data: bytes) -> str:
    try:
        return ImageCms.getProfileDescription(ImageCms.getOpenProfile(io.BytesIO(data))).strip() or "unnamed"
    except (ImageCms.PyCMSError, OSError, ValueError):
        return "unnamed"


def _table_colour(data: bytes) -> TableColour:
    own = ImageCms.getOpenProfile(io.BytesIO(data))
    srgb = ImageCms.createProfile("sRGB")
    return TableColour(_description(data), _table(own, srgb), _table(srgb, own))


def _table(source: Any, target: Any) -> NDArray[np.float32]:
    steps = np.arange(0, 256, 255 // (_GRID - 1), dtype=np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)  # [r, g, b, 3]
    image = Image.fromarray(grid.reshape(_GRID, _GRID * _GRID, 3))
    transform = ImageCms.buildTransform(
        source,
        target,
        "RGB",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    table = np.asarray(ImageCms.applyTransform(image, transform))
    return (table.reshape(grid.shape) / 255).astype(np.float32)


def _per_channel(curves: list[icc.Curve], values: NDArray[Any]) -> NDArray[np.float64]:
    wide = values.astype(np.float64)
    if curves[0] is curves[1] is curves[2]:
        return curves[0](wide)
    return np.stack([curve(wide[..., channel]) for channel, curve in enumerate(curves)], axis=-1)


def _interpolate(table: NDArray[np.float32], values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Trilinear interpolation of `table` [n, n, n, 3] at `values` [..., 3] in [0, 1]."""
    last = len(table) - 1
    scaled = np.clip(values, 0, 1) * last
    low = np.minimum(scaled.astype(np.intp), last - 1)
    part = (scaled - low).astype(np.float32)
    result = np.zeros_like(part)
    for corner in range(8):
        steps = np.array([corner >> 2 & 1, corner >> 1 & 1, corner & 1])
        weight = np.prod(np.where(steps, part, 1 - part), axis=-1, keepdims=True)
        index = low + steps
        result += weight * table[index[..., 0], index[..., 1], index[..., 2]]
    return result
