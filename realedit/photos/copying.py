"""A photo's file again without what `strip` asks to leave out: its picture is copied, not one pixel is coded
again.

JPEG is not here: its own writer copies the coded picture of a photo that is not edited.
"""

import io
import struct
from dataclasses import dataclass, replace

from realedit.photos.heif.items import IsoError
from realedit.photos.heif.items import stripped as stripped_iso
from realedit.photos.jpeg.segments import SegmentError, bare_jpeg
from realedit.photos.metadata import place_exif
from realedit.photos.metadata.location import Cleaner, stripped
from realedit.photos.metadata.metadata import Metadata, Strip
from realedit.photos.photo import Format, Photo
from realedit.photos.png.chunks import SIGNATURE, read_chunks, with_end, write_chunk, write_chunks
from realedit.photos.png.metadata import PICTURE_CHUNKS, own_chunks
from realedit.photos.tiff.directories import (
    LONG,
    Directory,
    DirectoryError,
    directory_at,
    header,
    lay_out,
    read_directory,
)
from realedit.photos.webp.codec import with_true_length

_PAGES = 1000
_JPEG_COMPRESSION = 7
_OFFSETS = ((273, 279), (324, 325))  # strips and tiles, each with their lengths
_SUB_DIRECTORIES, _COMPRESSION, _ORIENTATION, _ICC = 330, 259, 274, 34675
_OLD_JPEG = frozenset({513, 519, 520, 521})  # pointers into a JPEG that lies apart
# how the pixels lie in a page and which colours they are, its orientation among them
_PIXELS = frozenset(
    {
        *range(254, 260),
        262,
        263,
        266,
        273,
        _ORIENTATION,
        277,
        278,
        279,
        280,
        281,
        284,
        290,
        291,
        292,
        293,
        301,
    }
    | {
        317,
        318,
        319,
        320,
        *range(322, 326),
        332,
        333,
        334,
        336,
        338,
        339,
        340,
        341,
        342,
        347,
        *range(529, 533),
        _ICC,
    }
)
_LONGER_THAN_CLASSIC = frozenset({16, 17, 18})  # types of BigTIFF
_WEBP_PICTURE = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ANIM"})
_WEBP_FLAGS = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04}  # what the VP8X chunk says is there


@dataclass(frozen=True)
class Copied:
    """A file's bytes, and what the user should know of them."""

    data: bytes
    warnings: list[str]


def copied_without(photo: Photo, strip: Strip) -> Copied | None:
    """The file of a photo that is not edited, without what `strip` names; None where that needs the picture
    to be coded again (and for JPEG)."""
    if strip == "none":
        return Copied(photo.source, [])
    try:
        if photo.format is Format.TIFF:
            return _tiff(photo.source, strip)
        if photo.format in (Format.HEIC, Format.AVIF):
            return _iso(photo, strip)
    except (DirectoryError, IsoError, struct.error, IndexError, ValueError):
        return None  # a structure that cannot be followed
    if photo.format not in (Format.PNG, Format.WEBP):
        return None
    left_out = photo.metadata.others + photo.stale
    metadata, warnings = stripped(replace(photo.metadata, others=left_out), strip)
    if strip == "all" and photo.orientation != 1:
        metadata = replace(metadata, exif=place_exif.orientation_only(photo.orientation))
    write = _png if photo.format is Format.PNG else _webp
    return Copied(write(photo.source, metadata), warnings)


def _png(source: bytes, metadata: Metadata) -> bytes:
    out = io.BytesIO()
    out.write(SIGNATURE)
    own = own_chunks(replace(metadata, icc=None), text=True)  # the profile is copied
    chunks, damaged = read_chunks(source)
    if b"IEND" in damaged:
        chunks = read_chunks(with_end(chunks))[0]
    for number, chunk in enumerate(chunks):
        if chunk.kind in PICTURE_CHUNKS:
            write_chunk(out, chunk.kind, chunk.data)
        if number == 0:
            write_chunks(out, own)
    return out.getvalue()


def _webp(source: bytes, metadata: Metadata) -> bytes:
    kept: list[tuple[bytes, bytes]] = []
    source = with_true_length(source)
    for kind, data in _riff_chunks(source[12 : int.from_bytes(source[4:8], "little") + 8]):
        if kind == b"ANMF":
            frame = (_riff_chunk(*one) for one in _riff_chunks(data[16:]) if one[0] in _WEBP_PICTURE)
            kept.append((kind, data[:16] + b"".join(frame)))
        elif kind in _WEBP_PICTURE or kind in (b"VP8X", b"ICCP"):
            kept.append((kind, data))
    kept += [(kind, block) for kind, block in ((b"EXIF", metadata.exif), (b"XMP ", metadata.xmp)) if block]
    kinds = {kind for kind, _ in kept}
    stated = sum(flag for kind, flag in _WEBP_FLAGS.items() if kind in kinds)
    body = b""
    for kind, data in kept:
        if kind == b"VP8X":
            data = bytes((data[0] & ~sum(_WEBP_FLAGS.values()) | stated,)) + data[1:]
        body += _riff_chunk(kind, data)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _riff_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 0
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        found.append((kind, data[at + 8 : at + 8 + length]))
        at += 8 + length + (length & 1)
    return found


