"""JPEG as a list of marker segments: reading them, and the frame and scans they describe.

Source: ITU-T T.81, annex B.
"""

import re
import struct
from dataclasses import dataclass, field

SOI, EOI, SOS, DQT, DHT, DRI, DAC, DNL, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xCC, 0xDC, 0xFE
APP0, APP1, APP2, APP11, APP12, APP13, APP14 = 0xE0, 0xE1, 0xE2, 0xEB, 0xEC, 0xED, 0xEE
APPLICATION = frozenset({*range(0xE0, 0xF0), COM})
"""Segments that are not the picture: of applications, and comments."""
FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, DAC}
_HUFFMAN_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
_ENDS_SCAN = re.compile(
    rb"\xff[^\x00\x01\xd0-\xd7\xff]", re.DOTALL
)  # no stuffed zero, no fill, none of those


class SegmentError(ValueError):
    """A JPEG whose markers cannot be followed."""


class _CutError(SegmentError):
    """A JPEG that ends inside of a segment or before the next."""

    def __init__(self) -> None:
        super().__init__("it ends early")


@dataclass(frozen=True)
class Segment:
    """One marker and what follows it; for SOS `entropy` holds the scan's coded data."""

    marker: int
    payload: bytes
    entropy: memoryview | None = None

    def encoded(self) -> bytes:
        """The marker, its length and its payload (without a scan's coded data)."""
        return struct.pack(">BBH", 0xFF, self.marker, len(self.payload) + 2) + self.payload


@dataclass(frozen=True)
class Component:
    """One component of a frame."""

    identifier: int
    horizontal: int
    vertical: int
    table: int


@dataclass(frozen=True)
class Frame:
    """The frame header."""

    marker: int
    precision: int
    height: int
    width: int
    components: tuple[Component, ...]

    @property
    def progressive(self) -> bool:
        """Whether the coefficients come in several scans of a part each."""
        return self.marker == 0xC2

    @property
    def huffman(self) -> bool:
        """Whether the frame is sequential or progressive, with Huffman codes and 8 bits."""
        return self.marker in _HUFFMAN_FRAMES and self.precision == 8

    @property
    def sampling(self) -> tuple[int, int]:
        """The largest sampling factors, horizontal and vertical; an MCU has 8 times as many pixels."""
        return max(c.horizontal for c in self.components), max(c.vertical for c in self.components)


@dataclass(frozen=True)
class JpegFile:
    """A JPEG's first image: its segments from behind SOI to before EOI, and what lies behind EOI.

    ended: whether EOI is there. Without it the last scan may or may not be whole (`jpeg_whole`).
    """

    segments: tuple[Segment, ...]
    frame: Frame
    trailer: memoryview = field(default_factory=lambda: memoryview(b""))
    ended: bool = True

    def tables(self) -> dict[int, tuple[int, ...]]:
        """The quantisation tables, in zigzag order; SegmentError when one changes between scans."""
        tables: dict[int, tuple[int, ...]] = {}
        for segment in self.segments:
            if segment.marker != DQT:
                continue
            at, data = 0, segment.payload
            while at < len(data):
                wide, slot = data[at] >> 4, data[at] & 15
                size = 128 if wide else 64
                values = (
                    struct.unpack_from(">64H" if wide else "64B", data, at + 1)
                    if wide
                    else data[at + 1 : at + 65]
                )
                if len(values) != 64:
                    raise SegmentError("a short quantisation table")
                if tables.setdefault(slot, tuple(values)) != tuple(values):
                    raise SegmentError("a quantisation table that changes between scans")
                at += 1 + size
        return tables

    def has_jfif(self) -> bool:
        """Whether the file says that it is JFIF, which knows no other colours than YCbCr and grey."""
        return any(s.marker == APP0 and s.payload[:5] == b"JFIF\x00" for s in self.segments)

    def adobe_transform(self) -> int | None:
        """The colour transform that Adobe's segment states, None without one."""
        for segment in self.segments:
            if segment.marker == APP14 and segment.payload[:5] == b"Adobe" and len(segment.payload) >= 12:
                return segment.payload[11]
        return None


def read_segments(data: bytes) -> JpegFile:
    """The segments of the first image in `data`; SegmentError where they cannot be followed to a picture.

    What is cut short behind the first scan is left out, and `ended` is False.
    """
    if data[:2] != b"\xff\xd8":
        raise SegmentError("no JPEG header")
    at, ended = 2, True
    segments: list[Segment] = []
    frame: Frame | None = None
    while True:
        try:
            segment, at = _next_segment(data, at)
        except _CutError:
            if not any(s.marker == SOS for s in segments):
                raise
            ended = False
            break
        if segment is None:
            break
        if segment.marker in FRAMES:
            frame = _frame(segment.marker, segment.payload)
        segments.append(segment)
    if frame is None or not any(s.marker == SOS for s in segments):
        raise SegmentError("it has no picture data")
    return JpegFile(tuple(segments), frame, memoryview(data)[at if ended else len(data) :], ended)


def _next_segment(data: bytes, at: int) -> tuple[Segment | None, int]:
    """(the next segment, None at EOI; the offset behind it)."""
    at, marker = _next_marker(data, at)
    while marker in _BARE:
        at, marker = _next_marker(data, at)
    if marker == EOI:
        return None, at
    end = at + int.from_bytes(data[at : at + 2], "big")
    if at + 2 > len(data) or end < at + 2 or end > len(data):
        raise _CutError
    payload = data[at + 2 : end]
    if marker != SOS:
        return Segment(marker, payload), end
    stop = _scan_end(data, end)
    return Segment(marker, payload, memoryview(data)[end:stop]), stop


def bare_jpeg(data: bytes) -> bytes:
    """The first image of a JPEG without application segments and comments, but for those that say which
    colours its components are; SegmentError where it cannot be followed."""
    out = bytearray(b"\xff\xd8")
    for segment in read_segments(data).segments:
        if segment.marker in APPLICATION and segment.marker not in (APP0, APP14):
            continue
        if segment.marker == APP0 and segment.payload[:5] != b"JFIF\x00":
            continue
        out += segment.encoded()
        if segment.entropy is not None:
            out += segment.entropy
    return bytes(out) + b"\xff\xd9"


def _next_marker(data: bytes, at: int) -> tuple[int, int]:
    """(offset behind the marker, marker), skipping fill bytes and whatever lies before it."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise _CutError
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        at += 2
        if marker != 0:
            return at, marker


def _scan_end(data: bytes, at: int) -> int:
    """Offset of the marker that ends the coded data, or of where the file ends, half a marker left out."""
    found = _ENDS_SCAN.search(data, at)
    if found is not None:
        return found.start()
    end = len(data)
    while end > at and data[end - 1] == 0xFF:
        end -= 1
    return end


def _frame(marker: int, payload: bytes) -> Frame:
    if len(payload) < 6 or len(payload) < 6 + 3 * payload[5]:
        raise SegmentError("a short frame header")
    precision, height, width, count = struct.unpack_from(">BHHB", payload)
    components = []
    for index in range(count):
        identifier, sampling, table = payload[6 + 3 * index : 9 + 3 * index]
        horizontal, vertical = sampling >> 4, sampling & 15
        if not (1 <= horizontal <= 4 and 1 <= vertical <= 4):
            raise SegmentError("impossible sampling factors")
        components.append(Component(identifier, horizontal, vertical, table))
    if not components:
        raise SegmentError("a frame without components")
    return Frame(marker, precision, height, width, tuple(components))
