"""TIFF: 8 and 16 bits, grey, RGB, palette and CMYK, further channels kept; the first page.

Uncompressed files stay so, all others are written with Deflate. Source: TIFF 6.0; Adobe Photoshop TIFF notes.
"""

import io
import struct
import zlib
from typing import Any, BinaryIO

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from realedit.photos import iptc
from realedit.photos.decoded import (
    Decoded,
    UnreadableError,
    check_size,
    pillow_pixels,
    swap_red_and_blue,
)
from realedit.photos.metadata import Metadata
from realedit.photos.orientation import is_orientation, to_stored
from realedit.photos.parallel import ordered_map
from realedit.photos.picture import Picture
from realedit.photos.tiff_directories import (
    LONG,
    SHORT,
    Directory,
    DirectoryError,
    Value,
    count_directories,
    header,
    lay_out,
    read_directory,
    to_block,
)

WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION = 256, 257, 258, 259, 262, 274
STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_COUNTS = 273, 277, 278, 279
X_RESOLUTION, Y_RESOLUTION, PLANAR, RESOLUTION_UNIT, PREDICTOR = 282, 283, 284, 296, 317
TILE_OFFSETS, TILE_COUNTS, SUB_DIRECTORIES, EXTRA_SAMPLES, SAMPLE_FORMAT = 324, 325, 330, 338, 339
XMP, IPTC, RESOURCES, ICC, LAYERS, C2PA = 700, 33723, 34377, 34675, 37724, 52545
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _SEPARATED, _YCBCR = 0, 1, 2, 3, 5, 6
_NONE, _DEFLATE = 1, 8
_PLAIN = frozenset({_NONE, _DEFLATE, 32946})
_STRIP_BYTES = 1 << 18
# fields that say how the pixels lie in the file, or hold what an edit makes untrue
_STRUCTURE = frozenset(
    {254, 255, WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC, 263, 266, STRIP_OFFSETS, ORIENTATION, SAMPLES}
    | {ROWS_PER_STRIP, STRIP_COUNTS, 280, 281, PLANAR, 288, 289, 290, 291, 292, 293, PREDICTOR, 318, 319, 320}
    | {322, 323, TILE_OFFSETS, TILE_COUNTS, SUB_DIRECTORIES, 332, 333, 334, 336, EXTRA_SAMPLES, SAMPLE_FORMAT}
    | {340, 341, 342, 347, *range(512, 522), 529, 530, 531, 532, LAYERS, C2PA, 50784}
)
_BLOCKS = frozenset({XMP, IPTC, RESOURCES, ICC})


def read(data: bytes, max_pixels: int) -> Decoded:
    """The first page of a TIFF."""
    try:
        page = read_directory(data)
    except (DirectoryError, struct.error) as error:
        raise UnreadableError("it ends early or its directory is damaged") from error
    check_size(page.integer(WIDTH, 0), page.integer(LENGTH, 0), max_pixels)
    _check_kind(page, len(data))
    orientation = page.integer(ORIENTATION, 1)
    orientation = orientation if is_orientation(orientation) else 1
    bits, photometric = page.integer(BITS, 1), page.integer(PHOTOMETRIC, _BLACK_IS_ZERO)
    if bits == 16:
        pixels: NDArray[Any] = _deep_pixels(data, page)
    elif bits == 8 and page.integer(COMPRESSION, _NONE) in _PLAIN and photometric not in (_PALETTE, _YCBCR):
        pixels = _tifffile_pixels(data)
    else:
        pixels = _pillow_pixels(data, orientation)
    if bits in (8, 16) and photometric == _WHITE_IS_ZERO and page.integer(COMPRESSION, _NONE) in _PLAIN:
        pixels = np.iinfo(pixels.dtype).max - pixels
    return Decoded(
        pixels,
        _metadata(page),
        orientation,
        bits,
        cmyk=photometric == _SEPARATED,
        palette=photometric == _PALETTE,
        stale=_stale(data, page),
    )


