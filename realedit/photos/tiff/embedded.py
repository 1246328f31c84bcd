"""The size of a JPEG or WebP inside of a strip or tile, looked up before its decoder takes memory for it.

Source: ITU-T T.81, annex B; RFC 9649, section 2.
"""

import struct

from realedit.photos.jpeg.segments import FRAMES, SOI
from realedit.photos.shared.decoded import UnreadableError

_DAMAGED = "its picture data are damaged or cut short"
_BARE = frozenset({0x01, *range(0xD0, 0xD8), SOI})  # JPEG markers without a length


def embedded_size(data: memoryview) -> tuple[int, int]:
    """(width, height) that the header of a JPEG or WebP states; UnreadableError where there is none."""
    try:
        if bytes(data[:4]) == b"RIFF" and bytes(data[8:12]) == b"WEBP":
            return _webp_size(data)
        return _jpeg_size(data)
    except struct.error as error:
        raise UnreadableError(_DAMAGED) from error


def _jpeg_size(data: memoryview) -> tuple[int, int]:
    at = 0
    while True:
        mark, marker = struct.unpack_from(">BB", data, at)
        if mark != 0xFF:
            raise UnreadableError(_DAMAGED)
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _BARE:
            at += 2
        elif marker in FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        else:
            at += 2 + max(2, struct.unpack_from(">H", data, at + 2)[0])


def _webp_size(data: memoryview) -> tuple[int, int]:
    kind = bytes(data[12:16])
    if kind == b"VP8X":
        low, high = struct.unpack_from("<IH", data, 24)
        return (low & 0xFFFFFF) + 1, (low >> 24 | high << 8) + 1
    if kind == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, 21)
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise UnreadableError(_DAMAGED)