def _riff_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(data)) + data + b"\x00" * (len(data) & 1)


def _iso(photo: Photo, strip: Strip) -> Copied:
    cleaner = Cleaner()
    cleaner.learn(photo.metadata)
    data = stripped_iso(photo.source, strip, cleaner)
    if strip == "all":
        return Copied(data, [])
    kept = Metadata(exif=cleaner.exif(photo.metadata.exif), xmp=cleaner.xmp(photo.metadata.xmp))
    return Copied(data, cleaner.warnings(kept))


def _tiff(source: bytes, strip: Strip) -> Copied | None:
    """Every page and smaller copy laid out anew, around strips and tiles as they were."""
    pages = _pages(source)
    if any(_OLD_JPEG & page.values.keys() for page in pages):
        return None
    cleaner = Cleaner()
    for page in pages:
        cleaner.learn_directory(page)
    out = bytearray(header(pages[0].order, 0))
    directories = [_copied_page(source, page, strip, cleaner, out) for page in pages]
    _chain(out, directories, pages[0].order)
    return Copied(bytes(out), [] if strip == "all" else cleaner.warnings(_texts_of(directories[0])))


def _texts_of(page: Directory) -> Metadata:
    values = {tag: value for tag, value in page.values.items() if value.kind == 2}
    return Metadata(
        exif=place_exif.laid_out(Directory(page.order, values, page.children)) if values else None,
        xmp=page.bytes(place_exif.XMP),
        iptc=page.bytes(place_exif.RESOURCES),
    )


def _pages(source: bytes) -> list[Directory]:
    first = read_directory(source)
    big = struct.unpack_from(first.order + "H", source, 2)[0] == 43
    pages, seen = [first], set[int]()
    while pages[-1].following and pages[-1].following not in seen and len(pages) < _PAGES:
        seen.add(pages[-1].following)
        pages.append(directory_at(source, pages[-1].following, first.order, big=big))
    return pages


def _copied_page(
    source: bytes, page: Directory, strip: Strip, cleaner: Cleaner, out: bytearray, depth: int = 0
) -> Directory:
    """The page without what is to go, its pixels and those of its smaller copies behind `out`."""
    big = struct.unpack_from(page.order + "H", source, 2)[0] == 43
    below = page.integers(_SUB_DIRECTORIES) if depth == 0 else ()
    page.values.pop(_SUB_DIRECTORIES, None)
    _clean_page(page, strip, cleaner)
    coded = page.integer(_COMPRESSION, 1) == _JPEG_COMPRESSION
    for offsets, lengths in _OFFSETS:
        if offsets not in page.values:
            continue
        pieces = zip(page.integers(offsets), page.integers(lengths), strict=True)
        places, sizes = [], []
        for start, size in pieces:
            piece = source[start : start + size]
            piece = _without_segments(piece) if coded else piece
            places.append(len(out))
            sizes.append(len(piece))
            out += piece + b"\x00" * (len(piece) & 1)
        page.set_integers(offsets, LONG, places)
        page.set_integers(lengths, LONG, sizes)
    smaller = []
    for at in below:
        small = directory_at(source, at, page.order, big=big)
        small = _copied_page(source, small, strip, cleaner, out, depth + 1)
        smaller.append(len(out))
        out += _even(lay_out(small, len(out)))
    if smaller:
        page.set_integers(_SUB_DIRECTORIES, LONG, smaller)
    return page


def _clean_page(page: Directory, strip: Strip, cleaner: Cleaner) -> None:
    for tag, value in list(page.values.items()):
        if value.kind in _LONGER_THAN_CLASSIC:
            page.set_integers(tag, LONG, list(page.integers(tag)))
    if strip == "gps":
        place_exif.clean_directory(page, cleaner.places, cleaner.nested_in_exif, cleaner.removed)
        return
    page.children.clear()
    page.values = {tag: value for tag, value in page.values.items() if tag in _PIXELS}


def _without_segments(piece: bytes) -> bytes:
    """A strip that is a JPEG without metadata of its own."""
    try:
        return bare_jpeg(piece)
    except SegmentError:
        return piece


def _chain(out: bytearray, directories: list[Directory], order: str) -> None:
    """Lay the pages out behind `out`, each pointed at by the one before it."""
    pointer = 4
    for page in directories:
        start = len(out)
        out[pointer : pointer + 4] = struct.pack(order + "I", start)
        out += _even(lay_out(page, start))
        pointer = start + 2 + 12 * len(set(page.values) | set(page.children))


def _even(data: bytes) -> bytes:
    return data + b"\x00" * (len(data) & 1)
