"""Changing the metadata items of a HEIC or AVIF file where they lie; its coded pictures stay as they are.

No box moves or changes its size: an item is overwritten in its own place and its length made smaller, boxes
that go become free space of zeros. Source: ISO/IEC 14496-12 sections 4.2 and 8.11; ISO/IEC 23008-12 sections
6 and A.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from realedit.photos.heif.boxes import C2PA, Box, boxes
from realedit.photos.metadata.metadata import Strip

_EXIF, _MIME = b"Exif", b"mime"
_PICTURES = frozenset(
    {b"hvc1", b"av01", b"grid", b"iovl", b"iden", b"tmap", b"lhv1", b"hev1", b"avc1", b"unci", b"jpeg"}
)
_CODED_WITH_METADATA = frozenset({b"jpeg"})
_KNOWN = frozenset({b"ftyp", b"meta", b"mdat", b"moov", b"styp"})
_EMPTY = frozenset({b"free", b"skip"})
_VIDEO = "a motion photo's video"
_TEXT_BOXES = frozenset({b"udta", b"meta", b"uuid", b"udes"})
_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"iprp", b"ipco"})
_XMP_TYPE = b"application/rdf+xml"
_NO_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
)
_NO_EXIF = b"\x00\x00\x00\x00MM\x00*\x00\x00\x00\x08" + struct.pack(">HHHIHHI", 1, 274, 3, 1, 1, 0, 0)


class IsoError(ValueError):
    """A file whose items cannot be followed or changed in place."""


class Cleaning(Protocol):
    """What takes places out of blocks; see `location.Cleaner`."""

    def exif(self, data: bytes | None) -> bytes | None:
        """An EXIF block without places."""

    def xmp(self, data: bytes | None) -> bytes | None:
        """An XMP packet without places."""

    def left_out(self, name: str, *, motion: bool = False) -> None:
        """Remember a part that goes as a whole; motion: it is the video of a motion photo."""


@dataclass(frozen=True)
class Extent:
    """A part of an item: where its bytes are, and where its length is written and how wide."""

    start: int
    size: int
    size_at: int
    width: int


@dataclass(frozen=True)
class Item:
    """An item: its type, for `mime` the content's type and encoding, and where its bytes are."""

    kind: bytes
    content: bytes
    encoding: bytes
    extents: tuple[Extent, ...]


def stripped(source: bytes, strip: Strip, cleaner: Cleaning) -> bytes:
    """The file without what `strip` asks to leave out. IsoError where that cannot be done in place."""
    data = bytearray(source)
    top = list(boxes(source))
    meta = [box for box in top if box.kind == b"meta"]
    if len(meta) != 1:
        raise IsoError("not one list of items")
    items = _items(source, meta[0])
    tracks = any(box.kind == b"moov" for box in top)
    if any(item.kind in _CODED_WITH_METADATA for item in items) or (tracks and _has_other_tracks(source)):
        raise IsoError("pictures or tracks that may have metadata of their own")
    for box in top:
        if box.kind not in _KNOWN | _EMPTY:
            name = _name(source, box)
            cleaner.left_out(name, motion=name == _VIDEO)
    pictures = list[Extent]()
    for item in items:
        if item.kind in _PICTURES:
            pictures += item.extents
        else:
            pictures += _overwrite(data, item, _cleaned(source, item, strip, cleaner))
    for box in top:
        if box.kind not in _KNOWN:
            if any(box.body <= part.start < box.end for part in pictures):
                raise IsoError("a picture in a box of an unknown kind")
            _free(data, box)
        elif box.kind == b"mdat" and not tracks:
            _blank_unused(data, box, pictures)
    for box in _inside(source, [box for box in top if box.kind in (b"moov", b"meta")]):
        if box.kind in _TEXT_BOXES:
            _free(data, box)
    if data[top[-1].end :].strip(b"\x00"):
        cleaner.left_out("data behind the last box")
    return bytes(data[: top[-1].end])


def _cleaned(source: bytes, item: Item, strip: Strip, cleaner: Cleaning) -> bytes:
    """What an item that is no picture holds from now on."""
    content = b"".join(source[part.start : part.start + part.size] for part in item.extents)
    if item.kind == _EXIF:
        kept = None
        if strip == "gps" and len(content) > 4:
            head = 4 + int.from_bytes(content[:4], "big")
            kept = cleaner.exif(content[head:])
        return _NO_EXIF if kept is None else b"\x00\x00\x00\x00" + kept
    if item.kind == _MIME and item.content == _XMP_TYPE:
        kept = cleaner.xmp(content) if strip == "gps" and not item.encoding else None
        return _NO_XMP if kept is None else kept
    cleaner.left_out(f"an item of type {(item.content or item.kind).decode('latin-1').strip()}")
    return b""


