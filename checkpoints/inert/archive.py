"""The zip archives that `torch.save` writes: which bytes of the file belong to which name. Nothing is
decompressed.

torch stores its entries without compression, so an entry is a slice of the file, and an archive that expands
(a zip bomb) is refused with any other compressed one. Read by hand rather than by `zipfile` because a
directory may claim millions of entries: here it is counted before it is read. Layout: APPNOTE.TXT of PKWARE,
sections 4.3.7 to 4.3.16.
"""

import struct
from typing import Any, Final

from ..errors import DamagedFileError, UnsupportedModelError

MAX_ENTRIES: Final = 65_535

_END: Final = struct.Struct("<4s4H2LH")  # end of central directory
_END64_LOCATOR: Final = struct.Struct("<4sLQL")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")  # central directory entry
_LOCAL: Final = struct.Struct("<4s5H3L2H")  # local file header
_MAX_COMMENT: Final = 65_535
_ZIP64: Final = 0xFFFFFFFF


def read_directory(data: memoryview) -> dict[str, memoryview]:
    """Entry name -> its bytes, as views. Raises DamagedFileError, UnsupportedModelError if compressed."""
    count, position, end = _find_directory(data)
    if count > MAX_ENTRIES:
        raise DamagedFileError(f"its archive claims {count} entries")
    entries: dict[str, memoryview] = {}
    for _ in range(count):
        fields = _unpack(_ENTRY, data, position)
        if fields[0] != b"PK\x01\x02":
            raise DamagedFileError("its archive's directory is damaged")
        name_size, extra_size, comment_size = fields[10:13]
        start = position + _ENTRY.size
        position = start + name_size + extra_size + comment_size
        if position > end:
            raise DamagedFileError("its archive's directory is longer than it says")
        name = _decode(data[start : start + name_size])
        if name in entries:
            raise DamagedFileError(f"its archive has two entries {name!r:.80}")
        packed, size, offset = _sizes(fields[8], fields[9], fields[16], data[start + name_size : position])
        if fields[4] != 0 or packed != size or fields[3] & 1:
            raise UnsupportedModelError(
                "it is a compressed or encrypted archive, which torch does not write; unpack it first"
            )
        entries[name] = _content(data, offset, size)
    return entries


def _find_directory(data: memoryview) -> tuple[int, int, int]:
    """Number of entries, start and end of the central directory."""
    tail_start = max(0, len(data) - _END.size - _MAX_COMMENT)
    at = bytes(data[tail_start:]).rfind(b"PK\x05\x06")
    if at < 0:
        raise DamagedFileError("its archive has no directory; the file is truncated")
    at += tail_start
    _, _, _, _, count, size, start, _ = _unpack(_END, data, at)
    end = at
    if _ZIP64 in (size, start) or count == 0xFFFF:
        locator = _unpack(_END64_LOCATOR, data, at - _END64_LOCATOR.size)
        if locator[0] != b"PK\x06\x07":
            raise DamagedFileError("its archive's directory is damaged")
        end = locator[2]
        record = _unpack(_END64, data, end)
        if record[0] != b"PK\x06\x06":
            raise DamagedFileError("its archive's directory is damaged")
        count, size, start = record[7:10]
    if start + size > end:
        raise DamagedFileError("its archive's directory is damaged")
    return count, start, start + size


def _sizes(packed: int, size: int, offset: int, extra: memoryview) -> tuple[int, int, int]:
    """Sizes and offset of an entry, from the zip64 field where the plain ones do not hold them."""
    if _ZIP64 not in (packed, size, offset):
        return packed, size, offset
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind == 1:
            numbers = list(
                struct.unpack_from(f"<{length // 8}Q", extra[position + 4 : position + 4 + length])
            )
            size = numbers.pop(0) if size == _ZIP64 and numbers else size
            packed = numbers.pop(0) if packed == _ZIP64 and numbers else packed
            offset = numbers.pop(0) if offset == _ZIP64 and numbers else offset
            break
        position += 4 + length
    return packed, size, offset


def _content(data: memoryview, offset: int, size: int) -> memoryview:
    header = _unpack(_LOCAL, data, offset)
    if header[0] != b"PK\x03\x04":
        raise DamagedFileError("its archive's entries are not where the directory says")
    start = offset + _LOCAL.size + header[9] + header[10]
    if start + size > len(data):
        raise DamagedFileError("its archive has an entry that ends after the file; the file is truncated")
    return data[start : start + size]


def _unpack(layout: struct.Struct, data: memoryview, offset: int) -> tuple[Any, ...]:
    if not 0 <= offset <= len(data) - layout.size:
        raise DamagedFileError("its archive is damaged or truncated")
    return layout.unpack_from(data, offset)


def _decode(name: memoryview) -> str:
    try:
        return str(name, "utf-8")
    except UnicodeDecodeError:
        return str(name, "latin-1")
