"""Photos of every format around blocks of metadata that are made by hand."""

import struct
import zlib

from tests.realedit.photos import builders as make
from tests.realedit.photos import corpus

KINDS = (".jpg", ".png", ".tif", ".webp", ".heic", ".avif")
Entries = list[tuple[int, int, int, bytes]]
Exif = tuple[Entries, Entries, Entries]
_NAMESPACES = {
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "drone-dji": "http://www.dji.com/drone-dji/1.0/",
    "Camera": "http://pix4d.com/camera/1.0/",
    "mwg-kw": "http://www.metadataworkinggroup.com/schemas/keywords/",
    "acdsee": "http://ns.acdsee.com/iptc/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "unheard": "http://example.org/unheard/of/",
    "GPano": "http://ns.google.com/photos/1.0/panorama/",
}


def place_of(order: str = ">") -> Entries:
    """A GPS directory."""
    degrees = [(48, 1, 8, 1, 1392, 100), (11, 1, 34, 1, 3180, 100)]
    south, east = (struct.pack(order + "6I", *each) for each in degrees)
    return [(1, 2, 2, b"N\x00"), (2, 5, 3, south), (3, 2, 2, b"E\x00"), (4, 5, 3, east)]


def ascii_field(tag: int, text: str) -> tuple[int, int, int, bytes]:
    """An EXIF field of text."""
    data = text.encode() + b"\x00"
    return tag, 2, len(data), data


def block(
    root: Entries,
    inner: Entries,
    place: Entries,
    thumbnail: bytes | None = None,
    *,
    at: int = 8,
    order: str = ">",
) -> bytes:
    """The directories of an EXIF block for offset `at`: camera and author, date and what is asked for."""
    root = [ascii_field(0x010F, "Kamerawerk"), ascii_field(0x013B, "Jane Doe"), *root]
    inner = [ascii_field(0x9003, "2024:05:06 07:08:09"), *inner]
    children = [(0x8769, inner)] + ([(0x8825, place)] if place else [])
    start = at + 2 + 12 * (len(root) + len(children)) + 4
    start += sum(len(data) + (len(data) & 1) for *_, data in root if len(data) > 4)
    tail = b""
    for tag, entries in children:
        root.append((tag, 4, 1, struct.pack(order + "I", start + len(tail))))
        tail += make.directory(entries, start + len(tail), order, 0)
    following = start + len(tail) if thumbnail else 0
    found = make.directory(root, at, order, following) + tail
    if not thumbnail:
        return found
    where = at + len(found) + 2 + 12 * 3 + 4
    small: Entries = [
        (0x0103, 3, 1, struct.pack(order + "H", 6)),
        (0x0201, 4, 1, struct.pack(order + "I", where)),
    ]
    small.append((0x0202, 4, 1, struct.pack(order + "I", len(thumbnail))))
    return found + make.directory(small, at + len(found), order, 0) + thumbnail


def packet(*properties: str) -> bytes:
    """An XMP packet with an author, a heading of the camera and `properties`."""
    author = "<dc:creator><rdf:Seq><rdf:li>Jane Doe</rdf:li></rdf:Seq></dc:creator>"
    made = make.xmp('GPano:PoseHeadingDegrees="12.5"', author, *properties).decode()
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _NAMESPACES.items())
    return made.replace("rdf:about=", f"{declared} rdf:about=").encode()


def packet_of_gps() -> bytes:
    """An XMP packet with coordinates."""
    return packet('exif:GPSLatitude="48,8.232N"', 'exif:GPSLongitude="11,34.53E"')


def bag(name: str, *items: str, kind: str = "Bag") -> str:
    """A list property."""
    inside = "".join(f"<rdf:li>{item}</rdf:li>" for item in items)
    return f"<{name}><rdf:{kind}>{inside}</rdf:{kind}></{name}>"


def records(*values: tuple[int, str]) -> bytes:
    """IPTC records of the application record."""
    return b"".join(
        struct.pack(">BBBH", 0x1C, 2, n, len(text.encode())) + text.encode() for n, text in values
    )


