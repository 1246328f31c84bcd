"""The pixels of a TIFF's first page, decoded by tifffile, and what this package does not read, refused.

Strips and tiles go one by one into the picture, so memory is the picture and a few of them. Source: TIFF 6.0;
its supplements by Adobe; libtiff for what was never written down.
"""

import io
import math
import struct
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from realedit.photos.shared.decoded import UnreadableError, check_size
from realedit.photos.shared.layout import FURTHER, PREMULTIPLIED, STRAIGHT, Layout
from realedit.photos.tiff.embedded import embedded_size
from realedit.plumbing.parallel import ordered_map

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED, YCBCR = 0, 1, 2, 3, 5, 6
NO_COMPRESSION, DEFLATE = 1, 8
_FAX = frozenset({2, 3, 4})
_OLD_JPEG, _JPEG = 6, 7
_WEBP = frozenset({34927, 50001})
_LZW, _PACKBITS, _OLD_DEFLATE, _LZMA, _OLD_ZSTD, _ZSTD = 5, 32773, 32946, 34925, 34926, 50000
_COMPRESSIONS = frozenset(
    {NO_COMPRESSION, DEFLATE, _OLD_DEFLATE, _LZW, _PACKBITS, _LZMA, _ZSTD, _OLD_ZSTD, _JPEG, _OLD_JPEG}
    | _FAX
    | _WEBP
)
_COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 3, SEPARATED: 4, YCBCR: 3}
_LAB = frozenset({8, 9, 10})
_PHOTOMETRIC, _ORIENTATION, _COLOUR_MAP, _INK_SET = 262, 274, 320, 332
_BYTES_PER_PIXEL = 8  # at most, of all channels together: 16 bits of RGB and opacity
_ROWS = 256  # put into the picture at a time, so that no second frame is held
_SLACK = 1 << 26  # bytes that tiles may reach beyond a small picture


@dataclass(frozen=True)
class Pixels:
    """Pixels [H, W, c] as stored, uint8 or uint16: white is the largest value, palettes are colours."""

    values: NDArray[Any]
    layout: Layout
    depth: int  # bits per channel in the file
    cmyk: bool
    palette: bool


@dataclass(frozen=True)
class _Page:
    """What the page says of its samples, checked."""

    width: int
    height: int
    samples: int  # per pixel in the file
    bits: int
    photometric: int
    layout: Layout  # of the decoded pixels
    dtype: np.dtype[Any]  # of the decoded pixels
    table: NDArray[Any] | None  # the palette [2^bits, 3]
    by_libtiff: bool


def read_pixels(data: bytes, max_pixels: int) -> Pixels:
    """The pixels of the first page of a TIFF or BigTIFF."""
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        raw = tiff.pages.first
        check_size(raw.imagewidth, raw.imagelength, max_pixels)
        _check_samples(raw)
        page = _page(raw)
        _check_memory(raw, page, max_pixels)
        _check_data(raw, len(data))
        values = (
            _by_libtiff(data, raw, page) if page.by_libtiff else _by_tifffile(data, raw, page, max_pixels)
        )
    depth = 8 * page.dtype.itemsize if page.table is not None else page.bits
    return Pixels(
        values, page.layout, depth, cmyk=page.photometric == SEPARATED, palette=page.table is not None
    )


def _check_samples(raw: tifffile.TiffPage) -> None:
    """Refuse numbers and compressions that are not read."""
    bits = raw.bitspersample
    if raw.sampleformat == 3:
        raise UnreadableError(f"its samples are floating-point numbers of {bits} bits; convert it to 16 bits")
    if raw.sampleformat not in (1, 4) or not isinstance(bits, int) or not 1 <= bits <= 16:
        raise UnreadableError("its samples are not whole numbers of 1 to 16 bits; convert it to 16 bits")
    if raw.compression not in _COMPRESSIONS:
        name = getattr(raw.compression, "name", f"number {int(raw.compression)}")
        raise UnreadableError(
            f"its compression ({name}) is not read; save it with LZW, Deflate or without compression"
        )
    if raw.imagedepth != 1 or raw.tiledepth != 1:
        raise UnreadableError("it is a volume and not a picture; save one layer of it")


