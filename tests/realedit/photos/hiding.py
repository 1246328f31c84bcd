"""Photos of every format with a position or the name of a place in each part that can hold one."""

import hashlib
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from tests.realedit.photos import builders as make
from tests.realedit.photos import corpus

KINDS = (".jpg", ".png", ".tif", ".webp", ".heic", ".avif")
TOKENS = ("Munich", "Homestreet", "48.1372", "11.5755", "48,8.232", "48 deg 8'", "11 deg 34'")
"""What must not be found: names and coordinates in the forms in which they were planted or are shown."""
KEPT = ("Jane Doe", "2024:05:06 07:08:09", "Kamerawerk", "Display P3", "Sunset")
"""What is no place and must stay."""
_ISO6709 = "+48.1372+011.5755/"
Entries = list[tuple[int, int, int, bytes]]


@dataclass(frozen=True)
class Hiding:
    """A photo with a place in one part. untrue: the part goes with any edit, since it is of the picture as
    it was."""

    name: str
    kind: str
    data: bytes
    untrue: bool = False


def hidings() -> Iterator[Hiding]:
    """All of them."""
    for kind in KINDS:
        for name, (root, inner, place) in exif_parts().items():
            if (name, kind) != ("xmp", ".tif"):  # which has a packet there already
                yield Hiding(f"exif-{name}", kind, carrier(kind, exif=(root, inner, place)))
        for name, made in xmp_packets().items():
            yield Hiding(f"xmp-{name}", kind, carrier(kind, xmp=made), untrue=name == "comment")
        if kind in (".jpg", ".png", ".tif"):
            for name, made in resources().items():
                yield Hiding(f"iptc-{name}", kind, carrier(kind, iptc=made))
        if kind != ".tif":
            thumbnail = _thumbnail()
            yield Hiding("exif-thumbnail", kind, carrier(kind, thumbnail=thumbnail), untrue=True)
    yield from _jpegs()
    yield from _pngs()
    yield from _tiffs()
    yield Hiding("webp-chunk", ".webp", webp_with(b"NOTE", b"taken in Munich"), untrue=True)
    for kind in (".heic", ".avif"):
        yield Hiding(
            "iso-uuid", kind, carrier(kind) + _box(b"uuid", bytes(range(16)) + packet_of_gps()), untrue=True
        )
        yield Hiding("iso-video", kind, carrier(kind) + _box(b"mpvd", video()), untrue=True)
        yield Hiding("iso-free", kind, carrier(kind) + _box(b"free", packet_of_gps()), untrue=True)


def place_of(order: str = ">") -> Entries:
    """A GPS directory."""
    degrees = [(48, 1, 8, 1, 1392, 100), (11, 1, 34, 1, 3180, 100)]
    south, east = (struct.pack(order + "6I", *each) for each in degrees)
    return [(1, 2, 2, b"N\x00"), (2, 5, 3, south), (3, 2, 2, b"E\x00"), (4, 5, 3, east)]


def _ascii(tag: int, text: str) -> tuple[int, int, int, bytes]:
    data = text.encode() + b"\x00"
    return tag, 2, len(data), data


def _windows(tag: int, text: str) -> tuple[int, int, int, bytes]:
    data = (text + "\x00").encode("utf-16-le")
    return tag, 1, len(data), data


def _comment(text: bytes) -> tuple[int, int, int, bytes]:
    return 0x9286, 7, 8 + len(text), b"ASCII\x00\x00\x00" + text


def exif_parts() -> dict[str, tuple[Entries, Entries, Entries]]:
    """Entries of the first, the Exif and the GPS directory by the part that holds a place."""
    inside = packet_of_gps()
    note = b"Panasonic\x00\x00\x00" + b"Munich" + bytes(30)
    return {
        "gps": ([], [], place_of()),
        "keywords": ([_windows(0x9C9E, "Sunset;geo:lat=48.1372;geotagged;Places|Munich;Munich")], [], []),
        "windows-comment": ([_windows(0x9C9C, "At 48.1372, 11.5755")], [], []),
        "comment": ([], [_comment(b"from geo:48.1372,11.5755")], []),
        "description": ([_ascii(0x010E, "Sunset 48.1372N 11.5755E")], [], []),
        "maker-note": ([], [(0x927C, 7, len(note), note)], []),
        "xmp": ([(700, 1, len(inside), inside)], [], []),
        "unknown": ([(0xE123, 2, 7, b"Munich\x00")], [], []),
    }


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
    root = [_ascii(0x010F, "Kamerawerk"), _ascii(0x013B, "Jane Doe"), *root]
    inner = [_ascii(0x9003, "2024:05:06 07:08:09"), *inner]
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


