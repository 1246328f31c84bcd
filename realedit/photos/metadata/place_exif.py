"""Where a photo was taken, taken out of EXIF directories.

A maker note is written in a form that only its maker knows, so nobody can tell that it holds no place: it
goes as a whole. Nothing is left then that must not move, and the block is laid out anew from the fields that
are known. Source: Exif 3.0 (CIPA DC-008), TIFF 6.0, GeoTIFF 1.1 (whose fields are not among the known ones).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from realedit.photos.jpeg.segments import SegmentError, bare_jpeg
from realedit.photos.metadata.places import Places, without_coordinates
from realedit.photos.tiff.directories import (
    CHILDREN,
    Directory,
    DirectoryError,
    Value,
    directory_at,
    header,
    lay_out,
    read_directory,
)

GPS_IFD, MAKER_NOTE, USER_COMMENT = 0x8825, 0x927C, 0x9286
XMP, IPTC, RESOURCES = 700, 33723, 34377
NESTED = frozenset({XMP, IPTC, RESOURCES})
_THUMBNAIL, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_BYTES, _ASCII = 1, 2
_POINTERS = (273, 279, 324, 325, 330, _THUMBNAIL, _THUMBNAIL_LENGTH)  # at data that the new layout moves
_WINDOWS_TEXTS, _WINDOWS_KEYWORDS = frozenset({0x9C9B, 0x9C9C, 0x9C9D, 0x9C9F}), 0x9C9E
_OPAQUE = {MAKER_NOTE: "the maker note", 0xC634: "private data of the camera", 37724: "Photoshop's layers"}
_OPAQUE |= {52545: "a C2PA manifest (content credentials)"}
# fields whose meaning is known, by ranges; what is not among them goes
_KNOWN = (
    *((254, 0x4FFF), (IPTC, IPTC), (RESOURCES, RESOURCES), (34675, 34675)),
    *((0x8298, 0x829D), (0x8822, 0x8835), (0x9000, 0x9292), (0x9400, 0x9405), (0x9C9B, 0x9C9F)),
    *((0xA000, 0xA005), (0xA20B, 0xA217), (0xA300, 0xA302), (0xA401, 0xA43C), (0xA460, 0xA462)),
    *((0xA500, 0xA500), (0xC4A5, 0xC4A5)),
)
_CHARACTERS = {b"ASCII\x00\x00\x00": "latin-1", b"UNICODE\x00": "utf-16", b"\x00" * 8: "latin-1"}

Nested = Callable[[int, bytes], bytes | None]
"""What becomes of a field that is a block of another kind (`NESTED`): its tag and content -> content."""


@dataclass
class Removed:
    """What was taken out beside the places themselves."""

    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Remember a part, once."""
        if name not in self.names:
            self.names.append(name)


def learn_places(directory: Directory, places: Places) -> None:
    """Remember what the Windows keywords of a directory say in levels."""
    for keyword in _windows(directory.bytes(_WINDOWS_KEYWORDS)).split(";"):
        places.learn_keyword(keyword)


def clean_directory(directory: Directory, places: Places, nested: Nested, removed: Removed) -> None:
    """Take places out of a directory and its sub-directories, and with them all that may hold one."""
    directory.children.pop(GPS_IFD, None)
    for tag in list(directory.values):
        value = directory.values[tag]
        known = any(first <= tag <= last for first, last in _KNOWN)
        if tag in _OPAQUE or tag in CHILDREN or not known:
            if tag not in CHILDREN:
                removed.add(_OPAQUE.get(tag, "fields of an unknown kind"))
            del directory.values[tag]
            continue
        data = nested(tag, value.data) if tag in NESTED else _clean_value(directory.order, tag, value, places)
        if not data:
            del directory.values[tag]
        elif data != value.data:
            directory.values[tag] = Value(value.kind if value.kind == _ASCII else _BYTES, len(data), data)
    for tag, child in list(directory.children.items()):
        clean_directory(child, places, nested, removed)
        if not (child.values or child.children):
            del directory.children[tag]


