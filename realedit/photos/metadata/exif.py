"""Changing an EXIF block in place.

An EXIF block is a TIFF structure full of offsets, and a camera's maker note holds offsets of its own that
nobody but its maker can move. So nothing is rebuilt: values are overwritten where they lie, entries are taken
out of their directory without moving any other byte, and a new thumbnail takes the place of the old one or
goes to the end. Source: Exif 2.32 (CIPA DC-008), TIFF 6.0 section 2.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from realedit.photos.orientation import is_orientation

ORIENTATION = 0x0112
EXIF_IFD = 0x8769
GPS_IFD = 0x8825
COLOUR_SPACE = 0xA001
INTEROPERABILITY_IFD = 0xA005
MAKER_NOTE = 0x927C
_THUMBNAIL_OFFSET = 0x0201
_THUMBNAIL_LENGTH = 0x0202
_APPLE_CONTENT_IDENTIFIER = 0x0011
_APPLE = b"Apple iOS\x00"
_SIDES = (0xA002, 0xA003)
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}


class ExifError(ValueError):
    """A block that is no TIFF structure."""


@dataclass(frozen=True)
class Entry:
    """One directory entry: where it and its value lie in the block."""

    tag: int
    kind: int
    count: int
    position: int
    start: int
    size: int


class ExifBlock:
    """An EXIF block as editable bytes. Damaged parts are not seen; what is not understood is not touched."""

    def __init__(self, data: bytes) -> None:
        """ExifError when `data` does not start as a TIFF structure."""
        order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(data[:4])
        if order is None or len(data) < 8:
            raise ExifError("no TIFF header")
        self.data = bytearray(data)
        self._order = order
        self.first = self._number(4, 4)

    @classmethod
    def of_maker_note(cls, content: bytes, order: str, first: int) -> "ExifBlock":
        """A maker note whose offsets count from its own start, with its directory at `first`."""
        note = cls.__new__(cls)
        note.data, note._order, note.first = bytearray(content), order, first
        return note

    def __bytes__(self) -> bytes:
        """The block as it is now."""
        return bytes(self.data)

    def entries(self, directory: int) -> Iterator[Entry]:
        """The entries of the directory at an offset whose values lie inside the block."""
        for index in range(self._count(directory)):
            at = directory + 2 + 12 * index
            tag, kind, count = struct.unpack_from(self._order + "HHI", self.data, at)
            size = _SIZES.get(kind, 0) * count
            if size == 0:
                continue
            start = at + 8 if size <= 4 else self._number(at + 8, 4)
            if start + size <= len(self.data):
                yield Entry(tag, kind, count, at, start, size)

    def entry(self, directory: int, tag: int) -> Entry | None:
        """The first entry of `tag`."""
        return next((entry for entry in self.entries(directory) if entry.tag == tag), None)

    def integer(self, directory: int, tag: int) -> int | None:
        """The value of a SHORT or LONG entry."""
        entry = self.entry(directory, tag)
        return self._number(entry.start, _SIZES[entry.kind]) if entry and entry.kind in (3, 4, 13) else None

    def value(self, directory: int, tag: int) -> bytes | None:
        """The bytes of an entry."""
        entry = self.entry(directory, tag)
        return bytes(self.data[entry.start : entry.start + entry.size]) if entry else None

    def directory(self, tag: int, parent: int | None = None) -> int | None:
        """Offset of the sub-directory that `tag` points at."""
        return self.integer(self.first if parent is None else parent, tag)

    def next_directory(self, directory: int) -> int:
        """Offset of the directory that follows, 0 for none."""
        at = directory + 2 + 12 * self._count(directory)
        return self._number(at, 4) if directory > 0 and at + 4 <= len(self.data) else 0

    def set_integer(self, directory: int, tag: int, value: int) -> bool:
        """Overwrite a SHORT or LONG entry; False when there is none."""
        entry = self.entry(directory, tag)
        if entry is None or entry.kind not in (3, 4, 13):
            return False
        self._put(entry.start, _SIZES[entry.kind], value)
        return True

    def remove(self, directory: int, tag: int) -> None:
        """Take an entry out of its directory and blank its value; all other values stay where they are."""
        while entry := self.entry(directory, tag):
            # behind the pointer to the next directory, where the block is whole
            end = min(directory + 2 + 12 * self._count(directory) + 4, len(self.data))
            self.data[entry.position : end - 12] = self.data[entry.position + 12 : end]
            self._blank(end - 12, 12)
            self._put(directory, 2, self._count(directory) - 1)
            if entry.size > 4:  # last, because the values of a damaged block may lie on its directory
                self._blank(entry.start, entry.size)

    def blank_directory(self, directory: int) -> None:
        """Overwrite a directory and all its values with zeros."""
        if self._count(directory) == 0:
            return
        size = 2 + 12 * self._count(directory)
        for entry in list(self.entries(directory)):
            if entry.size > 4:
                self._blank(entry.start, entry.size)
        self._blank(directory, size)

    def drop_next_directory(self, directory: int) -> None:
        """End the chain of directories after this one."""
        self._put(directory + 2 + 12 * self._count(directory), 4, 0)

    def _count(self, directory: int) -> int:
        if directory <= 0 or directory + 2 > len(self.data):
            return 0
        count = self._number(directory, 2)
        return min(count, (len(self.data) - directory - 2) // 12)

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self.data[at : at + size], "little" if self._order == "<" else "big")

    def _put(self, at: int, size: int, value: int) -> None:
        if at + size <= len(self.data):
            self.data[at : at + size] = value.to_bytes(size, "little" if self._order == "<" else "big")

    def _blank(self, start: int, size: int) -> None:
        end = min(start + size, len(self.data))
        self.data[start:end] = bytes(max(0, end - start))


def block_of(data: bytes | None) -> ExifBlock | None:
    """`data` as a block, None when it is none."""
    try:
        return ExifBlock(data) if data else None
    except ExifError:
        return None


def orientation(data: bytes | None) -> int:
    """The orientation an EXIF block asks for; 1 when it says nothing sensible."""
    block = block_of(data)
    value = block.integer(block.first, ORIENTATION) if block else None
    return value if value is not None and is_orientation(value) else 1


def with_orientation(data: bytes | None, value: int) -> bytes | None:
    """The block with its orientation overwritten where it has one."""
    block = block_of(data)
    if block is None:
        return data
    block.set_integer(block.first, ORIENTATION, value)
    return bytes(block)


def is_adobe_rgb(data: bytes | None) -> bool:
    """Whether a block says by its interoperability index R03 that the colours are Adobe RGB (DCF 2.0, 4.2),
    or by the colour space 2, which no standard knows and some cameras write.
    """
    block = block_of(data)
    directory = block.directory(EXIF_IFD) if block else None
    if block is not None and directory is not None and block.integer(directory, COLOUR_SPACE) == 2:
        return True
    inner = block.directory(INTEROPERABILITY_IFD, directory) if block and directory else None
    return block is not None and inner is not None and (block.value(inner, 1) or b"").startswith(b"R03")


def with_sides_swapped(data: bytes | None) -> bytes | None:
    """The block with the width and height it states exchanged."""
    block = block_of(data)
    directory = block.directory(EXIF_IFD) if block else None
    if block is None or directory is None:
        return data
    sides = [block.integer(directory, tag) for tag in _SIDES]
    for tag, side in zip(_SIDES, reversed(sides), strict=True):
        if side is not None:
            block.set_integer(directory, tag, side)
    return bytes(block)


def without_live_photo(data: bytes | None) -> tuple[bytes | None, bool]:
    """The block without the identifier that ties an Apple photo to its video, and whether it had one."""
    block = block_of(data)
    directory = block.directory(EXIF_IFD) if block else None
    note = block.entry(directory, MAKER_NOTE) if block and directory else None
    if block is None or note is None:
        return data, False
    content = bytes(block.data[note.start : note.start + note.size])
    if not content.startswith(_APPLE) or content[12:14] != b"MM":
        return data, False
    maker = ExifBlock.of_maker_note(content, ">", len(_APPLE) + 4)
    if maker.entry(maker.first, _APPLE_CONTENT_IDENTIFIER) is None:
        return data, False
    maker.remove(maker.first, _APPLE_CONTENT_IDENTIFIER)
    block.data[note.start : note.start + note.size] = maker.data
    return bytes(block), True


def without_orientation(data: bytes | None) -> bytes | None:
    """The block without an orientation, which says the same as 1."""
    block = block_of(data)
    if block is None:
        return data
    block.remove(block.first, ORIENTATION)
    return bytes(block)


def thumbnail(data: bytes | None) -> bytes | None:
    """The JPEG thumbnail of a block, None when there is none."""
    block = block_of(data)
    if block is None:
        return None
    directory = block.next_directory(block.first)
    start, size = (block.integer(directory, tag) for tag in (_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH))
    if not start or not size or start + size > len(block.data):
        return None
    return bytes(block.data[start : start + size])


def has_thumbnail(data: bytes | None) -> bool:
    """Whether a block has a second directory, which is the thumbnail's."""
    block = block_of(data)
    return block is not None and block.next_directory(block.first) > 0


def with_thumbnail(data: bytes, jpeg: bytes | None) -> bytes:
    """The block with its thumbnail replaced by `jpeg`; without one if that is None or the old is no JPEG."""
    block = ExifBlock(data)
    directory = block.next_directory(block.first)
    if directory == 0:
        return data
    old = thumbnail(data)
    if jpeg is None or old is None:
        block.drop_next_directory(block.first)
        if old is not None:
            start = block.integer(directory, _THUMBNAIL_OFFSET) or 0
            block.data[start : start + len(old)] = bytes(len(old))
        block.blank_directory(directory)
        return bytes(block)
    start = block.integer(directory, _THUMBNAIL_OFFSET) or 0
    block.data[start : start + len(old)] = bytes(len(old))
    if len(jpeg) > len(old):
        if start + len(old) == len(block.data):
            del block.data[start:]
        start = len(block.data)
    block.data[start : start + len(jpeg)] = jpeg
    block.set_integer(directory, _THUMBNAIL_OFFSET, start)
    block.set_integer(directory, _THUMBNAIL_LENGTH, len(jpeg))
    return bytes(block)
