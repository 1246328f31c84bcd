"""A look into HEIC and AVIF files: which items and properties they hold. Decoding is left to their libraries.

Source: ISO/IEC 14496-12 section 4.2 (boxes), 8.11 (meta); ISO/IEC 23008-12 section 6; AV1 in ISOBMFF section
2.3.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_MOST_BOXES = 100_000


@dataclass(frozen=True)
class Contents:
    """What a file holds beside its coded pictures."""

    items: tuple[bytes, ...] = ()  # types of the items: hvc1, grid, Exif, tmap, ...
    primaries: tuple[int, int, int, int] | None = None  # nclx: primaries, transfer, matrix, full range
    depth: int = 8  # bits per channel of an AV1 picture
    signed: bool = False  # a C2PA manifest
    video: bool = False  # a motion photo's


def contents(data: bytes) -> Contents:
    """The contents of a HEIC or AVIF file; what cannot be followed is not seen."""
    view = memoryview(data)
    signed = video = False
    items: list[bytes] = []
    primaries: tuple[int, int, int, int] | None = None
    depth = 8
    for kind, body in _boxes(view):
        if kind == b"uuid" and bytes(body[:16]) == C2PA:
            signed = True
        video |= kind == b"mpvd"
        if kind != b"meta":
            continue
        for inner, payload in _boxes(body[4:]):
            if inner == b"iinf":
                items += _item_types(payload)
            elif inner == b"iprp":
                for name, value in _properties(payload):
                    if (
                        name == b"colr"
                        and bytes(value[:4]) == b"nclx"
                        and len(value) >= 11
                        and primaries is None
                    ):
                        *codes, flags = struct.unpack_from(">HHHB", value, 4)
                        primaries = (codes[0], codes[1], codes[2], flags >> 7)
                    elif name == b"av1C" and len(value) >= 3:
                        depth = max(depth, (8, 10, 12, 12)[value[2] >> 5 & 3])
    return Contents(tuple(items), primaries, depth, signed, video)


@dataclass(frozen=True)
class Box:
    """A box of a file: its type, and the offsets of its header, its body and its end."""

    kind: bytes
    start: int
    body: int
    end: int


def boxes(data: bytes | memoryview, at: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes in `data` from `at` to `end`; what cannot be followed is not seen."""
    end = len(data) if end is None else min(end, len(data))
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1 and at + 16 <= end:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        elif size == 0:
            size = end - at
        if size < head:
            return
        yield Box(kind, at, at + head, min(at + size, end))
        at += size


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """(type, payload) of the boxes in `data`."""
    return ((box.kind, data[box.body : box.end]) for box in boxes(data))


def _properties(payload: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    for kind, body in _boxes(payload):
        if kind == b"ipco":
            yield from _boxes(body)


def _item_types(payload: memoryview) -> list[bytes]:
    """The types in an item information box."""
    if len(payload) < 6:
        return []
    found = []
    for kind, body in _boxes(payload[6 if payload[0] == 0 else 8 :]):
        if kind == b"infe" and len(body) >= 12 and body[0] in (2, 3):
            start = 8 if body[0] == 2 else 10
            found.append(bytes(body[start : start + 4]))
    return found
