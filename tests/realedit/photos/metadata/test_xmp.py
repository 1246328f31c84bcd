"""XMP is merged: what is there stays as it is written."""

import re

import pytest

from realedit.photos.metadata.provenance import (
    COMPOSITE,
    IPTC_EXTENSION,
    PHOTOSHOP,
    XMP_BASIC,
    Provenance,
    mark,
    marked,
)
from realedit.photos.metadata.xmp import XmpError, XmpPacket
from tests.realedit.photos.builders import xmp

DC = "http://purl.org/dc/elements/1.1/"
EXIF = "http://ns.adobe.com/exif/1.0/"
TITLE = '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Ä &amp; B</rdf:li></rdf:Alt></dc:title>'


def test_a_new_packet_has_a_wrapper_and_the_property() -> None:
    packet = XmpPacket()
    packet.set(XMP_BASIC, "xmp", "CreatorTool", "a tool")
    text = bytes(packet).decode()
    assert text.startswith("<?xpacket begin=") and text.endswith('<?xpacket end="w"?>')
    assert XmpPacket(bytes(packet)).get(XMP_BASIC, "CreatorTool") == "a tool"


def test_what_is_there_stays_with_its_prefixes() -> None:
    packet = XmpPacket(xmp('photoshop:City="Oslo"', 'xmp:Rating="3"', TITLE))
    packet.set(IPTC_EXTENSION, "Iptc4xmpExt", "DigitalSourceType", COMPOSITE)
    text = bytes(packet).decode()
    assert TITLE in text and 'photoshop:City="Oslo"' in text and 'xmp:Rating="3"' in text
    assert f'Iptc4xmpExt:DigitalSourceType="{COMPOSITE}"' in text and "ns0" not in text


@pytest.mark.parametrize("old", ['xmp:CreatorTool="old"', "<xmp:CreatorTool>old</xmp:CreatorTool>"])
def test_a_property_replaces_both_ways_of_writing_it(old: str) -> None:
    packet = XmpPacket(xmp(old))
    assert packet.get(XMP_BASIC, "CreatorTool") == "old"
    packet.set(XMP_BASIC, "xmp", "CreatorTool", "new")
    assert bytes(packet).count(b"CreatorTool") == 1 and packet.get(XMP_BASIC, "CreatorTool") == "new"


def test_a_namespace_under_another_prefix_is_used_as_it_is() -> None:
    data = xmp().replace(b"xmlns:photoshop=", b"xmlns:ps=")
    packet = XmpPacket(data)
    packet.set(PHOTOSHOP, "photoshop", "Credit", "x")
    assert b'ps:Credit="x"' in bytes(packet)


def test_a_prefix_that_means_something_else_is_not_taken() -> None:
    data = xmp().replace(
        b'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"', b'xmlns:photoshop="urn:other"'
    )
    packet = XmpPacket(data)
    packet.set(PHOTOSHOP, "photoshop", "Credit", "x")
    assert XmpPacket(bytes(packet)).get(PHOTOSHOP, "Credit") == "x"


def test_line_ends_and_quotes_in_values_survive() -> None:
    value = 'one\ntwo\tthree "four" <five> & six'
    packet = XmpPacket()
    packet.set(DC, "dc", "source", value)
    again = XmpPacket(bytes(packet))
    again.set(XMP_BASIC, "xmp", "Rating", "1")
    assert XmpPacket(bytes(again)).get(DC, "source") == value


def test_removing_reaches_every_depth() -> None:
    inner = '<dc:source rdf:parseType="Resource"><exif:GPSLatitude>48,8N</exif:GPSLatitude></dc:source>'
    packet = XmpPacket(xmp('exif:GPSLongitude="2,3E"', 'exif:ISO="100"', inner))
    assert packet.remove(EXIF, re.compile("GPS.*"))
    assert b"GPS" not in bytes(packet) and b'exif:ISO="100"' in bytes(packet)
    assert not packet.remove(EXIF, re.compile("GPS.*"))


@pytest.mark.parametrize(
    "data",
    [
        b"not xml",
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
        b"<a>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        xmp()[:-60],
        b"<a>" * 20000 + b"</a>" * 20000,
    ],
)
def test_damaged_and_dangerous_packets_are_refused(data: bytes) -> None:
    with pytest.raises(XmpError):
        XmpPacket(data)


def test_utf16_packets_are_read() -> None:
    text = xmp('xmp:CreatorTool="Ünïcode"').decode().replace("\ufeff", "")
    assert XmpPacket(text.encode("utf-16")).get(XMP_BASIC, "CreatorTool") == "Ünïcode"


def test_the_mark_says_what_iptc_asks_for_and_is_made_once() -> None:
    packet = XmpPacket(xmp('photoshop:Credit="Jane Doe"'))
    mark(packet, Provenance(tool="realedit 1.0"))
    once = bytes(packet)
    mark(packet, Provenance(tool="realedit 1.0"))
    assert bytes(packet) == once and marked(once) and not marked(xmp()) and not marked(b"junk")
    assert packet.get(IPTC_EXTENSION, "DigitalSourceType") == COMPOSITE
    assert packet.get(XMP_BASIC, "CreatorTool") == "realedit 1.0"
    credit = packet.get(PHOTOSHOP, "Credit")
    assert credit is not None and credit.startswith("Jane Doe; ") and "AI" in credit


def test_a_wholly_generated_picture_keeps_saying_so() -> None:
    kind = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    packet = XmpPacket(xmp(f'Iptc4xmpExt:DigitalSourceType="{kind}"'))
    mark(packet, Provenance())
    assert packet.get(IPTC_EXTENSION, "DigitalSourceType") == kind
    assert XmpPacket(xmp('Iptc4xmpExt:DigitalSourceType="x/digitalCapture"')).get(
        IPTC_EXTENSION, "DigitalSourceType"
    )
