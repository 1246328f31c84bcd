"""Photoshop image resources and the IPTC records in one of them, as lists that can be written again.

Source: Adobe Photoshop File Formats Specification, "Image Resources Section"; IPTC-IIM 4.2, chapter 3.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

IIM = 0x0404
DIGEST = 0x0425
EXIF, EXIF_OF_THUMBNAIL = 0x0422, 0x0423
XMP = 0x0424
THUMBNAILS = frozenset({0x0409, 0x040C})
_UTF8 = b"\x1b%G"
_EXTENDED = 0x8000


class RecordError(ValueError):
    """Resources or records that cannot be followed to their end."""


@dataclass(frozen=True)
class Resource:
    """An image resource: its number, its name and its content."""

    number: int
    name: bytes
    content: bytes


@dataclass(frozen=True)
class DataSet:
    """A value of IPTC-IIM: record and number, and its bytes."""

    record: int
    number: int
    value: bytes


def read_resources(data: bytes) -> list[Resource]:
    """The image resources in `data`; RecordError where they cannot be followed."""
    found, at = [], 0
    while data[at:].strip(b"\x00"):
        if at + 12 > len(data) or data[at : at + 4] not in (b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR"):
            raise RecordError("image resources that cannot be followed")
        (number,) = struct.unpack_from(">H", data, at + 4)
        length = data[at + 6]
        start = at + 6 + length + 1 + (length + 1 & 1)
        if start + 4 > len(data):
            raise RecordError("image resources that end early")
        (size,) = struct.unpack_from(">I", data, start)
        if start + 4 + size > len(data):
            raise RecordError("image resources that end early")
        found.append(Resource(number, data[at + 7 : at + 7 + length], data[start + 4 : start + 4 + size]))
        at = start + 4 + size + (size & 1)
    return found


def write_resources(resources: list[Resource]) -> bytes:
    """The bytes of image resources."""
    return b"".join(map(_written, resources))


def _written(resource: Resource) -> bytes:
    name = bytes((len(resource.name),)) + resource.name
    content = resource.content
    return (
        b"8BIM"
        + struct.pack(">H", resource.number)
        + name
        + b"\x00" * (len(name) & 1)
        + struct.pack(">I", len(content))
        + content
        + b"\x00" * (len(content) & 1)
    )


def changed_resources(data: bytes | None, change: Callable[[int, bytes], bytes | None]) -> bytes | None:
    """Image resources with `change(number, content)` for each content; None takes one out, no resources are
    None. Unchanged bytes stay as they are. RecordError where they cannot be followed."""
    if not data:
        return None
    resources = read_resources(data)
    made = [(one, change(one.number, one.content)) for one in resources]
    if all(content == one.content for one, content in made):
        return data
    kept = [Resource(one.number, one.name, content) for one, content in made if content is not None]
    if any(one.number == IIM and one.content != content for one, content in made):
        kept = [one for one in kept if one.number != DIGEST]  # it is of the records as they were
    return write_resources(kept) or None


def as_resource(records: bytes) -> bytes:
    """IPTC-IIM records as the image resource that most formats carry them in."""
    return _written(Resource(IIM, b"", records))


def read_records(data: bytes) -> list[DataSet]:
    """The values of IPTC-IIM in `data`; RecordError where they cannot be followed."""
    found, at = [], 0
    while data[at:].strip(b"\x00"):
        if at + 5 > len(data) or data[at] != 0x1C:
            raise RecordError("IPTC records that cannot be followed")
        record, number, size = struct.unpack_from(">BBH", data, at + 1)
        start = at + 5
        if size & _EXTENDED:
            width = size & ~_EXTENDED
            size = int.from_bytes(data[start : start + width], "big")
            start += width
        if start + size > len(data):
            raise RecordError("IPTC records that end early")
        found.append(DataSet(record, number, data[start : start + size]))
        at = start + size
    return found


def write_records(values: list[DataSet]) -> bytes:
    """The bytes of IPTC-IIM values."""
    return b"".join(_data_set(value) for value in values)


def _data_set(one: DataSet) -> bytes:
    if len(one.value) < _EXTENDED:
        return struct.pack(">BBBH", 0x1C, one.record, one.number, len(one.value)) + one.value
    return struct.pack(">BBBHI", 0x1C, one.record, one.number, _EXTENDED | 4, len(one.value)) + one.value


def encoding_of(values: list[DataSet]) -> str:
    """The encoding of the texts: UTF-8 where record 1 says so, else Latin-1."""
    stated = (one.value for one in values if (one.record, one.number) == (1, 90))
    return "utf-8" if _UTF8 in stated else "latin-1"


def texts(values: list[DataSet], numbers: frozenset[int]) -> Iterator[str]:
    """The texts of record 2 under `numbers`."""
    encoding = encoding_of(values)
    return (
        one.value.decode(encoding, "replace") for one in values if one.record == 2 and one.number in numbers
    )
