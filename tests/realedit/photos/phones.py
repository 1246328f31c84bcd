"""JPEGs as phones write them: gain maps, motion photos, XMP in two parts."""

import hashlib
import struct

from tests.realedit.photos import builders as make
from tests.realedit.photos.carriers import block, packet, place_of

_ISO6709 = "+48.1372+011.5755/"


def box(kind: bytes, body: bytes) -> bytes:
    """A box of an ISO file."""
    return struct.pack(">I4s", 8 + len(body), kind) + body


def video() -> bytes:
    """An MP4 without a picture that says where it was taken."""
    where = _ISO6709.encode()
    xyz = box(b"\xa9xyz", struct.pack(">HH", len(where), 0x15C7) + where)
    return (
        box(b"ftyp", b"mp42\x00\x00\x00\x00mp42isom")
        + box(b"moov", box(b"udta", xyz))
        + box(b"mdat", bytes(40))
    )


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
