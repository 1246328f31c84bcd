"""PNG: 1 to 16 bits, palette, opacity; written with every chunk that an edit leaves true.

Source: PNG (third edition).
"""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from realedit.photos.metadata.metadata import Metadata
from realedit.photos.png.chunks import (
    SIGNATURE,
    Chunk,
    ChunkError,
    read_chunks,
    with_end,
    write_chunk,
    write_chunks,
)
from realedit.photos.png.metadata import dropped_chunks, implied_profile, kept_chunks, metadata_of, own_chunks
from realedit.photos.shared.decoded import (
    Decoded,
    UnreadableError,
    check_size,
    pillow_pixels,
    swap_red_and_blue,
)
from realedit.photos.shared.picture import Picture
from realedit.plumbing.parallel import ordered_map

_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_CHANNELS = {_GREY: 1, _RGB: 3, _PALETTE: 1, _GREY_ALPHA: 2, _RGBA: 4}
_TYPES = {1: _GREY, 2: _GREY_ALPHA, 3: _RGB, 4: _RGBA}
_STRIP_BYTES = 1 << 20
# with zlib's run-length strategy: on filtered photographs as small as a full search, in a tenth of the time
_LEVEL = 6


def read(data: bytes, max_pixels: int) -> Decoded:
    """The picture of a PNG."""
    try:
        chunks, damaged = read_chunks(data)
    except ChunkError as error:
        raise UnreadableError(str(error)) from error
    if not chunks or chunks[0].kind != b"IHDR" or len(chunks[0].data) != 13:
        raise UnreadableError("its header is damaged")
    width, height, depth, kind = struct.unpack_from(">IIBB", chunks[0].data)
    check_size(width, height, max_pixels)
    if kind not in _CHANNELS:
        raise UnreadableError("its header is damaged")
    if b"IEND" in damaged:
        data = with_end(chunks)
    transparent = next((bytes(chunk.data) for chunk in chunks if chunk.kind == b"tRNS"), None)
    key = _key(transparent, kind)
    warnings = [f"the damaged chunk {kind.decode('latin-1')} was left out" for kind in damaged]
    if depth == 16:
        pixels: NDArray[Any] = _deep_pixels(data, chunks, kind)
    else:
        pixels = _plain_pixels(data, kind, with_opacity=transparent is not None)
    if key:
        pixels = _with_transparent(pixels, key, depth)
    if any(chunk.kind == b"acTL" for chunk in chunks):
        warnings.append("it is animated; only the first frame is used")
    stale = ["a C2PA manifest (content credentials)"] if any(c.kind == b"caBX" for c in chunks) else []
    metadata = metadata_of(chunks, warnings, stale)
    return Decoded(
        pixels,
        metadata,
        depth=depth,
        warnings=tuple(warnings),
        stale=tuple(stale),
        palette=kind == _PALETTE,
        implied_icc=None if metadata.icc else implied_profile(chunks),
    )


def _plain_pixels(data: bytes, kind: int, *, with_opacity: bool) -> NDArray[np.uint8]:
    """1 to 8 bits in all of the range of 8; of a palette `with_opacity` RGBA."""
    modes = {_GREY: "L", _RGB: "RGB", _GREY_ALPHA: "LA", _RGBA: "RGBA"}
    mode = modes.get(kind, "RGBA" if with_opacity else "RGB")
    with PngImageFile(io.BytesIO(data)) as image:
        image.load()
        if kind != _PALETTE:
            image.info.pop("transparency", None)
        return pillow_pixels(image, mode)


def _deep_pixels(data: bytes, chunks: list[Chunk], kind: int) -> NDArray[np.uint16]:
    """16 bits: OpenCV decodes them (Pillow does not), but only what is known to be whole."""
    _check_stream(chunks)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint16:
        raise UnreadableError("its picture data are damaged")
    image = np.asarray(image, np.uint16).reshape(*image.shape[:2], -1)
    if kind in (_RGB, _RGBA):
        return swap_red_and_blue(image)[..., : _CHANNELS[kind]]
    return np.ascontiguousarray(image[..., :: max(1, image.shape[2] - 1)][..., : _CHANNELS[kind]])


def _key(transparent: bytes | None, kind: int) -> tuple[int, ...]:
    """The one colour of a grey or RGB picture that is transparent; () without one."""
    if transparent is None or kind not in (_GREY, _RGB):
        return ()
    if len(transparent) != 2 * _CHANNELS[kind]:
        raise UnreadableError("its transparent colour (chunk tRNS) is damaged")
    return struct.unpack(f">{_CHANNELS[kind]}H", transparent)


