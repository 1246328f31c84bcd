"""ICC profiles: reading the curves and the matrix of those that are made of them, and writing such.

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


# chromaticities of the primaries that ITU-T H.273 numbers (red, green, blue), all with the white D65
_PRIMARIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),  # BT.709, sRGB
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),  # BT.2020
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),  # Display P3
}
SRGB_PRIMARIES = _PRIMARIES[1]
ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
_NAMES = {1: "BT.709", 9: "BT.2020", 12: "Display P3"}
D65 = (0.3127, 0.3290)
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_SRGB_PARAMETERS = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_BT709_PARAMETERS = (1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)


def profile_of_code_points(primaries: int, transfer: int) -> bytes | None:
    """An ICC profile for colours stated by the numbers of ITU-T H.273; None for sRGB and unknown ones."""
    if primaries not in _PRIMARIES or (primaries == 1 and transfer in (1, 2, 6, 13)):
        return None
    parameters = _BT709_PARAMETERS if transfer in (1, 6, 14, 15) else _SRGB_PARAMETERS
    return write_profile(_NAMES[primaries], primaries_matrix(_PRIMARIES[primaries], D65), parameters)


def adobe_rgb() -> bytes:
    """A profile of Adobe RGB (1998), which cameras state by an EXIF entry alone."""
    return write_profile("Adobe RGB", primaries_matrix(ADOBE_RGB, D65), (2.19921875, 1.0, 0.0, 0.0, 0.0))


def primaries_matrix(
    primaries: tuple[tuple[float, float], ...], white: tuple[float, float]
) -> NDArray[np.float64]:
    """Linear RGB -> XYZ relative to D50 from chromaticities, adapted by the Bradford transform."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    white_xyz = np.array([white[0] / white[1], 1.0, (1 - white[0] - white[1]) / white[1]])
    matrix = columns * np.linalg.solve(columns, white_xyz)
    gain = (_BRADFORD @ _D50) / (_BRADFORD @ white_xyz)
    adaptation = np.linalg.inv(_BRADFORD) @ np.diag(gain) @ _BRADFORD
    return np.asarray(adaptation @ matrix)


def write_profile(name: str, matrix: NDArray[np.float64], parameters: tuple[float, ...]) -> bytes:
    """A display profile of version 4: `matrix` to D50 and one parametric curve of type 3 for all channels."""

    def fixed(*values: float) -> bytes:
        return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))

    def text(value: str) -> bytes:
        coded = value.encode("utf-16-be")
        return b"mluc" + struct.pack(">IIIHHII", 0, 1, 12, 0x656E, 0x5553, len(coded), 28) + coded

    tags = {
        b"desc": text(name),
        b"cprt": text("No copyright"),
        b"wtpt": b"XYZ \x00\x00\x00\x00" + fixed(*_D50),
    }
    for index, tag in enumerate((b"rXYZ", b"gXYZ", b"bXYZ")):
        tags[tag] = b"XYZ \x00\x00\x00\x00" + fixed(*matrix[:, index])
    curve = b"para" + struct.pack(">IHH", 0, 3, 0) + fixed(*parameters)
    tags.update(dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))
    table, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for tag, content in tags.items():
        table += struct.pack(">4sII", tag, at + len(body), len(content))
        body += content + b"\x00" * (-len(content) % 4)
    size = 128 + len(table) + len(body)
    head = struct.pack(">I4s4s4s4s4s", size, b"\x00" * 4, b"\x04\x40\x00\x00", b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H4s", 2024, 1, 1, 0, 0, 0, b"acsp")
    return head.ljust(68, b"\x00") + fixed(*_D50) + b"\x00" * 48 + table + body
