"""Photos of every format with a position or the name of a place in each part that can hold one."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from tests.realedit.photos import builders as make
from tests.realedit.photos.carriers import (
    KINDS,
    Entries,
    ascii_field,
    bag,
    block,
    carrier,
    packet,
    packet_of_gps,
    place_of,
    raw_profile,
    records,
    tiff,
    webp_with,
)
from tests.realedit.photos.phones import box, extended, long_packet, motion_photo, ultra_hdr, video

TOKENS = ("Munich", "Homestreet", "48.1372", "11.5755", "48,8.232", "48 deg 8'", "11 deg 34'")
"""What must not be found: names and coordinates in the forms in which they were planted or are shown."""
KEPT = ("Jane Doe", "2024:05:06 07:08:09", "Kamerawerk", "Display P3", "Sunset")
"""What is no place and must stay."""


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
            thumbnail = thumbnail_of_gps()
            yield Hiding("exif-thumbnail", kind, carrier(kind, thumbnail=thumbnail), untrue=True)
    yield from _jpegs()
    yield from _pngs()
    yield from _tiffs()
    yield Hiding("webp-chunk", ".webp", webp_with(b"NOTE", b"taken in Munich"), untrue=True)
    for kind in (".heic", ".avif"):
        yield Hiding(
            "iso-uuid", kind, carrier(kind) + box(b"uuid", bytes(range(16)) + packet_of_gps()), untrue=True
        )
        yield Hiding("iso-trailer", kind, carrier(kind) + b"\x00\x00\x00\x03SEFTMunich", untrue=True)
        yield Hiding("iso-video", kind, carrier(kind) + box(b"mpvd", video()), untrue=True)
        yield Hiding("iso-free", kind, carrier(kind) + box(b"free", packet_of_gps()), untrue=True)


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
        "description": ([ascii_field(0x010E, "Sunset 48.1372N 11.5755E")], [], []),
        "maker-note": ([], [(0x927C, 7, len(note), note)], []),
        "xmp": ([(700, 1, len(inside), inside)], [], []),
        "unknown": ([(0xE123, 2, 7, b"Munich\x00")], [], []),
    }


def thumbnail_of_gps() -> bytes:
    """A JPEG thumbnail with an EXIF block and XMP of its own."""
    inside = b"MM\x00*\x00\x00\x00\x08" + block([], [], place_of())
    small = make.jpeg(make.picture((32, 24)), quality=60)
    return make.with_segments(small, make.exif_segment(inside), make.xmp_segment(packet_of_gps()))


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
        "city": packet('photoshop:City="Munich"', address, bag("dc:subject", "Sunset", "Munich")),
        "elements": packet("<photoshop:City>Munich</photoshop:City>", "<dc:coverage>Munich</dc:coverage>"),
        "shown": packet(f"<Iptc4xmpExt:LocationShown><rdf:Bag>{shown}</rdf:Bag></Iptc4xmpExt:LocationShown>"),
        "drone": packet('drone-dji:GpsLongtitude="11.5755"', 'drone-dji:GpsLatitude="48.1372"'),
        "camera": packet('Camera:GPSLatitude="48.1372"', "<Camera:GPSAltitude>48.1372</Camera:GPSAltitude>"),
        "unheard": packet('unheard:shotLocation="Munich"', 'unheard:latitude="48.1372"'),
        "keywords": packet(bag("dc:subject", "Sunset", "geo:lat=48.1372", "geotagged", "geo:city=Munich")),
        "levels": packet(
            bag("lr:hierarchicalSubject", "Places|Germany|Munich", "Light|Sunset"),
            bag("digiKam:TagsList", "Places/Germany/Munich", "Light/Sunset", kind="Seq"),
            bag("dc:subject", "Munich", "Sunset"),
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


def _jpegs() -> Iterator[Hiding]:
    base = carrier(".jpg")
    yield Hiding(
        "jpeg-extended-xmp",
        ".jpg",
        make.with_segments(make.jpeg(), *extended(long_packet('photoshop:City="Munich"'))),
    )
    yield Hiding("jpeg-comment", ".jpg", make.with_segments(base, (0xFE, b"at 48.1372, 11.5755")))
    yield Hiding("jpeg-app14", ".jpg", make.with_segments(base, (0xEE, b"Note\x00Munich")))
    ducky = b"Ducky\x00\x02\x00\x0a\x00\x00\x00\x06Munich\x00\x00"
    yield Hiding("jpeg-ducky", ".jpg", make.with_segments(base, (0xEC, ducky)))
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
        "tiff-geo",
        ".tif",
        tiff(([(33922, 12, 6, where), ascii_field(42112, "Munich")], [], []), packet(), None),
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
