"""The texts of a PNG, and the blocks of metadata that programs hide in them.

Source: PNG (third edition), section 11.3.3; ISO 16684-3 section 1.1.5 (XMP in PNG); ImageMagick's
coders/png.c ("Raw profile type"), which is how a PNG holds IPTC.
"""

import re
import zlib
from dataclasses import dataclass

from realedit.photos.metadata import iptc
from realedit.photos.png.chunks import Chunk, ChunkError, inflate

LIMIT = 64 << 20
"""No compressed chunk grows beyond this."""
TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
XMP_KEYWORD = "XML:com.adobe.xmp"
_RAW_PROFILE = re.compile(r"Raw profile type (exif|xmp|iptc|8bim|app1)", re.IGNORECASE)
_EXIF_HEAD, _XMP_HEAD = b"Exif\x00\x00", b"http://ns.adobe.com/xap/1.0/\x00"
_LINE = 72


@dataclass(frozen=True)
class Block:
    """A block of metadata in a text: `exif`, `xmp` or `iptc` (image resources), and its bytes."""

    kind: str
    data: bytes


def read_text(chunk: Chunk) -> tuple[str, str]:
    """(keyword, text) of a text chunk. ChunkError, ValueError or IndexError where it is damaged."""
    keyword, rest = bytes(chunk.data).split(b"\x00", 1)
    if chunk.kind == b"tEXt":
        text = rest.decode("latin-1")
    elif chunk.kind == b"zTXt":
        text = inflate(rest[1:], LIMIT).decode("latin-1")
    else:
        compressed = rest[0]
        _, _, body = rest[2:].split(b"\x00", 2)
        text = (inflate(body, LIMIT) if compressed else body).decode()
    return keyword.decode("latin-1"), text


def block_in(keyword: str, text: str) -> Block | None:
    """The block of metadata that a text is; None for a text that is only that."""
    if keyword == XMP_KEYWORD:
        return Block("xmp", text.encode())
    found = _RAW_PROFILE.fullmatch(keyword.strip())
    if found is None:
        return None
    try:
        _, _, digits = text.strip().split("\n", 2)
        data = bytes.fromhex(re.sub(r"\s", "", digits))
    except ValueError as error:
        raise ChunkError("a raw profile that is damaged") from error
    if data.startswith(_XMP_HEAD):
        return Block("xmp", data.removeprefix(_XMP_HEAD))
    if data.startswith(_EXIF_HEAD) or data[:4] in (b"II*\x00", b"MM\x00*"):
        return Block("exif", data.removeprefix(_EXIF_HEAD))
    kind = found.group(1).lower()
    if kind in ("iptc", "8bim"):
        return Block("iptc", iptc.as_resource(data) if data[:1] == b"\x1c" else data)
    if kind == "xmp":
        return Block("xmp", data)
    raise ChunkError("a raw profile of an unknown kind")


def is_block(chunk: Chunk) -> bool:
    """Whether a chunk is a text that holds a block of metadata."""
    keyword = bytes(chunk.data[:80]).split(b"\x00", 1)[0].decode("latin-1")
    named = keyword == XMP_KEYWORD or _RAW_PROFILE.fullmatch(keyword.strip()) is not None
    return chunk.kind in TEXT_CHUNKS and named


def text_chunk(keyword: str, text: str) -> tuple[bytes, bytes]:
    """A text as a chunk; the keyword cut to what a PNG takes."""
    name = keyword.encode("latin-1", "replace")[:79]
    return b"iTXt", name + b"\x00\x00\x00\x00\x00" + text.encode()


def xmp_chunk(packet: bytes) -> tuple[bytes, bytes]:
    """An XMP packet as a chunk."""
    return b"iTXt", XMP_KEYWORD.encode() + b"\x00\x00\x00\x00\x00" + packet


def iptc_chunk(resources: bytes) -> tuple[bytes, bytes]:
    """Image resources as a chunk."""
    digits = resources.hex()
    lines = [digits[at : at + _LINE] for at in range(0, len(digits), _LINE)]
    text = "\n".join(["", "iptc", f"{len(resources):8}", *lines, ""])
    return b"zTXt", b"Raw profile type iptc\x00\x00" + zlib.compress(text.encode(), 9)
