"""Colour spaces: sRGB, and those that are made of curves and a matrix.

Detection and the generator see sRGB; the change an edit makes goes back into the photo's own space as a
difference, `from_srgb(to_srgb(base) + change) - from_srgb(to_srgb(base))`. So both directions must be smooth
and fine enough for 16 bits.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from realedit.photos.colour import icc

# linear sRGB -> XYZ relative to D50 (IEC 61966-2-1, adapted by the Bradford transform as in ICC's sRGB
# profiles)
SRGB_TO_XYZ = np.array(
    [
        [0.4360657, 0.3851515, 0.1430784],
        [0.2224932, 0.7168870, 0.0606169],
        [0.0139160, 0.0970764, 0.7140961],
    ]
)
XYZ_TO_SRGB = np.linalg.inv(SRGB_TO_XYZ)
_SRGB_CURVE = icc.parametric_curve(3, [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045])


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
        return np.asarray(XYZ_TO_SRGB @ self.profile.matrix)

    def to_srgb(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Own space -> sRGB."""
        linear = _per_channel([c.forward for c in self.profile.curves], values) @ self.to_linear_srgb.T
        return linear_to_srgb(linear).astype(np.float32)

    def from_srgb(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """sRGB -> own space."""
        linear = _SRGB_CURVE.forward(values.astype(np.float64))
        linear = linear @ (np.linalg.inv(self.profile.matrix) @ SRGB_TO_XYZ).T
        return _per_channel([c.inverse for c in self.profile.curves], linear).astype(np.float32)


def linear_to_srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear light to values of sRGB."""
    return _SRGB_CURVE.inverse(linear)


def _per_channel(curves: list[icc.Curve], values: NDArray[Any]) -> NDArray[np.float64]:
    wide = values.astype(np.float64)
    if curves[0] is curves[1] is curves[2]:
        return curves[0](wide)
    return np.stack([curve(wide[..., channel]) for channel, curve in enumerate(curves)], axis=-1)