def _with_transparent(pixels: NDArray[Any], colour: tuple[int, ...], depth: int) -> NDArray[Any]:
    """`pixels` [h, w, 1 or 3] with opacity: none where they are `colour` (of `depth` bits), else full."""
    full, most = int(np.iinfo(pixels.dtype).max), (1 << depth) - 1
    key = np.array([(value & most) * full // most for value in colour], pixels.dtype)
    opacity = np.where((pixels == key).all(axis=-1, keepdims=True), 0, full).astype(pixels.dtype)
    return np.concatenate([pixels, opacity], axis=2)


def _check_stream(chunks: list[Chunk]) -> None:
    """Inflate the picture data without keeping them; UnreadableError unless they are whole."""
    decompressor = zlib.decompressobj()
    try:
        for chunk in chunks:
            if chunk.kind == b"IDAT":
                pending: bytes | memoryview = chunk.data
                while pending:
                    decompressor.decompress(pending, _STRIP_BYTES)
                    pending = decompressor.unconsumed_tail
        whole = decompressor.eof
    except zlib.error:
        whole = False
    if not whole:
        raise UnreadableError("its picture data are damaged")


def write(out: BinaryIO, picture: Picture, metadata: Metadata, original: bytes | None) -> tuple[str, ...]:
    """Write `picture` as a PNG of its depth; `original` is the PNG it came from, if it was one."""
    depth = 8 * picture.dtype.itemsize
    out.write(SIGNATURE)
    header = struct.pack(">IIBBBBB", picture.width, picture.height, depth, _TYPES[picture.channels], 0, 0, 0)
    write_chunk(out, b"IHDR", header)
    kept = kept_chunks(original, metadata) if original is not None else []
    write_chunks(out, own_chunks(metadata, text=original is None or metadata.exclusive) + kept)
    for piece in _compressed(picture):
        write_chunk(out, b"IDAT", piece)
    write_chunk(out, b"IEND", b"")
    dropped = dropped_chunks(original) if original is not None and not metadata.exclusive else []
    return (f"left out, because an edit may make it untrue: {', '.join(dropped)}",) if dropped else ()


def _compressed(picture: Picture) -> Iterator[bytes]:
    """The filtered, deflated rows of `picture`: strips made at the same time, together one zlib stream (RFC
    1950).
    """
    step = picture.channels * picture.dtype.itemsize
    rows = max(1, _STRIP_BYTES // (picture.width * step))

    def strip(top: int) -> tuple[bytes, bytes]:
        lines = _lines(picture.rows(max(0, top - 1), min(top + rows, picture.height)))
        data = (_filtered(lines[1:], lines[0], step) if top else _filtered(lines, None, step)).tobytes()
        compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, 9, zlib.Z_RLE)
        return data, compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)

    checksum = zlib.adler32(b"")
    yield b"\x78\x9c"
    for data, coded in ordered_map(strip, range(0, picture.height, rows)):
        checksum = zlib.adler32(data, checksum)
        yield coded
    yield b"\x03\x00" + struct.pack(">I", checksum)  # an empty last block


def _lines(strip: NDArray[Any]) -> NDArray[np.uint8]:
    """Pixels [h, w, c] as the bytes of PNG rows [h, n]."""
    raw = np.ascontiguousarray(strip if strip.itemsize == 1 else strip.astype(">u2")).view(np.uint8)
    return raw.reshape(len(strip), -1)


def _filtered(lines: NDArray[np.uint8], above: NDArray[np.uint8] | None, step: int) -> NDArray[np.uint8]:
    """Rows [n, bytes] behind their filter type, chosen per row by the smallest sum of differences."""
    up = np.empty_like(lines)
    up[0] = 0 if above is None else above
    up[1:] = lines[:-1]
    left, corner = np.zeros_like(lines), np.zeros_like(lines)
    left[:, step:], corner[:, step:] = lines[:, :-step], up[:, :-step]
    options = [lines - left, lines - up, lines - _paeth(left, up, corner)]
    costs = [np.abs(option.view(np.int8)).view(np.uint8).sum(axis=1, dtype=np.int64) for option in options]
    choice = np.argmin(costs, axis=0)
    result = np.empty((len(lines), lines.shape[1] + 1), np.uint8)
    result[:, 0] = np.array([1, 2, 4], np.uint8)[choice]
    for index, option in enumerate(options):
        chosen = choice == index
        result[chosen, 1:] = option[chosen]
    return result


def _paeth(left: NDArray[np.uint8], up: NDArray[np.uint8], corner: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The predictor of PNG section 9.4."""
    a, b, c = left.astype(np.int16), up.astype(np.int16), corner.astype(np.int16)
    to_left, to_up, to_corner = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    nearest = np.where(
        (to_left <= to_up) & (to_left <= to_corner), left, np.where(to_up <= to_corner, up, corner)
    )
    return nearest