def carrier(
    kind: str,
    *,
    exif: Exif = ([], [], []),
    xmp: bytes | None = None,
    iptc: bytes | None = None,
    thumbnail: bytes | None = None,
) -> bytes:
    """A photo of a format with blocks that hold the author, the camera, the date and what is asked for."""
    pixels, profile = make.picture(), corpus.profiles()["p3"]
    xmp = packet() if xmp is None else xmp
    if kind == ".tif":
        return tiff(exif, xmp, iptc)
    data = b"MM\x00*\x00\x00\x00\x08" + block(*exif, thumbnail)
    if kind == ".jpg":
        segments = [make.exif_segment(data), make.xmp_segment(xmp), make.icc_segment(profile)]
        segments += [(0xED, b"Photoshop 3.0\x00" + iptc)] if iptc else []
        return make.with_segments(make.jpeg(), *segments)
    if kind == ".png":
        chunks = [(b"eXIf", data), (b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + xmp)]
        chunks += [(b"zTXt", raw_profile("iptc", iptc))] if iptc else []
        return make.png(
            pixels, before=((b"iCCP", b"P3\x00\x00" + zlib.compress(profile)),), after=tuple(chunks)
        )
    if kind == ".heic":
        return make.heic(pixels, exif=b"Exif\x00\x00" + data, xmp=xmp, icc_profile=profile)
    options = {"lossless": True} if kind == ".webp" else {}
    return make.saved(pixels, kind[1:].upper(), exif=data, xmp=xmp, icc_profile=profile, **options)


def raw_profile(name: str, data: bytes, *, compressed: bool = True) -> bytes:
    """A text chunk as ImageMagick writes blocks of metadata into a PNG."""
    digits = data.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    text = f"\n{name}\n{len(data):8}\n{lines}\n".encode()
    head = f"Raw profile type {name}".encode() + b"\x00"
    return head + b"\x00" + zlib.compress(text) if compressed else head + text


def tiff(
    exif: Exif, xmp: bytes, iptc: bytes | None, plain: bytes | None = None, *, below: bool = False
) -> bytes:
    """An uncompressed TIFF by hand; plain: IPTC records in their own field, below: the blocks are a smaller
    copy's."""
    pixels, profile = make.picture(), corpus.profiles()["p3"]
    rows = pixels.tobytes()
    rows += b"\x00" * (len(rows) & 1)
    order = "<"
    fields: Entries = [
        (tag, 4, 1, struct.pack("<I", value)) for tag, value in ((256, 59), (257, 41), (273, 8))
    ]
    fields += [(tag, 3, 1, struct.pack("<H", value)) for tag, value in ((259, 1), (262, 2), (277, 3))]
    fields += [(258, 3, 3, struct.pack("<3H", 8, 8, 8)), (279, 4, 1, struct.pack("<I", pixels.nbytes))]
    blocks: Entries = [(34675, 7, len(profile), profile), (700, 1, len(xmp), xmp)]
    blocks += [(34377, 7, len(iptc), iptc)] if iptc else []
    if plain:
        plain += bytes(-len(plain) % 4)
        blocks.append((33723, 4, len(plain) // 4, plain))  # as libtiff writes it
    swapped = [[(t, k, n, _little(k, d)) for t, k, n, d in entries] for entries in exif]
    at = 8 + len(rows)
    body = block([*fields, *blocks, *swapped[0]], swapped[1], swapped[2], at=at, order=order)
    if not below:
        return b"II*\x00" + struct.pack("<I", at) + rows + body
    body += b"\x00" * (len(body) & 1)
    first = block(
        [*fields, *blocks[:1], (330, 4, 1, struct.pack("<I", at))], [], [], at=at + len(body), order=order
    )
    return b"II*\x00" + struct.pack("<I", at + len(body)) + rows + body + first


def _little(kind: int, data: bytes) -> bytes:
    """The items of fractions that were packed for the other byte order, where they are not small already."""
    if kind != 5 or data[0] != 0:
        return data
    return struct.pack(f"<{len(data) // 4}I", *struct.unpack(f">{len(data) // 4}I", data))


def webp_with(kind: bytes, body: bytes) -> bytes:
    """A WebP with a further chunk."""
    data = carrier(".webp") + struct.pack("<4sI", kind, len(body)) + body + b"\x00" * (len(body) & 1)
    return b"RIFF" + struct.pack("<I", len(data) - 8) + data[8:]
