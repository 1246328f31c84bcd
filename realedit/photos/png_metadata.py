"""The chunks of a PNG beside its picture: reading metadata from them, and making them anew.

Source: PNG (third edition), sections 11.3.2 (colour), 11.3.3 (text), 11.3.4.3 (pHYs), 11.3.4.5 (eXIf); ISO
16684-3 section 1.1.5 (XMP in PNG).
"""

import struct
import zlib
from typing import Any

import numpy as np

from realedit.photos import icc
from realedit.photos.metadata import Metadata
from realedit.photos.png_chunks import Chunk, ChunkError, inflate, read_chunks

_LIMIT = 64 << 20  # no compressed chunk grows beyond this
_XMP_KEYWORD = "XML:com.adobe.xmp"
# how the pixels are to be understood, which an edit does not change
_COLOURS = frozenset({b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI"})


def metadata_of(chunks: list[Chunk], warnings: list[str]) -> Metadata:
    found: dict[str, Any] = {"text": ()}
    for chunk in chunks:
        try:
            found = _with_chunk(found, chunk)
        except (ChunkError, ValueError, IndexError, struct.error):
            warnings.append(f"the damaged chunk {chunk.kind.decode('latin-1')} was left out")
    return Metadata(**found)


def _with_chunk(found: dict[str, Any], chunk: Chunk) -> dict[str, Any]:
    data = bytes(chunk.data) if chunk.kind in (b"eXIf", b"iCCP", b"pHYs", b"tEXt", b"zTXt", b"iTXt") else b""
    if chunk.kind == b"eXIf":
        return {**found, "exif": data.removeprefix(b"Exif\x00\x00")}
    if chunk.kind == b"iCCP":
        return {**found, "icc": inflate(data[data.index(0) + 2 :], _LIMIT)}
    if chunk.kind == b"pHYs":
        across, down, unit = struct.unpack(">IIB", data)
        return {**found, "dpi": (across * 0.0254, down * 0.0254)} if unit == 1 else found
    if chunk.kind in (b"tEXt", b"zTXt", b"iTXt"):
        keyword, text = _text(chunk.kind, data)
        if keyword == _XMP_KEYWORD:
            return {**found, "xmp": text.encode()}
        return {**found, "text": (*found["text"], (keyword, text))}
    return found


def _text(kind: bytes, data: bytes) -> tuple[str, str]:
    keyword, rest = data.split(b"\x00", 1)
    if kind == b"tEXt":
        text = rest.decode("latin-1")
    elif kind == b"zTXt":
        text = inflate(rest[1:], _LIMIT).decode("latin-1")
    else:
        compressed = rest[0]
        _, _, body = rest[2:].split(b"\x00", 2)
        text = (inflate(body, _LIMIT) if compressed else body).decode()
    return keyword.decode("latin-1"), text


def kept_chunks(original: bytes) -> list[tuple[bytes, bytes | memoryview]]:
    """The chunks of a PNG that stay as they are under new pixels.

    Those are the ones that say of themselves that they may be copied (PNG section 5.4), and the colours.
    """
    kept: list[tuple[bytes, bytes | memoryview]] = []
    for chunk in read_chunks(original)[0]:
        xmp = chunk.kind == b"iTXt" and bytes(chunk.data[: len(_XMP_KEYWORD)]) == _XMP_KEYWORD.encode()
        copied = not chunk.critical and chunk.kind[3:4].islower()
        if (copied or chunk.kind in _COLOURS) and chunk.kind != b"eXIf" and not xmp:
            kept.append((chunk.kind, chunk.data))
    return kept


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
        chunks.append((b"iTXt", _XMP_KEYWORD.encode() + b"\x00\x00\x00\x00\x00" + metadata.xmp))
    for keyword, words in metadata.text if text else ():
        name = keyword.encode("latin-1", "replace")[:79]
        chunks.append((b"iTXt", name + b"\x00\x00\x00\x00\x00" + words.encode()))
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