def _thumbnail() -> bytes:
    inside = b"MM\x00*\x00\x00\x00\x08" + block([], [], place_of())
    small = make.jpeg(make.picture((32, 24)), quality=60)
    return make.with_segments(small, make.exif_segment(inside), make.xmp_segment(packet_of_gps()))


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


def packet(*properties: str) -> bytes:
    """An XMP packet with an author, a heading of the camera and `properties`."""
    author = "<dc:creator><rdf:Seq><rdf:li>Jane Doe</rdf:li></rdf:Seq></dc:creator>"
    made = make.xmp('GPano:PoseHeadingDegrees="12.5"', author, *properties).decode()
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _NAMESPACES.items())
    return made.replace("rdf:about=", f"{declared} rdf:about=").encode()


def packet_of_gps() -> bytes:
    """An XMP packet with coordinates."""
    return packet('exif:GPSLatitude="48,8.232N"', 'exif:GPSLongitude="11,34.53E"')


def _bag(name: str, *items: str, kind: str = "Bag") -> str:
    inside = "".join(f"<rdf:li>{item}</rdf:li>" for item in items)
    return f"<{name}><rdf:{kind}>{inside}</rdf:{kind}></{name}>"


def xmp_packets() -> dict[str, bytes]:
    """XMP packets by the part that holds a place."""
    shown = '<rdf:li rdf:parseType="Resource"><Iptc4xmpExt:City>Munich</Iptc4xmpExt:City></rdf:li>'
    words = '<rdf:li rdf:parseType="Resource"><mwg-kw:Keyword>{}</mwg-kw:Keyword>{}</rdf:li>'
    tree = words.format(
        "Places", f"<mwg-kw:Children><rdf:Bag>{words.format('Munich', '')}</rdf:Bag></mwg-kw:Children>"
    )
    address = 'Iptc4xmpCore:Location="Homestreet 7"'
    return {
        "gps": packet_of_gps(),
        "city": packet('photoshop:City="Munich"', address, _bag("dc:subject", "Sunset", "Munich")),
        "elements": packet("<photoshop:City>Munich</photoshop:City>", "<dc:coverage>Munich</dc:coverage>"),
        "shown": packet(f"<Iptc4xmpExt:LocationShown><rdf:Bag>{shown}</rdf:Bag></Iptc4xmpExt:LocationShown>"),
        "drone": packet('drone-dji:GpsLongtitude="11.5755"', 'drone-dji:GpsLatitude="48.1372"'),
        "camera": packet('Camera:GPSLatitude="48.1372"', "<Camera:GPSAltitude>48.1372</Camera:GPSAltitude>"),
        "unheard": packet('unheard:shotLocation="Munich"', 'unheard:latitude="48.1372"'),
        "keywords": packet(_bag("dc:subject", "Sunset", "geo:lat=48.1372", "geotagged", "geo:city=Munich")),
        "levels": packet(
            _bag("lr:hierarchicalSubject", "Places|Germany|Munich", "Light|Sunset"),
            _bag("digiKam:TagsList", "Places/Germany/Munich", "Light/Sunset", kind="Seq"),
            _bag("dc:subject", "Munich", "Sunset"),
        ),
        "structures": packet(
            '<mwg-kw:Keywords rdf:parseType="Resource"><mwg-kw:Hierarchy><rdf:Bag>'
            f"{tree}</rdf:Bag></mwg-kw:Hierarchy>"
            "</mwg-kw:Keywords>"
        ),
        "categories": packet('acdsee:categories="&lt;Category&gt;Places&lt;Category&gt;Munich"'),
        "caption": packet(
            '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">Sunset '
            "48\u00b08\u203213\u2033N 11\u00b034\u203231\u2033E, 48.1372, 11.5755"
            "</rdf:li></rdf:Alt></dc:description>"
        ),
        "comment": packet().replace(b"</rdf:RDF>", b"<!-- Munich --></rdf:RDF>"),
    }


def records(*values: tuple[int, str]) -> bytes:
    """IPTC records of the application record."""
    return b"".join(
        struct.pack(">BBBH", 0x1C, 2, n, len(text.encode())) + text.encode() for n, text in values
    )