def _check_kind(page: Directory, size: int) -> None:
    """Refuse what is no photograph of 8 or 16 bits, and files whose pixel data lie beyond their end."""
    bits = page.integers(BITS) or (1,)
    formats = page.integers(SAMPLE_FORMAT) or (1,)
    photometric = page.integer(PHOTOMETRIC, _BLACK_IS_ZERO)
    if set(formats) - {1, 4} or len(set(bits)) > 1 or bits[0] not in (1, 2, 4, 8, 16):
        raise UnreadableError("its samples are not whole numbers of 1 to 16 bits; convert it to 16 bits")
    if photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _SEPARATED, _YCBCR):
        raise UnreadableError("its colour space is neither grey, RGB, palette nor CMYK; convert it to RGB")
    if photometric == _SEPARATED and (bits[0] != 8 or page.integer(SAMPLES, 1) != 4):
        raise UnreadableError("it is CMYK of another kind than four inks of 8 bits; convert it to RGB")
    for offsets, counts in ((STRIP_OFFSETS, STRIP_COUNTS), (TILE_OFFSETS, TILE_COUNTS)):
        ends = [a + b for a, b in zip(page.integers(offsets), page.integers(counts), strict=False)]
        if max(ends, default=0) > size:
            raise UnreadableError("it ends early")
    if not (page.integers(STRIP_OFFSETS) or page.integers(TILE_OFFSETS)):
        raise UnreadableError("it has no picture data")


def _deep_pixels(data: bytes, page: Directory) -> NDArray[np.uint16]:
    """16 bits: tifffile where it needs no further library, else OpenCV."""
    if page.integer(COMPRESSION, _NONE) in _PLAIN:
        return np.asarray(_tifffile_pixels(data), np.uint16)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint16:
        raise UnreadableError(
            "its picture data are damaged or of an unusual kind; save it with Deflate or without compression"
        )
    image = image.reshape(*image.shape[:2], -1)
    if image.shape[2] != page.integer(SAMPLES, 1):
        raise UnreadableError("its compression is not read for this many channels; save it with Deflate")
    if image.shape[2] >= 3:
        return swap_red_and_blue(np.asarray(image, np.uint16))
    return np.asarray(image, np.uint16)


def _tifffile_pixels(data: bytes) -> NDArray[Any]:
    """[h, w, c] of the first page, in the machine's byte order."""
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages.first
        pixels = page.asarray(maxworkers=1)
        if page.axes.startswith("S"):  # one plane per channel
            pixels = np.moveaxis(pixels, 0, -1)
        pixels = pixels.reshape(page.imagelength, page.imagewidth, -1)
    return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))


def _pillow_pixels(data: bytes, orientation: int) -> NDArray[np.uint8]:
    """8 bits or fewer. Pillow turns TIFFs upright, so they are turned back."""
    with TiffImageFile(io.BytesIO(data)) as image:
        modes = {"1": "L", "P": "RGB", "PA": "RGBA", "YCbCr": "RGB", "RGBX": "RGB", "RGBa": "RGBA"}
        mode = modes.get(image.mode, image.mode)
        if mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
            raise UnreadableError(f"its pixels are of an unusual kind ({image.mode}); convert it to RGB")
        pixels = pillow_pixels(image, mode)
    return np.ascontiguousarray(to_stored(pixels, orientation))


def _metadata(page: Directory) -> Metadata:
    kept = Directory(page.order, dict(page.values), dict(page.children))
    for tag in (_STRUCTURE | _BLOCKS) & set(kept.values):
        del kept.values[tag]
    across, down = page.rational(X_RESOLUTION), page.rational(Y_RESOLUTION)
    scale = {2: 1.0, 3: 2.54}.get(page.integer(RESOLUTION_UNIT, 2))
    return Metadata(
        exif=to_block(kept) if kept.values or kept.children else None,
        xmp=page.bytes(XMP),
        icc=page.bytes(ICC),
        iptc=_resources(page.bytes(RESOURCES), page.bytes(IPTC)),
        dpi=(across * scale, down * scale) if across and down and scale else None,
    )


def _resources(resources: bytes | None, records: bytes | None) -> bytes | None:
    """Photoshop's resources, and IPTC records that lie apart as one of them where they have none."""
    if not records:
        return resources
    try:
        known = iptc.read_resources(resources or b"")
    except iptc.RecordError:
        return resources
    if any(one.number == iptc.IIM for one in known):
        return resources
    return (resources or b"") + iptc.as_resource(records)


def _stale(data: bytes, page: Directory) -> tuple[str, ...]:
    found = []
    if C2PA in page.values:
        found.append("a C2PA manifest (content credentials)")
    if LAYERS in page.values:
        found.append("Photoshop's layers")
    if SUB_DIRECTORIES in page.values:
        found.append("smaller copies of the picture")
    pages = count_directories(data, page)
    if pages > 1:
        found.append(f"{pages - 1} further pages")
    return tuple(found)


