"""A WebP's coded pictures copied between other metadata."""

import struct

from realedit.photos.metadata.metadata import Metadata
from realedit.photos.webp.codec import with_true_length

_PICTURE = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ANIM"})
_FLAGS = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04}  # what the VP8X chunk says is there


def with_metadata(source: bytes, metadata: Metadata) -> bytes:
    """The file with `metadata` and its own profile, and nothing else beside its pictures."""
    kept: list[tuple[bytes, bytes]] = []
    source = with_true_length(source)
    for kind, data in _riff_chunks(source[12 : int.from_bytes(source[4:8], "little") + 8]):
        if kind == b"ANMF":
            frame = (_riff_chunk(*one) for one in _riff_chunks(data[16:]) if one[0] in _PICTURE)
            kept.append((kind, data[:16] + b"".join(frame)))
        elif kind in _PICTURE or kind in (b"VP8X", b"ICCP"):
            kept.append((kind, data))
    kept += [(kind, block) for kind, block in ((b"EXIF", metadata.exif), (b"XMP ", metadata.xmp)) if block]
    kinds = {kind for kind, _ in kept}
    stated = sum(flag for kind, flag in _FLAGS.items() if kind in kinds)
    body = b""
    for kind, data in kept:
        if kind == b"VP8X":
            data = bytes((data[0] & ~sum(_FLAGS.values()) | stated,)) + data[1:]
        body += _riff_chunk(kind, data)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _riff_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 0
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        found.append((kind, data[at + 8 : at + 8 + length]))
        at += 8 + length + (length & 1)
    return found


def _riff_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(data)) + data + b"\x00" * (len(data) & 1)