def resources() -> dict[str, bytes]:
    """Photoshop image resources by the part that holds a place."""
    author = (80, "Jane Doe")
    places = [
        (90, "Munich"),
        (92, "Homestreet 7"),
        (27, "Munich"),
        (95, "Munich"),
        (101, "Munich"),
        (100, "DEU"),
    ]
    keywords = [(25, "Sunset"), (25, "geo:lat=48.1372"), (25, "Munich"), (90, "Munich")]
    inside = b"MM\x00*\x00\x00\x00\x08" + block([], [], place_of())
    return {
        "city": make.image_resource(0x0404, records(author, *places)),
        "keywords": make.image_resource(0x0404, records(author, *keywords)),
        "caption": make.image_resource(0x0404, records(author, (120, "Sunset at 48.1372, 11.5755"))),
        "exif": make.image_resource(0x0404, records(author)) + make.image_resource(0x0422, inside),
        "xmp": make.image_resource(0x0404, records(author)) + make.image_resource(0x0424, packet_of_gps()),
    }


Exif = tuple[Entries, Entries, Entries]


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


def video() -> bytes:
    """An MP4 without a picture that says where it was taken."""
    where = _ISO6709.encode()
    xyz = _box(b"\xa9xyz", struct.pack(">HH", len(where), 0x15C7) + where)
    return (
        _box(b"ftyp", b"mp42\x00\x00\x00\x00mp42isom")
        + _box(b"moov", _box(b"udta", xyz))
        + _box(b"mdat", bytes(40))
    )


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def extended(content: bytes) -> list[tuple[int, bytes]]:
    """The segments of an XMP in two parts, the second of them `content` without a wrapper."""
    name = hashlib.md5(content, usedforsecurity=False).hexdigest().upper()
    main = packet(f'xmpNote:HasExtendedXMP="{name}"').replace(
        b"rdf:about=", b'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" rdf:about='
    )
    head = b"http://ns.adobe.com/xmp/extension/\x00" + name.encode()
    pieces = [content[at : at + 60000] for at in range(0, len(content), 60000)]
    places = [struct.pack(">II", len(content), 60000 * n) for n in range(len(pieces))]
    parts = [(0xE1, head + place + piece) for place, piece in zip(places, pieces, strict=True)]
    return [make.xmp_segment(main), *parts]


def long_packet(*properties: str) -> bytes:
    """An XMP packet of more than a JPEG segment holds, without a wrapper."""
    whole = packet('dc:source="' + "A" * 90000 + '"', *properties)
    return whole[whole.index(b"<x:xmpmeta") : whole.index(b"</x:xmpmeta>") + 12]


def multi_picture(first: bytes, second: bytes, *, between: tuple[tuple[int, bytes], ...] = ()) -> bytes:
    """Two JPEGs in one file as CIPA DC-007 puts them, as Ultra HDR and Apple's HDR do."""
    body = b"MM\x00*\x00\x00\x00\x08" + struct.pack(">H", 3)
    body += struct.pack(">HHI4s", 0xB000, 7, 4, b"0100") + struct.pack(">HHII", 0xB001, 4, 1, 2)
    body += struct.pack(">HHIII", 0xB002, 7, 32, 50, 0)
    length = len(make.with_segments(first, *between, (0xE2, b"MPF\x00" + bytes(82))))
    start = 2 + sum(4 + len(data) for _, data in between) + 8
    entries = struct.pack(">IIIHH", 0x030000, length, 0, 0, 0)
    entries += struct.pack(">IIIHH", 0, len(second), length - start, 0, 0)
    return make.with_segments(first, *between, (0xE2, b"MPF\x00" + body + entries)) + second


def ultra_hdr() -> bytes:
    """A JPEG with a gain map as Android's camera writes it: GContainer, MPF, a second JPEG with metadata."""
    inside = b"MM\x00*\x00\x00\x00\x08" + block([], [], place_of())
    gain = make.with_segments(
        make.jpeg(make.picture((16, 16)), mode="L"),
        make.exif_segment(inside),
        make.xmp_segment(
            make.xmp('hdrgm:Version="1.0"', 'hdrgm:GainMapMax="2.5"', 'exif:GPSLatitude="48,8.232N"')
        ),
    )
    directory = (
        '<Container:Directory xmlns:Container="http://ns.google.com/photos/1.0/container/"><rdf:Seq>'
        '<rdf:li rdf:parseType="Resource"><Container:Item '
        'xmlns:Item="http://ns.google.com/photos/1.0/container/item/" '
        f'Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="{len(gain)}"/></rdf:li></rdf:Seq>'
        "</Container:Directory>"
    )
    parts = (make.exif_segment(inside), make.xmp_segment(packet('hdrgm:Version="1.0"', directory)))
    return multi_picture(
        make.jpeg(), gain, between=(*parts, (0xE2, b"urn:iso:std:iso:ts:21496:-1\x00" + bytes(4)))
    )