def _page(raw: tifffile.TiffPage) -> _Page:
    samples, bits = int(raw.samplesperpixel), int(raw.bitspersample)
    photometric = _photometric(raw)
    colours = _COLOURS[photometric]
    further = samples - (1 if photometric == PALETTE else colours)
    if further < 0:
        raise UnreadableError("it has fewer channels than its colour space asks for")
    layout = Layout(colours, _extra(raw.extrasamples, further))
    if photometric == SEPARATED and (bits != 8 or raw.tags.valueof(_INK_SET, 1) != 1 or layout.premultiplied):
        raise UnreadableError("it is CMYK of another kind than four inks of 8 bits; convert it to RGB")
    if photometric == WHITE_IS_ZERO and layout.premultiplied:
        raise UnreadableError("white is its zero and its opacity is premultiplied; save it as RGB")
    if photometric == YCBCR and (bits != 8 or further or raw.planarconfig != 1):
        raise UnreadableError("it is YCbCr of another kind than three channels of 8 bits; convert it to RGB")
    by_libtiff = raw.compression == _OLD_JPEG or (photometric == YCBCR and raw.compression != _JPEG)
    table = _palette(raw, bits) if photometric == PALETTE else None
    dtype = np.dtype(np.uint8 if bits <= 8 else np.uint16) if table is None else table.dtype
    return _Page(
        int(raw.imagewidth),
        int(raw.imagelength),
        samples,
        bits,
        photometric,
        layout,
        dtype,
        table,
        by_libtiff,
    )


def _photometric(raw: tifffile.TiffPage) -> int:
    photometric = int(raw.photometric)
    if _PHOTOMETRIC not in raw.tags and raw.compression != _OLD_JPEG:  # what libtiff makes of it
        photometric = RGB if raw.samplesperpixel - len(raw.extrasamples) >= 3 else BLACK_IS_ZERO
        if raw.compression in _FAX:
            photometric = WHITE_IS_ZERO
    if photometric in _LAB:
        raise UnreadableError("its colour space (CIELab) is not read; convert it to RGB")
    if photometric not in _COLOURS:
        raise UnreadableError("its colour space is neither grey, RGB, palette nor CMYK; convert it to RGB")
    return photometric


def _extra(stated: tuple[int, ...], count: int) -> tuple[int, ...]:
    """What `count` channels behind the colours are. Where a file does not say, the first one is opacity."""
    if not stated and count:
        return (STRAIGHT, *[FURTHER] * (count - 1))
    known = [kind if kind in (PREMULTIPLIED, STRAIGHT) else FURTHER for kind in map(int, stated[:count])]
    return (*known, *[FURTHER] * (count - len(known)))


def _palette(raw: tifffile.TiffPage, bits: int) -> NDArray[Any]:
    """The colours [2^bits, 3]: uint8 where the 16 bits of the file hold no more, else uint16."""
    stored = np.asarray(raw.tags.valueof(_COLOUR_MAP), np.uint16)
    if stored.size != 3 << bits:
        raise UnreadableError("its palette is damaged")
    table = stored.reshape(3, -1).T
    high, low = table >> 8, table & 255
    if not high.any():
        return low.astype(np.uint8)  # of programs that wrote 8 bits
    if not low.any() or (low == high).all():
        return high.astype(np.uint8)
    return table


def _check_memory(raw: tifffile.TiffPage, page: _Page, max_pixels: int) -> None:
    """Refuse pictures whose channels, or whose tiles' margins, need much more room than `max_pixels` do."""
    width, height, most = page.width, page.height, _BYTES_PER_PIXEL * max_pixels
    if raw.is_tiled:
        if raw.tilewidth < 1 or raw.tilelength < 1:
            raise UnreadableError("its tiles have no pixels")
        width = math.ceil(width / raw.tilewidth) * raw.tilewidth
        height = math.ceil(height / raw.tilelength) * raw.tilelength
        most += _SLACK
    channels = max(page.samples, page.layout.channels)
    if width * height * channels * page.dtype.itemsize > most:
        raise UnreadableError(
            f"its {page.samples} channels of {page.width} x {page.height} pixels need more memory than the "
            f"limit of {max_pixels} pixels allows (--max-pixels raises it)"
        )


