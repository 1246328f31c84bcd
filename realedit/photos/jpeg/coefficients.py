"""The DCT coefficients of a JPEG: reading them exactly, and adding to them what an edit changed.

An edit is not encoded anew: the difference it makes to the pixels is transformed and added to the
coefficients that are there. Where the difference is zero the coefficients are therefore the file's own, and a
block that is changed in one corner is not quantised a second time in the others. Source: ITU-T T.81, annex A;
T.871 (JFIF), section 7.
"""

import ctypes
import struct
from collections.abc import Iterator

import numpy as np
from jpeglib._bind import CJpegLib
from numpy.typing import NDArray

from realedit.photos.jpeg.segments import (
    APP0,
    APP14,
    DHT,
    DQT,
    DRI,
    FRAMES,
    SOS,
    Component,
    Frame,
    JpegFile,
    SegmentError,
)
from realedit.photos.orientation import Box
from realedit.plumbing.files import path_of

Planes = list[NDArray[np.int16]]
"""Per component its blocks [rows, columns, 64], the coefficients in rows of rising horizontal frequency."""

_NEEDED = FRAMES | {APP0, APP14, DHT, DQT, DRI, SOS}
_LARGEST = 2047  # twice what 8-bit samples can give
_BATCH = 1 << 17  # pixels transformed at a time
# differences of R, G, B -> differences of Y, Cb, Cr
_TO_YCC = np.array(
    [[0.299, 0.587, 0.114], [-0.168735892, -0.331264108, 0.5], [0.5, -0.418687589, -0.081312411]], np.float32
)
_k, _n = np.arange(8)[:, None], np.arange(8)[None, :]
_DCT = (np.cos((2 * _n + 1) * _k * np.pi / 16) * np.where(_k == 0, np.sqrt(1 / 8), 0.5)).astype(np.float32)

ZIGZAG = np.array(
    [
        *(0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5),
        *(12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28),
        *(35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51),
        *(58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63),
    ]
)
"""Where in a block the n-th coefficient of the zigzag order lies."""


class CoefficientError(ValueError):
    """A JPEG whose coefficients cannot be had or kept; the message says why."""