def motion_photo() -> bytes:
    """A JPEG with a video behind it, as Google's and Samsung's cameras write it."""
    words = 'GCamera:MotionPhoto="1"', 'GCamera:MicroVideoOffset="200"'
    samsung = b"\x00\x00\x30\x0a\x10\x00\x00\x00MotionPhoto_Data"
    data = make.with_segments(make.jpeg(), make.xmp_segment(packet(*words)))
    return data + samsung + video() + b"SEFHk\x00\x00\x00SEFT"


def _jpegs() -> Iterator[Hiding]:
    base = carrier(".jpg")
    yield Hiding(
        "jpeg-extended-xmp",
        ".jpg",
        make.with_segments(make.jpeg(), *extended(long_packet('photoshop:City="Munich"'))),
    )
    yield Hiding("jpeg-comment", ".jpg", make.with_segments(base, (0xFE, b"at 48.1372, 11.5755")))
    yield Hiding("jpeg-segment", ".jpg", make.with_segments(base, (0xE6, b"GoPro\x00Munich")))
    second = make.with_segments(base, make.xmp_segment(packet()))
    yield Hiding("jpeg-hidden-xmp", ".jpg", second.replace(packet(), packet_of_gps(), 1), untrue=True)
    yield Hiding("jpeg-gain-map", ".jpg", ultra_hdr(), untrue=True)
    yield Hiding("jpeg-motion-photo", ".jpg", motion_photo(), untrue=True)


def _pngs() -> Iterator[Hiding]:
    inside = b"MM\x00*\x00\x00\x00\x08" + block([], [], place_of())
    texts = {
        "text": (b"tEXt", b"City\x00Munich"),
        "text-of-exif": (b"tEXt", b"exif:GPSLatitude\x0048/1, 8/1, 1392/100 Munich"),
        "text-coordinates": (b"tEXt", b"Comment\x00Sunset at 48.1372, 11.5755"),
        "compressed-text": (b"zTXt", b"Location\x00\x00" + zlib.compress(b"Munich")),
        "unicode-text": (b"iTXt", b"Comment\x00\x01\x00\x00\x00" + zlib.compress(b"geo:48.1372,11.5755")),
        "compressed-xmp": (
            b"iTXt",
            b"XML:com.adobe.xmp\x00\x01\x00\x00\x00" + zlib.compress(packet_of_gps()),
        ),
        "raw-exif": (b"zTXt", raw_profile("exif", b"Exif\x00\x00" + inside)),
        "raw-exif-plain": (b"tEXt", raw_profile("exif", b"Exif\x00\x00" + inside, compressed=False)),
        "raw-app1": (b"zTXt", raw_profile("APP1", b"http://ns.adobe.com/xap/1.0/\x00" + packet_of_gps())),
        "raw-xmp": (b"tEXt", raw_profile("xmp", packet_of_gps(), compressed=False)),
        "raw-8bim": (b"zTXt", raw_profile("8bim", resources()["city"])),
        "raw-iptc": (b"zTXt", raw_profile("iptc", records((80, "Jane Doe"), (90, "Munich")))),
    }
    for name, chunk in texts.items():
        yield Hiding(f"png-{name}", ".png", make.png(make.picture(), after=(chunk,)))
    twice = make.png(make.picture(), after=((b"eXIf", inside[:8] + block([], [], [])), texts["raw-exif"]))
    yield Hiding("png-second-exif", ".png", twice, untrue=True)
    yield Hiding("png-chunk", ".png", make.png(make.picture(), after=((b"noTe", b"Munich"),)))


def _tiffs() -> Iterator[Hiding]:
    where = struct.pack("<6d", 0, 0, 0, 48.1372, 11.5755, 0)
    yield Hiding(
        "tiff-geo", ".tif", tiff(([(33922, 12, 6, where), _ascii(42112, "Munich")], [], []), packet(), None)
    )
    yield Hiding(
        "tiff-iptc", ".tif", tiff(([], [], []), packet(), None, records((80, "Jane Doe"), (90, "Munich")))
    )
    smaller = tiff(([], [], place_of("<")), packet_of_gps(), None, below=True)
    yield Hiding("tiff-smaller-copy", ".tif", smaller, untrue=True)
    pages = io.BytesIO()
    image, texts = Image.fromarray(make.picture()), {315: "Jane Doe", 270: "at 48.1372, 11.5755"}
    image.save(pages, "TIFF", save_all=True, append_images=[image], tiffinfo=texts)
    yield Hiding("tiff-page", ".tif", pages.getvalue())


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
    blocks += [(33723, 7, len(plain), plain)] if plain else []
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