def _check_data(raw: tifffile.TiffPage, size: int) -> None:
    """Refuse files that lack strips or tiles, or whose strips or tiles lie beyond their end."""
    parts = list(zip(raw.dataoffsets, raw.databytecounts, strict=False))
    if not parts:
        raise UnreadableError("it has no picture data")
    if max(offset + count for offset, count in parts) > size:
        raise UnreadableError("it ends early")
    if raw.compression != _OLD_JPEG and (
        len(parts) < math.prod(raw.chunked) or min(min(part) for part in parts) < 1
    ):
        raise UnreadableError("parts of its picture data are missing")


def _by_tifffile(data: bytes, raw: tifffile.TiffPage, page: _Page, max_pixels: int) -> NDArray[Any]:
    if page.photometric != YCBCR:
        raw.subsampling = None  # left behind by libtiff's tiffcp, which turns JPEG to RGB
    decode = raw.decode  # made by the first who asks, which should be no thread
    pixels = np.empty((page.height, page.width, page.layout.channels), page.dtype)
    coded = memoryview(data)
    options = {"jpegtables": raw.jpegtables} if raw.compression == _JPEG else {}

    def place(index: int) -> None:
        offset, count = raw.dataoffsets[index], raw.databytecounts[index]
        piece = coded[offset : offset + count]
        if raw.compression == _JPEG or raw.compression in _WEBP:
            check_size(*embedded_size(piece), max_pixels)
        decoded, (plane, _, top, left, _), _ = decode(piece, index, **options)
        values = decoded[0, : page.height - top, : page.width - left]
        room = pixels[top : top + values.shape[0], left : left + values.shape[1]]
        for row in range(0, len(values), _ROWS):
            _put(room[row : row + _ROWS], values[row : row + _ROWS], plane, page)

    for _ in ordered_map(place, range(math.prod(raw.chunked))):
        pass
    return pixels


def _put(place: NDArray[Any], values: NDArray[Any], plane: int, page: _Page) -> None:
    """Decoded samples [h, w, n], the first of them of the channel `plane`, into their `place` [h, w, c]."""
    if page.table is not None:
        if plane == 0:
            place[..., :3] = page.table[values[..., 0].astype(np.uint16)]
            values = values[..., 1:]
        first = max(plane, 1) + 2
    else:
        first = plane
    if values.shape[2]:
        target = place[..., first : first + values.shape[2]]
        target[:] = _scaled(values, page)
        if plane == 0 and page.photometric == WHITE_IS_ZERO:
            np.subtract(np.iinfo(page.dtype).max, target[..., :1], out=target[..., :1])


def _scaled(values: NDArray[Any], page: _Page) -> NDArray[Any]:
    """Samples of `page.bits` bits in all of the range of the pixels' type."""
    full = int(np.iinfo(page.dtype).max)
    most = (1 << page.bits) - 1
    if most == full:
        return values
    return (values.astype(np.uint32) * full + most // 2) // most


def _by_libtiff(data: bytes, raw: tifffile.TiffPage, page: _Page) -> NDArray[np.uint8]:
    """YCbCr without JPEG, and old-style JPEG, as the RGB that libtiff makes of them.

    libtiff also mirrors pictures (but does not turn them) after their orientation, so it is not told of one.
    """
    tag = raw.tags.get(_ORIENTATION)
    if tag is not None and tag.value != 1:
        copy = bytearray(data)
        kind = {1: "B", 2: "H", 4: "I"}[tag.valuebytecount]
        struct.pack_into(raw.parent.byteorder + kind, copy, tag.valueoffset, 1)
        data = bytes(copy)
    pixels = np.asarray(imagecodecs.tiff_decode(data, asrgb=True))
    if pixels.shape != (page.height, page.width, 4) or pixels.dtype != np.uint8:
        raise UnreadableError("its picture data are damaged or cut short")
    return np.ascontiguousarray(pixels[..., :3])
