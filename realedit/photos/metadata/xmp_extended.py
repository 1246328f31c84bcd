"""XMP that is too long for one segment of a JPEG: split into a main and an extended part, and put together
again.

Source: ISO 16684-3 (XMP part 3), section 1.1.3.1.
"""

import hashlib
import struct
from collections.abc import Iterable

from realedit.photos.metadata.xmp import XmpError, XmpPacket, size_of

NOTE = "http://ns.adobe.com/xmp/note/"
POINTER = "HasExtendedXMP"
NAME_LENGTH = 32
EXTENDED_HEAD = NAME_LENGTH + 8
"""Bytes before an extended segment's data: the name, the whole length, the offset."""


def joined(main: bytes | None, pieces: Iterable[bytes]) -> tuple[bytes | None, bool]:
    """The whole packet of a main part and the extended segments' contents (name, length, offset, data), and
    whether nothing had to be left out: extensions that the main part does not name, or that are not whole."""
    extensions = _collected(pieces)
    if not extensions:
        return main, True
    try:
        packet = XmpPacket(main)
        name = (packet.get(NOTE, POINTER) or "").strip().upper().encode()
        whole = extensions.pop(name, None)
        if whole is None:
            return main, False
        packet.merge(XmpPacket(whole))
    except XmpError:
        return main, False
    packet.remove_where(lambda namespace, called: (namespace, called) == (NOTE, POINTER))
    return bytes(packet), not extensions


def _collected(pieces: Iterable[bytes]) -> dict[bytes, bytes | None]:
    """The extensions by name, each put together in the order of its offsets; None for one with a gap."""
    parts: dict[bytes, dict[int, bytes]] = {}
    sizes: dict[bytes, int] = {}
    for piece in pieces:
        if len(piece) < EXTENDED_HEAD:
            continue
        name = piece[:NAME_LENGTH].upper()
        sizes[name], offset = struct.unpack_from(">II", piece, NAME_LENGTH)
        parts.setdefault(name, {})[offset] = piece[EXTENDED_HEAD:]
    found: dict[bytes, bytes | None] = {}
    for name, by_offset in parts.items():
        whole = b""
        for offset, data in sorted(by_offset.items()):
            if offset == len(whole):
                whole += data
        found[name] = whole if len(whole) == sizes[name] else None
    return found


def split(packet: bytes, room: int, piece: int) -> tuple[bytes, list[bytes]]:
    """A packet as a main part of at most `room` bytes and the contents of extended segments of at most
    `piece` bytes. The largest properties go to the extended part, as few as may be."""
    if len(packet) <= room:
        return packet, []
    main, extended = XmpPacket(packet), XmpPacket()
    if len(bytes(main)) <= room:  # it was padded
        return bytes(main), []
    main.set(NOTE, "xmpNote", POINTER, "0" * NAME_LENGTH)
    names = (NOTE, POINTER)
    movable = [each for each in main.properties() if (each[1].namespaceURI, each[1].localName) != names]
    size = len(bytes(main))
    for description, prop in sorted(movable, key=lambda each: size_of(each[1]), reverse=True):
        if size <= room:
            break
        size -= size_of(prop)
        main.move(description, prop, extended)
        if size <= room:
            size = len(bytes(main))
    content = extended.body()
    name = hashlib.md5(content, usedforsecurity=False).hexdigest().upper()
    main.set(NOTE, "xmpNote", POINTER, name)
    segments = [
        name.encode() + struct.pack(">II", len(content), at) + content[at : at + piece]
        for at in range(0, len(content), piece)
    ]
    return bytes(main), segments