def size_in_blocks(frame: Frame, component: Component) -> tuple[int, int]:
    """(rows, columns) of blocks that a component's samples need (T.81 A.1.1, A.2.4)."""
    across, down = frame.sampling
    rows = -(-frame.height * component.vertical // (8 * down))
    columns = -(-frame.width * component.horizontal // (8 * across))
    return rows, columns


def check_exact(jpeg: JpegFile) -> None:
    """CoefficientError unless the coefficients of `jpeg` can be kept."""
    frame = jpeg.frame
    if not frame.huffman:
        raise CoefficientError("it is coded arithmetically, without loss or with 12 bits")
    if len(frame.components) not in (1, 3, 4):
        raise CoefficientError(f"it has {len(frame.components)} components")
    across, down = frame.sampling
    if any(across % c.horizontal or down % c.vertical for c in frame.components):
        raise CoefficientError("its sampling factors do not divide each other")
    try:
        tables = jpeg.tables()
    except (SegmentError, struct.error) as error:
        raise CoefficientError("its quantisation tables change or are damaged") from error
    if any(c.table not in tables or 0 in tables[c.table] for c in frame.components):
        raise CoefficientError("its quantisation tables are damaged")


def read_coefficients(jpeg: JpegFile) -> Planes:
    """The quantised coefficients of every component, exactly as they are in the file."""
    frame = jpeg.frame
    check_exact(jpeg)
    planes = [np.zeros((*size_in_blocks(frame, c), 64), np.int16) for c in frame.components]
    pointers = [plane.ctypes.data_as(ctypes.POINTER(ctypes.c_short)) for plane in planes]
    # jpeglib's own reader decodes the picture first, prints where it fails and leaves a copy of the photo
    # behind; so its binding is called, with a file that is ours
    library = CJpegLib.get()
    with path_of(_bare(jpeg)) as path:
        whole = library.read_jpeg_dct(
            CJpegLib.cstr(str(path)), *pointers, *[None] * (4 - len(planes)), None, None
        )
    if not whole:
        raise CoefficientError("its coefficients cannot be read")
    if any(plane.min() < -_LARGEST or plane.max() > _LARGEST for plane in planes):
        raise CoefficientError("its coefficients are damaged")
    return planes


def add_change(
    planes: Planes, jpeg: JpegFile, box: Box, before: NDArray[np.uint8], after: NDArray[np.uint8]
) -> None:
    """Add to `planes` what `after` differs from `before`: stored pixels [h, w, c] inside `box`.

    Blocks without a difference are not touched. The number of channels is that of the components; CMYK pixels
    are 255 for full ink.
    """
    frame, tables = jpeg.frame, jpeg.tables()
    to_components = _component_matrix(jpeg)
    across, down = (8 * factor for factor in frame.sampling)
    left, top = box[0] // across * across, box[1] // down * down
    right = min(-(-box[2] // across) * across, -(-frame.width // across) * across)
    rows = max(1, _BATCH // (right - left) // down) * down
    for start in range(top, box[3], rows):
        stop = min(start + rows, -(-box[3] // down) * down)
        window = _window((left, start, right, stop), box, frame, before, after)
        if not window.any():
            continue
        samples = window.astype(np.float32) @ to_components.T
        for index, component in enumerate(frame.components):
            table = np.empty(64, np.float32)
            table[ZIGZAG] = tables[component.table]
            _add_blocks(planes[index], component, frame, samples[..., index], (left, start), table)


def _component_matrix(jpeg: JpegFile) -> NDArray[np.float32]:
    """Differences of stored channels -> differences of the components [components, channels]."""
    count = len(jpeg.frame.components)
    if count == 1:
        return np.ones((1, 1), np.float32)
    transform = jpeg.adobe_transform()
    if count == 3:
        letters = bytes(c.identifier for c in jpeg.frame.components) == b"RGB" and not jpeg.has_jfif()
        plain = transform == 0 if transform is not None else letters
        return np.eye(3, dtype=np.float32) if plain else _TO_YCC
    matrix = np.eye(4, dtype=np.float32)
    if transform == 2:
        matrix[:3, :3] = -_TO_YCC  # YCCK: Y, Cb, Cr of 255 - ink
    return -matrix if transform is not None else matrix  # Adobe stores 255 - value


def _window(
    region: Box, box: Box, frame: Frame, before: NDArray[np.uint8], after: NDArray[np.uint8]
) -> NDArray[np.int16]:
    """The difference inside `region`, zero outside of `box`; beyond the picture its edge is repeated."""
    left, top, right, bottom = region
    window = np.zeros((bottom - top, right - left, before.shape[2]), np.int16)
    first, last = max(top, box[1]), min(bottom, box[3])
    part = slice(first - box[1], last - box[1])
    inner = window[first - top : last - top, box[0] - left : box[2] - left]
    np.subtract(after[part], before[part], out=inner, dtype=np.int16)
    if right > frame.width:
        window[:, frame.width - left :] = window[:, frame.width - left - 1 : frame.width - left]
    if bottom > frame.height:
        window[frame.height - top :] = window[frame.height - top - 1]
    return window


def _add_blocks(
    plane: NDArray[np.int16],
    component: Component,
    frame: Frame,
    samples: NDArray[np.float32],
    origin: tuple[int, int],
    table: NDArray[np.float32],
) -> None:
    """Transform one component's differences `samples` [h, w], at `origin`, and add them to its blocks."""
    wide, high = frame.sampling[0] // component.horizontal, frame.sampling[1] // component.vertical
    # strides are added up, which is many times faster than numpy's mean over short axes
    across = sum(samples[:, at::wide] for at in range(1, wide)) + samples[:, ::wide]
    small = (sum(across[at::high] for at in range(1, high)) + across[::high]) / np.float32(high * wide)
    rows, columns = small.shape[0] // 8, small.shape[1] // 8
    blocks = small.reshape(rows, 8, columns, 8).swapaxes(1, 2)  # [rows, columns, 8, 8]
    touched = (small != 0).reshape(rows, 8, -1).any(axis=1).reshape(rows, columns, 8).any(axis=2)
    row, column = origin[1] // high // 8, origin[0] // wide // 8
    target = plane[row : row + blocks.shape[0], column : column + blocks.shape[1]]
    blocks, touched = (each[: target.shape[0], : target.shape[1]] for each in (blocks, touched))
    change = np.rint((_DCT @ blocks[touched] @ _DCT.T).reshape(-1, 64) / table).astype(np.int32)
    target[touched] = np.clip(target[touched] + change, -1023, 1023)


def _bare(jpeg: JpegFile) -> Iterator[bytes | memoryview]:
    """The file, in pieces, without the segments that do not matter to its coefficients."""
    yield b"\xff\xd8"
    for segment in jpeg.segments:
        if segment.marker in _NEEDED:
            yield segment.encoded()
            yield segment.entropy or b""
    yield b"\xff\xd9"
