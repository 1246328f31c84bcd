"""Reading ICC profiles: the transfer curves and the matrix of the RGB and grey profiles that are made of
them.

Only what an exact evaluation needs is read here; profiles made of tables go through LittleCMS (`colour.py`).
Source: ICC.1:2022, sections 7.2 (header), 7.3 (tags), 10.6 (curveType), 10.18 (parametricCurveType), F.3.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class ProfileError(ValueError):
    """An ICC profile that is damaged or is not of the kind asked for."""


@dataclass(frozen=True)
class TransferCurve:
    """A device value to linear light and back; both go on smoothly outside of [0, 1] (odd below zero)."""

    forward: Curve
    inverse: Curve


@dataclass(frozen=True)
class MatrixProfile:
    """device RGB -> curves -> matrix -> XYZ relative to D50."""

    curves: tuple[TransferCurve, TransferCurve, TransferCurve]
    matrix: NDArray[np.float64]  # [3, 3], columns are the primaries


@dataclass(frozen=True)
class Profile:
    """The header and the tag table of a profile."""

    data: bytes
    space: str  # "RGB ", "GRAY", "CMYK", "Lab ", ...
    tags: dict[str, tuple[int, int]]  # signature -> (offset, size)

    def tag(self, signature: str) -> bytes:
        """The bytes of one tag, its type signature first."""
        offset, size = self.tags[signature]
        return self.data[offset : offset + size]


def parse(data: bytes) -> Profile:
    """The tag table of `data`; ProfileError when it is no profile."""
    if len(data) < 132 or data[36:40] != b"acsp":
        raise ProfileError("no ICC header")
    (count,) = struct.unpack_from(">I", data, 128)
    if count > 200 or 132 + 12 * count > len(data):
        raise ProfileError("a damaged tag table")
    tags: dict[str, tuple[int, int]] = {}
    for index in range(count):
        signature, offset, size = struct.unpack_from(">4sII", data, 132 + 12 * index)
        if offset + size > len(data):
            raise ProfileError("a tag outside of the profile")
        tags[signature.decode("latin-1")] = (offset, size)
    return Profile(data, data[16:20].decode("latin-1"), tags)


def matrix_profile(profile: Profile) -> MatrixProfile | None:
    """The curves and matrix of an RGB profile that has no table to go before them, else None."""
    needed = ("rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC")
    if profile.space != "RGB " or "A2B0" in profile.tags or any(tag not in profile.tags for tag in needed):
        return None
    columns = [_xyz(profile.tag(tag)) for tag in needed[:3]]
    matrix = np.array(columns).T
    if abs(np.linalg.det(matrix)) < 1e-6:
        raise ProfileError("primaries that lie on a line")
    red, green, blue = (_curve(profile.tag(tag)) for tag in needed[3:])
    return MatrixProfile((red, green, blue), matrix)


def grey_curve(profile: Profile) -> TransferCurve | None:
    """The curve of a grey profile, else None."""
    if profile.space != "GRAY" or "kTRC" not in profile.tags:
        return None
    return _curve(profile.tag("kTRC"))


def _xyz(data: bytes) -> tuple[float, float, float]:
    if len(data) < 20:
        raise ProfileError("a short XYZ tag")
    x, y, z = struct.unpack_from(">3i", data, 8)
    return x / 65536, y / 65536, z / 65536


def _curve(data: bytes) -> TransferCurve:
    kind = data[:4]
    if kind == b"curv" and len(data) >= 12:
        (count,) = struct.unpack_from(">I", data, 8)
        if 12 + 2 * count > len(data):
            raise ProfileError("a short curve")
        if count == 0:
            return power_curve(1.0)
        if count == 1:
            return power_curve(struct.unpack_from(">H", data, 12)[0] / 256)
        return table_curve(np.frombuffer(data, ">u2", count, 12).astype(np.float64) / 65535)
    if kind == b"para" and len(data) >= 12:
        (function,) = struct.unpack_from(">H", data, 8)
        sizes = (1, 3, 4, 5, 7)
        if function >= len(sizes) or 12 + 4 * sizes[function] > len(data):
            raise ProfileError("a short parametric curve")
        values = [v / 65536 for v in struct.unpack_from(f">{sizes[function]}i", data, 12)]
        return parametric_curve(function, values)
    raise ProfileError(f"a curve of type {kind!r}")


def power_curve(gamma: float) -> TransferCurve:
    """value ** gamma."""
    return parametric_curve(0, [gamma])


def parametric_curve(function: int, values: list[float]) -> TransferCurve:
    """One of the five functions of ICC.1 table 68, as y = (a x + b)^g + e from d on and c x + f below."""
    g, a, b, c, d, e, f = values[0], 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if function in (1, 2):
        a, b = values[1:3]
        offset = values[3] if function == 2 else 0.0
        d, e, f = -b / a if a else 0.0, offset, offset
    elif function in (3, 4):
        a, b, c, d = values[1:5]
        if function == 4:
            e, f = values[5:7]
    if g <= 0 or a <= 0:
        raise ProfileError("a curve that does not rise")
    knee = c * d + f  # the linear part's value where the power part takes over

    def forward(x: NDArray[np.float64]) -> NDArray[np.float64]:
        power: NDArray[np.float64] = np.maximum(a * x + b, 0) ** g + e
        return np.where(x >= d, power, c * x + f)

    def inverse(y: NDArray[np.float64]) -> NDArray[np.float64]:
        power: NDArray[np.float64] = (np.maximum(y - e, 0) ** (1 / g) - b) / a
        return np.where(y >= knee, power, (y - f) / c if c > 0 else np.full_like(y, d))

    return TransferCurve(_odd(forward), _odd(inverse))


def table_curve(table: NDArray[np.float64]) -> TransferCurve:
    """Values at equal steps of [0, 1], interpolated; beyond them the last step's slope goes on."""
    count = len(table)
    # a flat piece has no inverse: every step rises by at least a sixteenth of a 16-bit level
    rising = np.maximum.accumulate(table) + np.arange(count) * (1 / 65535 / 16 / count)
    steps = np.linspace(0, 1, count)
    slope = max(float((rising[-1] - rising[-2]) * (count - 1)), 1e-3)
    last = float(rising[-1])

    def forward(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.interp(x, steps, rising) + np.maximum(x - 1, 0) * slope)

    def inverse(y: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(y, rising, steps) + np.maximum(y - last, 0) / slope

    return TransferCurve(_odd(forward), _odd(inverse))


def _odd(curve: Curve) -> Curve:
    """`curve` continued below zero by its point reflection, so that colours outside of the gamut survive."""

    def extended(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.copysign(1.0, x) * curve(np.abs(x)))

    return extended