def clean_block(data: bytes, places: Places, nested: Nested, removed: Removed) -> bytes | None:
    """An EXIF block without places, laid out anew; None where it cannot be followed."""
    try:
        root = read_directory(data)
        thumbnail = _thumbnail(data, root)
        if root.following and thumbnail is None:
            removed.add("a thumbnail that is no JPEG")
    except (DirectoryError, struct.error):
        removed.add("an EXIF block that is damaged")
        return None
    for tag in _POINTERS:
        root.values.pop(tag, None)
    clean_directory(root, places, nested, removed)
    if not (root.values or root.children):
        return None
    return laid_out(root, thumbnail)


def laid_out(root: Directory, thumbnail: tuple[Directory, bytes] | None = None) -> bytes:
    """An EXIF block of a directory and its thumbnail's directory and JPEG."""
    block = header(root.order, 8) + lay_out(root, 8)
    if thumbnail is None:
        return block
    block += b"\x00" * (len(block) & 1)
    small, picture = thumbnail
    small.set_integers(_THUMBNAIL_LENGTH, 4, [len(picture)])
    for _ in range(2):  # the first layout tells how long it is
        small.set_integers(_THUMBNAIL, 4, [len(block) + len(lay_out(small, len(block)))])
    pointer = 10 + 12 * len(set(root.values) | set(root.children))
    start = struct.pack(root.order + "I", len(block))
    return block[:pointer] + start + block[pointer + 4 :] + lay_out(small, len(block)) + picture


def _thumbnail(data: bytes, root: Directory) -> tuple[Directory, bytes] | None:
    """The directory of the thumbnail, its fields but the baseline ones left out, and the JPEG without
    metadata."""
    if not root.following:
        return None
    try:
        small = directory_at(data, root.following, root.order)
        start, size = small.integer(_THUMBNAIL, 0), small.integer(_THUMBNAIL_LENGTH, 0)
        picture = bare_jpeg(data[start : start + size])
    except (DirectoryError, SegmentError, struct.error):
        return None
    small.children.clear()
    kept = ((tag, value) for tag, value in small.values.items() if tag < 0x0300 and value.kind != _ASCII)
    small.values = {tag: value for tag, value in kept if tag not in _POINTERS}
    return small, picture


def _clean_value(order: str, tag: int, value: Value, places: Places) -> bytes:
    """The bytes of a field without coordinates in its text."""
    if tag == _WINDOWS_KEYWORDS:
        keywords = _windows(value.data).split(";")
        kept = [keyword for keyword in keywords if not places.is_keyword(keyword)]
        return value.data if kept == keywords else _as_windows(";".join(kept))
    if tag in _WINDOWS_TEXTS:
        text = _windows(value.data)
        return value.data if without_coordinates(text) == text else _as_windows(without_coordinates(text))
    if tag == USER_COMMENT:
        return _clean_comment(order, value.data)
    if value.kind != _ASCII:
        return value.data
    text, encoding = decoded(value.data)
    cleaned = without_coordinates(text)
    return value.data if cleaned == text else cleaned.rstrip("\x00").encode(encoding) + b"\x00"


def decoded(data: bytes) -> tuple[str, str]:
    """Text of an unstated encoding and what it is: UTF-8 where it can be, else Latin-1."""
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def _clean_comment(order: str, data: bytes) -> bytes:
    encoding = _CHARACTERS.get(data[:8])
    if encoding is None:
        return data
    if encoding == "utf-16":
        encoding = "utf-16-le" if order == "<" else "utf-16-be"
    text = data[8:].decode(encoding, "replace")
    cleaned = without_coordinates(text)
    return data if cleaned == text else data[:8] + cleaned.encode(encoding, "replace")


def _windows(data: bytes | None) -> str:
    return (data or b"").decode("utf-16-le", "replace").rstrip("\x00")


def _as_windows(text: str) -> bytes:
    return (text + "\x00").encode("utf-16-le") if text else b""


def orientation_only(orientation: int) -> bytes:
    """An EXIF block that says nothing but the orientation."""
    return laid_out(Directory(">", {0x0112: Value(3, 1, struct.pack(">H", orientation))}))