def write(
    out: BinaryIO, picture: Picture, metadata: Metadata, original: bytes | None, orientation: int
) -> tuple[str, ...]:
    """Write `picture` as a TIFF of its depth; `original` is the TIFF it came from, if it was one.

    The file behind `out` must be seekable: the directory comes last.
    """
    compression = read_directory(original).integer(COMPRESSION, _NONE) if original is not None else _DEFLATE
    plain = compression == _NONE
    page = _page(picture, metadata, original, orientation)
    order = page.order
    out.write(header(order, 0))
    offsets, counts = [], []
    rows = max(1, _STRIP_BYTES // (picture.width * picture.channels * picture.dtype.itemsize))
    for coded in ordered_map(lambda strip: _coded(strip, order, plain), picture.strips(rows)):
        offsets.append(out.tell())
        counts.append(len(coded))
        out.write(coded + b"\x00" * (len(coded) & 1))
    page.set_integers(COMPRESSION, SHORT, [_NONE if plain else _DEFLATE])
    page.set_integers(STRIP_OFFSETS, LONG, offsets)
    page.set_integers(STRIP_COUNTS, LONG, counts)
    page.set_integers(ROWS_PER_STRIP, LONG, [rows])
    if not plain:
        page.set_integers(PREDICTOR, SHORT, [2])
    first = out.tell()
    out.write(lay_out(page, first))
    out.seek(0)
    out.write(header(order, first))
    return () if compression in _PLAIN else ("its compression was replaced by Deflate, without loss",)


def _coded(strip: NDArray[Any], order: str, plain: bool) -> bytes:
    """A strip's bytes, deflated after horizontal differencing (TIFF 6.0 section 14) unless `plain`."""
    values = np.ascontiguousarray(strip)
    if not plain:
        values = values.copy()
        values[:, 1:] -= strip[:, :-1]
    data = values.astype(values.dtype.newbyteorder("<" if order == "<" else ">")).tobytes()
    if plain:
        return data
    # on differences of photographs runs are all there is to find: as small as a full search, in a quarter of
    # the time
    compressor = zlib.compressobj(6, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    return compressor.compress(data) + compressor.flush()


def _page(picture: Picture, metadata: Metadata, original: bytes | None, orientation: int) -> Directory:
    """The fields of the page but those that say where its strips are."""
    try:
        page = read_directory(metadata.exif) if metadata.exif else Directory("<")
    except (DirectoryError, struct.error):
        page = Directory("<")
    for tag in (_STRUCTURE | _BLOCKS) & set(page.values):
        del page.values[tag]
    inks = {1: _BLACK_IS_ZERO, 2: _BLACK_IS_ZERO}
    page.set_integers(WIDTH, LONG, [picture.width])
    page.set_integers(LENGTH, LONG, [picture.height])
    page.set_integers(BITS, SHORT, [8 * picture.dtype.itemsize] * picture.channels)
    page.set_integers(PHOTOMETRIC, SHORT, [_SEPARATED if picture.cmyk else inks.get(picture.channels, _RGB)])
    page.set_integers(SAMPLES, SHORT, [picture.channels])
    page.set_integers(PLANAR, SHORT, [1])
    page.set_integers(ORIENTATION, SHORT, [orientation])
    extra = _extra_samples(picture, original)
    if extra:
        page.set_integers(EXTRA_SAMPLES, SHORT, extra)
    for tag, kind, block in ((XMP, 1, metadata.xmp), (RESOURCES, 1, metadata.iptc), (ICC, 7, metadata.icc)):
        if block:
            page.values[tag] = Value(kind, len(block), block)
    if metadata.dpi and X_RESOLUTION not in page.values:
        for tag, dots in zip((X_RESOLUTION, Y_RESOLUTION), metadata.dpi, strict=True):
            page.values[tag] = Value(5, 1, struct.pack(page.order + "II", round(dots * 1000), 1000))
        page.set_integers(RESOLUTION_UNIT, SHORT, [2])
    return page


def _extra_samples(picture: Picture, original: bytes | None) -> list[int]:
    """What the channels beyond the colours are: as in the original, else opacity, then unspecified."""
    colours = 4 if picture.cmyk else 1 if picture.channels < 3 else 3
    count = picture.channels - colours
    if count == 0:
        return []
    known = list(read_directory(original).integers(EXTRA_SAMPLES)) if original is not None else []
    return known if len(known) == count else [2, *[0] * (count - 1)]
