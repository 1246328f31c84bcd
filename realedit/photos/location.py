"""Taking the place out of a file whose picture stays as it is: not one pixel is coded again.

JPEG is rewritten by its own writer, which copies the coded picture.
"""

import io
import re
import struct

import pillow_heif

from realedit.photos import exif
from realedit.photos.exif import block_of
from realedit.photos.photo import Format, Photo
from realedit.photos.png_chunks import SIGNATURE, read_chunks, write_chunk
from realedit.photos.webp import with_true_length
from realedit.photos.xmp import XmpError, XmpPacket

_XMP_EXIF = "http://ns.adobe.com/exif/1.0/"
_XMP_TAG = 700
_XMP_KEYWORD = b"XML:com.adobe.xmp\x00"
_PAGES = 1000


def without_location(photo: Photo) -> bytes | None:
    """The photo's file without GPS data; None where that would need the picture to be coded again."""
    if photo.format is Format.PNG:
        return _png(photo.source)
    if photo.format is Format.WEBP:
        return _webp(with_true_length(photo.source))
    if photo.format is Format.TIFF:
        return _tiff(photo.source)
    if photo.format in (Format.HEIC, Format.AVIF):
        return _in_place(photo)
    return None


def xmp_without_location(packet: bytes) -> bytes:
    """The packet without GPS properties, filled up to its old length by spaces; a damaged one blanked."""
    try:
        parsed = XmpPacket(packet)
    except XmpError:
        return b" " * len(packet)
    if not parsed.remove(_XMP_EXIF, re.compile("GPS.*")):
        return packet
    return bytes(parsed).ljust(len(packet))


def _png(source: bytes) -> bytes:
    out = io.BytesIO()
    out.write(SIGNATURE)
    for chunk in read_chunks(source)[0]:
        data = bytes(chunk.data)
        if chunk.kind == b"eXIf":
            data = exif.without_gps(data) or b""
        elif chunk.kind == b"iTXt" and data.startswith(_XMP_KEYWORD + b"\x00"):
            head = len(data) - len(data[len(_XMP_KEYWORD) + 2 :].split(b"\x00", 2)[2])
            data = data[:head] + xmp_without_location(data[head:]).rstrip(b" ")
        elif chunk.kind == b"iTXt" and data.startswith(_XMP_KEYWORD):
            continue  # a compressed packet is not XMP's form; it goes rather than leak
        write_chunk(out, chunk.kind, data)
    return out.getvalue()


def _webp(source: bytes) -> bytes:
    size = int.from_bytes(source[4:8], "little") + 8
    body, at = b"", 12
    while at + 8 <= size:
        kind, length = struct.unpack_from("<4sI", source, at)
        data = source[at + 8 : at + 8 + length]
        if kind == b"EXIF":
            prefix = b"Exif\x00\x00" if data.startswith(b"Exif\x00\x00") else b""
            data = prefix + (exif.without_gps(data[len(prefix) :]) or b"")
        elif kind == b"XMP ":
            data = xmp_without_location(data)
        body += struct.pack("<4sI", kind, len(data)) + data + b"\x00" * (len(data) & 1)
        at += 8 + length + (length & 1)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _tiff(source: bytes) -> bytes | None:
    """A classic TIFF is a structure like EXIF, so its values are blanked where they lie, on every page."""
    block = block_of(source)
    if block is None:
        return None
    directory, pages = block.first, 0
    while directory and pages < _PAGES:
        block.strip_gps(directory)
        entry = block.entry(directory, _XMP_TAG)
        if entry is not None:
            packet = xmp_without_location(bytes(block.data[entry.start : entry.start + entry.size]))
            if len(packet) != entry.size:
                return None
            block.data[entry.start : entry.start + entry.size] = packet
        directory, pages = block.next_directory(directory), pages + 1
    return bytes(block)


def _in_place(photo: Photo) -> bytes | None:
    """HEIC and AVIF: overwrite the blocks where they lie in the file."""
    data = bytearray(photo.source)
    old_exif = _exif_as_stored(photo)
    pairs = [(old_exif, exif.without_gps(old_exif))]
    if photo.metadata.xmp:
        pairs.append((photo.metadata.xmp, xmp_without_location(photo.metadata.xmp)))
    for old, new in pairs:
        if not old or old == new:
            continue
        if new is None or len(new) != len(old) or data.count(old) != 1:
            return None
        at = data.index(old)
        data[at : at + len(old)] = new
    return bytes(data)


def _exif_as_stored(photo: Photo) -> bytes | None:
    if photo.format is not Format.HEIC:
        return photo.metadata.exif
    heif = pillow_heif.open_heif(io.BytesIO(photo.source), convert_hdr_to_8bit=False)
    block = heif[heif.primary_index].info.get("exif")
    return block.removeprefix(b"Exif\x00\x00") if block else None
