"""Every block of every format goes into every other one, or is named as what it cannot hold."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from realedit.photos import Provenance, read_photo, write_photo
from realedit.photos.jpeg.segments import read_segments
from realedit.photos.metadata.xmp import XmpPacket
from realedit.photos.metadata.xmp_extended import joined, split
from tests.realedit.photos import builders as make
from tests.realedit.photos import carriers, corpus, phones
from tests.realedit.photos.carriers import KINDS
from tests.realedit.photos.metadata.test_metadata import edited

DC, PHOTOSHOP = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/photoshop/1.0/"
LONG = carriers.packet('dc:source="' + "long " * 40000 + '"', 'photoshop:Headline="Rain"')
NOTE = b"A note of the maker " * 5000
RESOURCES = make.image_resource(0x0404, carriers.records((80, "Jane Doe"))) + make.image_resource(
    0x0BB7, b"Path one"
)


def with_text(kind: str) -> bytes:
    """A photo with a text of the kind that its format has."""
    if kind == ".jpg":
        return make.with_segments(carriers.carrier(kind), (0xFE, b"Words about it"))
    return make.png(make.picture(), after=((b"tEXt", b"Title\x00Words about it"),))


def with_resolution(kind: str) -> bytes:
    """A photo that states a resolution beside its EXIF block."""
    if kind == ".jpg":
        return make.jpeg(dpi=(300, 200))
    return make.png(make.picture(), before=((b"pHYs", struct.pack(">IIB", 11811, 7874, 1)),))


def with_foreign(kind: str) -> bytes:
    """A photo with a block that only its own format has."""
    if kind == ".jpg":
        return make.with_segments(make.jpeg(), (0xE7, b"Words about it"))
    if kind == ".png":
        return make.png(make.picture(), after=((b"woRd", b"Words about it"),))
    return carriers.webp_with(b"WORD", b"Words about it")


def with_profile(kind: str) -> bytes:
    """A photo with a colour profile of more than one segment of a JPEG holds."""
    profile = corpus.profiles()["p3"]
    profile = (len(profile) + 100_000).to_bytes(4, "big") + profile[4:] + b"Words about it" + bytes(99_986)
    if kind == ".png":
        return make.png(make.picture(), before=((b"iCCP", b"P3\x00\x00" + zlib.compress(profile)),))
    return make.tiff(make.picture(), iccprofile=profile)


@dataclass(frozen=True)
class Block:
    """A kind of block: the formats that have it, a photo with it, what must be found of it, and its name."""

    kinds: tuple[str, ...]
    build: Callable[[str], bytes]
    content: bytes
    name: str


LONG_EXIF = ([], [(0x927C, 7, len(NOTE), NOTE)], [])
BLOCKS = {
    "xmp": Block(KINDS[1:], lambda kind: carriers.carrier(kind, xmp=LONG), b"long long long ", "XMP"),
    "exif": Block(KINDS[1:], lambda kind: carriers.carrier(kind, exif=LONG_EXIF), NOTE, "EXIF"),
    "iptc": Block(KINDS[:3], lambda kind: carriers.carrier(kind, iptc=RESOURCES), b"Path one", "IPTC"),
    "text": Block((".jpg", ".png"), with_text, b"Words about it", "texts"),
    "foreign": Block((".jpg", ".png", ".webp"), with_foreign, b"Words about it", "the "),
    "profile": Block((".png", ".tif"), with_profile, b"Words about it", "ICC"),
}
CASES = [(name, kind) for name, block in BLOCKS.items() for kind in block.kinds]


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_block_is_held_or_named(name: str, kind: str, target: str, tmp_path: Path) -> None:
    block, source = BLOCKS[name], tmp_path / f"photo{kind}"
    source.write_bytes(block.build(kind))
    report = write_photo(edited(read_photo(source)), tmp_path / f"out{target}", provenance=Provenance())
    found = read_photo(report.path).metadata
    said = [warning for warning in report.warnings if "hold" in warning or "too large" in warning]
    texts = " ".join(words for _, words in found.text).encode()
    blocks = (found.exif, found.xmp, found.iptc, found.icc, texts, report.path.read_bytes())
    held = block.content in b"".join(filter(None, blocks))
    assert held != any(block.name in warning for warning in said), report.warnings
    if name == "xmp":
        packet = XmpPacket(found.xmp)
        assert packet.get(DC, "source") == "long " * 40000 and packet.get(PHOTOSHOP, "Headline") == "Rain"


@pytest.mark.parametrize("kind", [".jpg", ".png"])
@pytest.mark.parametrize("target", KINDS)
def test_a_resolution_is_held(kind: str, target: str, tmp_path: Path) -> None:
    source = tmp_path / f"photo{kind}"
    source.write_bytes(with_resolution(kind))
    report = write_photo(edited(read_photo(source)), tmp_path / f"out{target}", provenance=Provenance())
    found = read_photo(report.path).metadata
    if target in (".jpg", ".png", ".tif"):
        assert found.dpi == pytest.approx((300, 200), abs=0.02)
    else:
        assert found.exif is not None
        assert struct.pack(">IIII", 300_000, 1000, 200_000, 1000) in _rounded(found.exif)
    assert not any("the resolution (" in warning for warning in report.warnings)


def _rounded(block: bytes) -> bytes:
    """The block with the fractions of a PNG's whole dots per metre rounded."""
    return block.replace(struct.pack(">I", 299_999), struct.pack(">I", 300_000))


