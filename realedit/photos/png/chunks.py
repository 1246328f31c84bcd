"""PNG as a list of chunks: reading them with their checksums, and writing them.

Source: PNG (third edition), sections 5.3 (chunk layout), 5.6 (ordering), 11 (chunks).
"""

import io
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"


class ChunkError(ValueError):
    """A PNG that ends early or whose picture data are damaged."""


@dataclass(frozen=True)
class Chunk:
    """One chunk; `data` is a view of the file."""

    kind: bytes
    data: memoryview

    @property
    def critical(self) -> bool:
        """Whether no decoder may go without it."""
        return self.kind[:1].isupper()


def read_chunks(data: bytes) -> tuple[list[Chunk], list[bytes]]:
    """The chunks of a PNG up to IEND, and the kinds of the damaged ones that were left out.

    A damaged critical chunk, or an end inside of an IDAT, raises ChunkError. An end behind one counts as a
    damaged IEND; whether further IDAT are missing shows in the compressed data.
    """
    view, at = memoryview(data), len(SIGNATURE)
    chunks: list[Chunk] = []
    damaged: list[bytes] = []
    while True:
        length, kind = struct.unpack_from(">I4s", data, at) if at + 8 <= len(data) else (0, b"IEND")
        end = at + 12 + length
        if end > len(data):
            if kind == b"IDAT" or not any(chunk.kind == b"IDAT" for chunk in chunks):
                raise ChunkError("it ends early")
            return [*chunks, Chunk(b"IEND", view[:0])], [*damaged, b"IEND"]
        chunk = Chunk(kind, view[at + 8 : end - 4])
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(chunk.data, zlib.crc32(kind)) == checksum:
            chunks.append(chunk)
        elif chunk.critical:
            raise ChunkError("its picture data are damaged")
        else:
            damaged.append(kind)
        if kind == b"IEND":
            return chunks, damaged
        at = end


def with_end(chunks: Iterable[Chunk]) -> bytes:
    """The bytes of a PNG of these chunks, for decoders that want IEND."""
    out = io.BytesIO()
    out.write(SIGNATURE)
    write_chunks(out, ((chunk.kind, chunk.data) for chunk in chunks))
    return out.getvalue()


def write_chunk(out: BinaryIO, kind: bytes, data: bytes | memoryview) -> None:
    """One chunk with its length and checksum."""
    out.write(struct.pack(">I4s", len(data), kind))
    out.write(data)
    out.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))


def write_chunks(out: BinaryIO, chunks: Iterable[tuple[bytes, bytes | memoryview]]) -> None:
    """Several chunks in order."""
    for kind, data in chunks:
        write_chunk(out, kind, data)


def inflate(data: bytes | memoryview, limit: int) -> bytes:
    """zlib-compressed `data`; ChunkError when it is damaged or longer than `limit` bytes."""
    decompressor = zlib.decompressobj()
    try:
        plain = decompressor.decompress(data, limit)
    except zlib.error as error:
        raise ChunkError("a compressed chunk is damaged") from error
    if not decompressor.eof:
        raise ChunkError("a compressed chunk is damaged or too long")
    return plain
