"""TIFF directories as a tree that can be read from a file and laid out anew.

Unlike `exif.py`, which edits a block in place, this is for TIFF files, whose pixels and with them all offsets
move. Source: TIFF 6.0 section 2, BigTIFF, Exif 2.32 section 4.6.3.
"""

import struct
from dataclasses import dataclass, field

SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
SHORT, LONG, LONG8 = 3, 4, 16
CHILDREN = frozenset({0x8769, 0x8825, 0xA005})  # Exif, GPS, Interoperability
_FORMATS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MOST_ENTRIES = 4096


class DirectoryError(ValueError):
    """A TIFF structure that cannot be followed."""


@dataclass(frozen=True)
class Value:
    """A field: its type, how many items, and their bytes in the byte order of the file."""

    kind: int
    count: int
    data: bytes


@dataclass
class Directory:
    """One directory with the sub-directories that its fields point at; `order` is "<" or ">"."""

    order: str
    values: dict[int, Value] = field(default_factory=dict)
    children: dict[int, "Directory"] = field(default_factory=dict)
    following: int = 0  # offset of the next directory in the file it was read from
    lost: list[int] = field(default_factory=list)  # fields whose values lie beyond the end of that file

    def integers(self, tag: int) -> tuple[int, ...]:
        """The items of a field of whole numbers, () where there is none."""
        value = self.values.get(tag)
        if value is None or value.kind not in _FORMATS:
            return ()
        return struct.unpack(f"{self.order}{value.count}{_FORMATS[value.kind]}", value.data)

    def integer(self, tag: int, default: int) -> int:
        """The first item of a field of whole numbers."""
        items = self.integers(tag)
        return items[0] if items else default

    def rational(self, tag: int) -> float | None:
        """The first item of a field of fractions."""
        value = self.values.get(tag)
        if value is None or value.kind != 5 or value.count < 1:
            return None
        above, below = struct.unpack_from(self.order + "II", value.data)
        return above / below if below else None

    def bytes(self, tag: int) -> bytes | None:
        """The bytes of a field."""
        value = self.values.get(tag)
        return value.data if value is not None else None

    def set_integers(self, tag: int, kind: int, items: list[int]) -> None:
        """Put a field of whole numbers."""
        self.values[tag] = Value(
            kind, len(items), struct.pack(f"{self.order}{len(items)}{_FORMATS[kind]}", *items)
        )


def read_directory(data: bytes | memoryview) -> Directory:
    """The first directory of a TIFF or BigTIFF with its Exif, GPS and Interoperability directories."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    if order is None or len(data) < 16:
        raise DirectoryError("no TIFF header")
    version = struct.unpack_from(order + "H", data, 2)[0]
    if version == 42:
        return _directory(data, struct.unpack_from(order + "I", data, 4)[0], order, big=False, depth=0)
    if version == 43:
        return _directory(data, struct.unpack_from(order + "Q", data, 8)[0], order, big=True, depth=0)
    raise DirectoryError("no TIFF header")


def directory_at(data: bytes | memoryview, at: int, order: str, *, big: bool = False) -> Directory:
    """The directory at an offset, with its sub-directories; DirectoryError where it cannot be followed."""
    return _directory(data, at, order, big=big, depth=0)


def _directory(data: bytes | memoryview, at: int, order: str, *, big: bool, depth: int) -> Directory:
    head, width, wide = ("Q", 20, "Q") if big else ("H", 12, "I")
    size = struct.calcsize(head)
    if at < 8 or at + size > len(data):
        raise DirectoryError("a directory outside of the file")
    (count,) = struct.unpack_from(order + head, data, at)
    if not 0 < count <= _MOST_ENTRIES or at + size + count * width > len(data):
        raise DirectoryError("a directory that ends early")
    directory = Directory(order)
    for index in range(count):
        place = at + size + index * width
        tag, kind, items = struct.unpack_from(order + "HH" + wide, data, place)
        length = SIZES.get(kind, 0) * items
        room = width - 4 - struct.calcsize(wide)
        start = place + width - room
        if length > room:
            (start,) = struct.unpack_from(order + wide, data, start)
        if length and start + length > len(data):
            directory.lost.append(tag)
        if length == 0 or start + length > len(data):
            continue
        value = Value(kind, items, bytes(data[start : start + length]))
        directory.values.setdefault(tag, value)
        if tag in CHILDREN and depth < 3:
            _add_child(directory, tag, data, big=big, depth=depth)
    end = at + size + count * width
    if end + struct.calcsize(wide) <= len(data):
        (directory.following,) = struct.unpack_from(order + wide, data, end)
    return directory


def _add_child(directory: Directory, tag: int, data: bytes | memoryview, *, big: bool, depth: int) -> None:
    """Follow the pointer in `tag`; a broken one is forgotten."""
    offset = directory.integer(tag, 0)
    del directory.values[tag]
    try:
        directory.children[tag] = _directory(data, offset, directory.order, big=big, depth=depth + 1)
    except DirectoryError:
        return


def count_directories(data: bytes | memoryview, first: Directory) -> int:
    """How many directories (pages) a classic TIFF chains, at most 1000."""
    big = struct.unpack_from(first.order + "H", data, 2)[0] == 43
    count, at, seen = 1, first.following, set()
    while at and at not in seen and count < 1000:
        seen.add(at)
        try:
            at = _directory(data, at, first.order, big=big, depth=3).following
        except DirectoryError:
            break
        count += 1
    return count


def lay_out(directory: Directory, start: int) -> bytes:
    """The bytes of a classic directory and all it points at, for the even offset `start` of a file."""
    order = directory.order
    tags = sorted(set(directory.values) | set(directory.children))
    entries, behind = b"", b""
    values_at = start + 2 + 12 * len(tags) + 4
    for tag in tags:
        child = directory.children.get(tag)
        if child is not None:
            place = values_at + len(behind)
            behind += _even(lay_out(child, place))
            entries += struct.pack(order + "HHII", tag, LONG, 1, place)
            continue
        value = directory.values[tag]
        if len(value.data) <= 4:
            entries += struct.pack(order + "HHI", tag, value.kind, value.count) + value.data.ljust(4, b"\x00")
        else:
            entries += struct.pack(order + "HHII", tag, value.kind, value.count, values_at + len(behind))
            behind += _even(value.data)
    return struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", 0) + behind


def to_block(directory: Directory) -> bytes:
    """`directory` as an EXIF block: a TIFF structure without pixels."""
    return header(directory.order, 8) + lay_out(directory, 8)


def header(order: str, first: int) -> bytes:
    """The eight bytes at the start of a classic TIFF whose first directory is at `first`."""
    return (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, first)


def _even(data: bytes) -> bytes:
    return data + b"\x00" * (len(data) & 1)
