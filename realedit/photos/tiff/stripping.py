"""A TIFF laid out anew without what is to be left out, around strips and tiles as they were."""

import struct

from realedit.photos.jpeg.segments import SegmentError, bare_jpeg
from realedit.photos.metadata import place_exif
from realedit.photos.metadata.location import Cleaner
from realedit.photos.metadata.metadata import Metadata, Strip
from realedit.photos.tiff.directories import LONG, Directory, directory_at, header, lay_out, read_directory

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


def stripped(source: bytes, strip: Strip) -> tuple[bytes, list[str]] | None:
    """Every page and smaller copy without what `strip` names, and what the user should know of it.

    None where pixels lie in a JPEG apart. Raises DirectoryError, struct.error, IndexError or ValueError where
    pages cannot be followed.
    """
    pages = _pages(source)
    if any(_OLD_JPEG & page.values.keys() for page in pages):
        return None
    cleaner = Cleaner()
    for page in pages:
        cleaner.learn_directory(page)
    out = bytearray(header(pages[0].order, 0))
    directories = [_copied_page(source, page, strip, cleaner, out) for page in pages]
    _chain(out, directories, pages[0].order)
    return bytes(out), [] if strip == "all" else cleaner.warnings(_texts_of(directories[0]))


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