def _name(source: bytes, box: Box) -> str:
    """What to call a box that goes."""
    if box.kind == b"uuid" and source[box.body : box.body + 16] == C2PA:
        return "a C2PA manifest (content credentials)"
    return _VIDEO if box.kind == b"mpvd" else f"a box of type {box.kind.decode('latin-1')}"


def _overwrite(data: bytearray, item: Item, content: bytes) -> list[Extent]:
    """Put `content` into an item's place; the extents that are used now. What does not fit goes."""
    room = sum(part.size for part in item.extents)
    if len(content) > room:
        content = _NO_EXIF if item.kind == _EXIF else _NO_XMP
    content = content if len(content) <= room else b""
    used = []
    for part in item.extents:
        data[part.start : part.start + part.size] = bytes(part.size)
        piece, content = content[: part.size], content[part.size :]
        size = max(len(piece), min(1, part.size))  # a length of 0 means the whole file
        data[part.start : part.start + len(piece)] = piece
        data[part.size_at : part.size_at + part.width] = size.to_bytes(part.width, "big")
        used.append(Extent(part.start, size, part.size_at, part.width))
    return used


def _free(data: bytearray, box: Box) -> None:
    """Make a box free space of zeros."""
    data[box.start + 4 : box.start + 8] = b"free"
    data[box.body : box.end] = bytes(box.end - box.body)


def _blank_unused(data: bytearray, box: Box, used: list[Extent]) -> None:
    """Overwrite what no item of a media box uses: remains of what other programs took out."""
    at = box.body
    for part in sorted(used, key=lambda one: one.start):
        if part.start + part.size <= box.body or part.start >= box.end:
            continue
        data[at : max(at, part.start)] = bytes(max(0, part.start - at))
        at = max(at, part.start + part.size)
    data[at : box.end] = bytes(max(0, box.end - at))


def _inside(source: bytes, parents: list[Box]) -> Iterator[Box]:
    """The boxes below `parents` that may hold texts, at any depth."""
    pending = list(parents)
    while pending:
        parent = pending.pop()
        skip = 4 if parent.kind == b"meta" else 0
        for box in boxes(source, parent.body + skip, parent.end):
            if box.kind in _CONTAINERS:
                pending.append(box)
            yield box


def _has_other_tracks(source: bytes) -> bool:
    """Whether a sequence has tracks beside those of pictures: sound, or positions over time."""
    for box in _inside(source, [box for box in boxes(source) if box.kind == b"moov"]):
        if box.kind == b"hdlr" and source[box.body + 8 : box.body + 12] not in (b"pict", b"vide", b"auxv"):
            return True
    return False


def _items(source: bytes, meta: Box) -> list[Item]:
    inner = {box.kind: box for box in boxes(source, meta.body + 4, meta.end)}
    if b"iinf" not in inner or b"iloc" not in inner:
        raise IsoError("no list of items")
    idat = inner.get(b"idat")
    try:
        extents = _extents(source, inner[b"iloc"], idat.body if idat else None)
    except (struct.error, IndexError) as error:
        raise IsoError("a list of items that ends early") from error
    info = inner[b"iinf"]
    found = []
    for box in boxes(source, info.body + (6 if source[info.body] == 0 else 8), info.end):
        version = source[box.body]
        if box.kind != b"infe" or version not in (2, 3):
            raise IsoError("items of an unknown kind")
        width = 2 if version == 2 else 4
        number = int.from_bytes(source[box.body + 4 : box.body + 4 + width], "big")
        at = box.body + 4 + width + 2
        kind, names = source[at : at + 4], source[at + 4 : box.end].split(b"\x00")
        content, encoding = (*names[1:3], b"", b"")[:2] if kind == _MIME else (b"", b"")
        found.append(Item(kind, content, encoding, extents.get(number, ())))
    return found


def _extents(source: bytes, box: Box, idat: int | None) -> dict[int, tuple[Extent, ...]]:
    """Where the items' bytes are, by item number. Source: 14496-12, 8.11.3."""
    version, at = source[box.body], box.body + 4
    offset_width, length_width = source[at] >> 4, source[at] & 15
    base_width, index_width = source[at + 1] >> 4, source[at + 1] & 15 if version else 0
    number_width = 4 if version == 2 else 2

    def number(width: int) -> int:
        nonlocal at
        at += width
        if at > box.end:
            raise IndexError
        return int.from_bytes(source[at - width : at], "big")

    at += 2
    found: dict[int, tuple[Extent, ...]] = {}
    for _ in range(number(number_width)):
        item = number(number_width)
        method = number(2) & 15 if version else 0
        number(2)
        base = number(base_width)
        if method == 1 and idat is not None:
            base += idat
        elif method != 0:
            raise IsoError("items that are parts of others")
        parts = []
        for _ in range(number(2)):
            number(index_width)
            start = base + number(offset_width)
            size_at = at
            size = number(length_width)
            if size == 0 or start + size > len(source):
                raise IsoError("an item without a length")
            parts.append(Extent(start, size, size_at, length_width))
        found[item] = tuple(parts)
    return found
