"""The chunks of a PNG beside its picture: reading metadata from them, and making them anew.

Source: PNG (third edition), sections 11.3.2 (colour), 11.3.4.3 (pHYs), 11.3.4.5 (eXIf); the texts are in
`png_text`.
"""

import struct
import zlib
from typing import Any

import numpy as np

from realedit.photos.colour import icc
from realedit.photos.metadata.metadata import Metadata
from realedit.photos.png.chunks import Chunk, ChunkError, inflate, read_chunks
from realedit.photos.png.text import (
    LIMIT,
    TEXT_CHUNKS,
    block_in,
    iptc_chunk,
    is_block,
    read_text,
    text_chunk,
    xmp_chunk,
)

# how the pixels are to be understood, which an edit does not change
_COLOURS = frozenset({b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI"})
PICTURE_CHUNKS = _COLOURS | frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"iCCP", b"sBIT", b"bKGD", b"hIST", b"sPLT"}
    | {b"acTL", b"fcTL", b"fdAT"}
)
"""The chunks that are the picture itself, its colours among them."""
_NAMED_ELSEWHERE = frozenset({b"eXIf", b"pHYs", b"tIME", b"caBX"})
_NAMES = {"exif": "EXIF block", "xmp": "XMP packet", "iptc": "block of IPTC data"}


def metadata_of(chunks: list[Chunk], warnings: list[str], stale: list[str]) -> Metadata:
    """The blocks in `chunks`; of several of one kind the first, and `stale` gets the names of the others."""
    found: dict[str, Any] = {"text": ()}
    for chunk in chunks:
        try:
            found = _with_chunk(found, chunk, stale)
        except (ChunkError, ValueError, IndexError, struct.error):
            warnings.append(f"the damaged chunk {chunk.kind.decode('latin-1')} was left out")
    return Metadata(**found, others=tuple(other_names(chunks)))


def other_names(chunks: list[Chunk]) -> list[str]:
    """Names of the chunks that are neither the picture nor a block that other formats have."""
    known = PICTURE_CHUNKS | TEXT_CHUNKS | _NAMED_ELSEWHERE
    kinds = dict.fromkeys(chunk.kind for chunk in chunks if chunk.kind not in known)
    return [f"the PNG chunk {kind.decode('latin-1')}" for kind in kinds]


def _with_chunk(found: dict[str, Any], chunk: Chunk, stale: list[str]) -> dict[str, Any]:
    if chunk.kind == b"eXIf":
        return _with_block(found, "exif", bytes(chunk.data).removeprefix(b"Exif\x00\x00"), stale)
    if chunk.kind == b"iCCP":
        data = bytes(chunk.data)
        return {**found, "icc": inflate(data[data.index(0) + 2 :], LIMIT)}
    if chunk.kind == b"pHYs":
        across, down, unit = struct.unpack(">IIB", chunk.data)
        return {**found, "dpi": (across * 0.0254, down * 0.0254)} if unit == 1 else found
    if chunk.kind in TEXT_CHUNKS:
        keyword, text = read_text(chunk)
        block = block_in(keyword, text)
        if block is not None:
            return _with_block(found, block.kind, block.data, stale)
        return {**found, "text": (*found["text"], (keyword, text))}
    return found


def _with_block(found: dict[str, Any], kind: str, data: bytes, stale: list[str]) -> dict[str, Any]:
    known = found.get(kind)
    if known is None:
        return {**found, kind: data}
    if known != data:
        stale.append(f"a second {_NAMES[kind]}")
    return found


def kept_chunks(original: bytes, metadata: Metadata) -> list[tuple[bytes, bytes | memoryview]]:
    """The chunks of a PNG that stay as they are under new pixels.

    Those are the ones that say of themselves that they may be copied (PNG section 5.4), and the colours; the
    colours alone where `metadata` is all that may be written.
    """
    kept: list[tuple[bytes, bytes | memoryview]] = []
    for chunk in read_chunks(original)[0]:
        copied = not (chunk.critical or metadata.exclusive) and chunk.kind[3:4].islower()
        if (copied or chunk.kind in _COLOURS) and chunk.kind != b"eXIf" and not is_block(chunk):
            kept.append((chunk.kind, chunk.data))
    return kept


def dropped_chunks(original: bytes) -> list[str]:
    """Names of the chunks that do not stay under new pixels, by what they say of themselves."""
    return other_names([chunk for chunk in read_chunks(original)[0] if chunk.kind[3:4].isupper()])


def own_chunks(metadata: Metadata, *, text: bool) -> list[tuple[bytes, bytes | memoryview]]:
    """Chunks made from `metadata`; the resolution and the texts only when asked for."""
    chunks: list[tuple[bytes, bytes | memoryview]] = []
    if metadata.icc:
        chunks.append((b"iCCP", b"ICC Profile\x00\x00" + zlib.compress(metadata.icc, 9)))
    if metadata.dpi and text:
        across, down = (max(1, round(value / 0.0254)) for value in metadata.dpi)
        chunks.append((b"pHYs", struct.pack(">IIB", across, down, 1)))
    if metadata.exif:
        chunks.append((b"eXIf", metadata.exif))
    if metadata.xmp:
        chunks.append(xmp_chunk(metadata.xmp))
    if metadata.iptc:
        chunks.append(iptc_chunk(metadata.iptc))
    if text:
        chunks += [text_chunk(keyword, words) for keyword, words in metadata.text]
    return chunks


def implied_profile(chunks: list[Chunk]) -> bytes | None:
    """The ICC profile that the colour chunks of a PNG without one stand for; None for sRGB."""
    kinds = (b"cICP", b"sRGB", b"gAMA", b"cHRM")
    found = {chunk.kind: bytes(chunk.data) for chunk in chunks if chunk.kind in kinds}
    if len(found.get(b"cICP", b"")) == 4:
        return icc.profile_of_code_points(*found[b"cICP"][:2])
    if b"sRGB" in found or len(found.get(b"gAMA", b"")) != 4:
        return None
    (level,) = struct.unpack(">I", found[b"gAMA"])
    if not 1000 <= level <= 1_000_000:
        return None
    primaries: tuple[tuple[float, float], ...] = icc.SRGB_PRIMARIES
    white = icc.D65
    if len(found.get(b"cHRM", b"")) == 32:
        values = np.array(struct.unpack(">8I", found[b"cHRM"])) / 100000
        white, *primaries_found = ((float(x), float(y)) for x, y in values.reshape(4, 2))
        primaries = tuple(primaries_found)
    if 45000 <= level <= 46000 and np.allclose(primaries, icc.SRGB_PRIMARIES, atol=0.002):
        return None  # how programs that do not know the sRGB chunk say sRGB
    try:
        matrix = icc.primaries_matrix(primaries, white)
    except (np.linalg.LinAlgError, ZeroDivisionError, FloatingPointError):
        return None
    if not np.isfinite(matrix).all() or np.abs(matrix).max() > 8:
        return None
    gamma = 100000 / level
    return icc.write_profile("PNG gamma and chromaticities", matrix, (gamma, 1.0, 0.0, 0.0, 0.0))
