"""TIFF: 1 to 16 bits, grey, RGB, palette, YCbCr and CMYK, further channels kept; the first page.

Uncompressed files stay so, all others are written with Deflate. Source: TIFF 6.0; Adobe Photoshop TIFF notes.
"""

import struct
import zlib
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from realedit.photos.metadata import iptc
from realedit.photos.metadata.metadata import Metadata
from realedit.photos.orientation import is_orientation
from realedit.photos.shared.decoded import Decoded, UnreadableError
from realedit.photos.shared.picture import Picture
from realedit.photos.tiff.directories import (
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
from realedit.photos.tiff.pixels import BLACK_IS_ZERO, DEFLATE, NO_COMPRESSION, RGB, SEPARATED, read_pixels
from realedit.plumbing.parallel import ordered_map

WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION = 256, 257, 258, 259, 262, 274
STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_COUNTS = 273, 277, 278, 279
X_RESOLUTION, Y_RESOLUTION, PLANAR, RESOLUTION_UNIT, PREDICTOR = 282, 283, 284, 296, 317
TILE_OFFSETS, TILE_COUNTS, SUB_DIRECTORIES, EXTRA_SAMPLES, SAMPLE_FORMAT = 324, 325, 330, 338, 339
XMP, IPTC, RESOURCES, ICC, LAYERS, C2PA = 700, 33723, 34377, 34675, 37724, 52545
_PHOTOMETRIC = {1: BLACK_IS_ZERO, 3: RGB, 4: SEPARATED}  # by the number of colours
_KEPT = frozenset({NO_COMPRESSION, DEFLATE, 32946})
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
    if page.lost:
        raise UnreadableError(f"it ends before the value of its field {page.lost[0]}")
    pixels = read_pixels(data, max_pixels)
    orientation = page.integer(ORIENTATION, 1)
    return Decoded(
        pixels.values,
        _metadata(page),
        orientation if is_orientation(orientation) else 1,
        pixels.depth,
        cmyk=pixels.cmyk,
        palette=pixels.palette,
        stale=_stale(data, page),
        layout=pixels.layout,
    )


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
    compression = (
        read_directory(original).integer(COMPRESSION, NO_COMPRESSION) if original is not None else DEFLATE
    )
    plain = compression == NO_COMPRESSION
    page = _page(picture, metadata, orientation)
    order = page.order
    out.write(header(order, 0))
    offsets, counts = [], []
    rows = max(1, _STRIP_BYTES // (picture.width * picture.channels * picture.dtype.itemsize))
    for coded in ordered_map(lambda strip: _coded(strip, order, plain), picture.strips(rows)):
        offsets.append(out.tell())
        counts.append(len(coded))
        out.write(coded + b"\x00" * (len(coded) & 1))
    page.set_integers(COMPRESSION, SHORT, [NO_COMPRESSION if plain else DEFLATE])
    page.set_integers(STRIP_OFFSETS, LONG, offsets)
    page.set_integers(STRIP_COUNTS, LONG, counts)
    page.set_integers(ROWS_PER_STRIP, LONG, [rows])
    if not plain:
        page.set_integers(PREDICTOR, SHORT, [2])
    first = out.tell()
    out.write(lay_out(page, first))
    out.seek(0)
    out.write(header(order, first))
    return () if compression in _KEPT else ("its compression was replaced by Deflate, without loss",)


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


def _page(picture: Picture, metadata: Metadata, orientation: int) -> Directory:
    """The fields of the page but those that say where its strips are."""
    try:
        page = read_directory(metadata.exif) if metadata.exif else Directory("<")
    except (DirectoryError, struct.error):
        page = Directory("<")
    for tag in (_STRUCTURE | _BLOCKS) & set(page.values):
        del page.values[tag]
    page.set_integers(WIDTH, LONG, [picture.width])
    page.set_integers(LENGTH, LONG, [picture.height])
    page.set_integers(BITS, SHORT, [8 * picture.dtype.itemsize] * picture.channels)
    page.set_integers(PHOTOMETRIC, SHORT, [_PHOTOMETRIC[picture.layout.colours]])
    page.set_integers(SAMPLES, SHORT, [picture.channels])
    page.set_integers(PLANAR, SHORT, [1])
    page.set_integers(ORIENTATION, SHORT, [orientation])
    if picture.layout.extra:
        page.set_integers(EXTRA_SAMPLES, SHORT, list(picture.layout.extra))
    for tag, kind, block in ((XMP, 1, metadata.xmp), (RESOURCES, 1, metadata.iptc), (ICC, 7, metadata.icc)):
        if block:
            page.values[tag] = Value(kind, len(block), block)
    if metadata.dpi and X_RESOLUTION not in page.values:
        for tag, dots in zip((X_RESOLUTION, Y_RESOLUTION), metadata.dpi, strict=True):
            page.values[tag] = Value(5, 1, struct.pack(page.order + "II", round(dots * 1000), 1000))
        page.set_integers(RESOLUTION_UNIT, SHORT, [2])
    return page