def test_an_exif_block_without_the_resolution_names_it(tmp_path: Path) -> None:
    source = tmp_path / "photo.jpg"
    source.write_bytes(make.with_segments(make.jpeg(dpi=(300, 200)), make.exif_segment(make.exif_block())))
    report = write_photo(edited(read_photo(source)), tmp_path / "out.webp", provenance=None)
    assert any("the resolution (300 x 200 dpi)" in warning for warning in report.warnings)


def test_a_long_packet_is_split_by_the_standard() -> None:
    main, pieces = split(LONG, 60_000, 50_000)
    assert len(main) <= 60_000 and len(pieces) == 5 and all(len(piece) <= 50_040 for piece in pieces)
    packet = XmpPacket(main)
    assert packet.get(PHOTOSHOP, "Headline") == "Rain" and packet.get(DC, "source") is None
    whole, complete = joined(main, reversed(pieces))
    assert complete and XmpPacket(whole).get(DC, "source") == "long " * 40000
    assert joined(main, pieces[1:]) == (main, False)
    assert joined(packet.body().replace(b"HasExt", b"NoExt"), pieces)[1] is False
    assert split(LONG, 300_000, 50_000) == (LONG, [])


def test_structures_keep_their_prefixes_in_the_other_part() -> None:
    many = "".join(
        f"<dc:subject><rdf:Bag><rdf:li>{n} {'x' * 3000}</rdf:li></rdf:Bag></dc:subject>" for n in range(30)
    )
    main, pieces = split(carriers.packet(many.replace("dc:subject", "unheard:list")), 20_000, 65_000)
    whole, complete = joined(main, pieces)
    assert complete and whole is not None
    assert all(f">{n} xxx".encode() in whole for n in range(30)) and b"Jane Doe" in main


def test_a_jpeg_with_a_long_packet_keeps_its_two_parts(tmp_path: Path) -> None:
    content = phones.long_packet('photoshop:Headline="Rain"')
    source = tmp_path / "photo.jpg"
    source.write_bytes(make.with_segments(make.jpeg(), *phones.extended(content)))
    write_photo(edited(read_photo(source)), tmp_path / "out.jpg", provenance=Provenance())
    segments = read_segments((tmp_path / "out.jpg").read_bytes()).segments
    assert sum(b"ns.adobe.com/xmp/extension" in s.payload[:40] for s in segments) == 2
    packet = XmpPacket(read_photo(tmp_path / "out.jpg").metadata.xmp)
    assert packet.get(DC, "source") == "A" * 90000 and packet.get(PHOTOSHOP, "Headline") == "Rain"


def test_a_part_that_is_not_whole_is_named(tmp_path: Path) -> None:
    source = tmp_path / "photo.jpg"
    source.write_bytes(make.with_segments(make.jpeg(), *phones.extended(phones.long_packet())[:2]))
    report = write_photo(edited(read_photo(source)), tmp_path / "out.jpg", provenance=Provenance())
    assert any("an extended part of the XMP that is not whole" in warning for warning in report.warnings)
    assert b"HasExtendedXMP" not in report.path.read_bytes()
