"""Photos and their parts made by hand, as far as possible without the code that is tested."""

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pillow_heif
import tifffile
from numpy.typing import NDArray
from PIL import Image

SIZE = (59, 41)  # width, height: no multiple of any block, and neither square nor symmetric
_ORDERS = {"<": b"II", ">": b"MM"}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def picture(size: tuple[int, int] = SIZE, depth: int = 8, channels: int = 3) -> NDArray[Any]:
    """A colourful picture [h, w, channels] without symmetry; the channels are grey, grey + opacity, RGB or
    RGBA.
    """
    width, height = size
    y, x = np.mgrid[:height, :width] / max(size)
    waves = [
        0.5 + 0.45 * np.sin(9 * x + 5 * y),
        0.5 + 0.45 * np.cos(7 * y - 3 * x * x),
        0.9 * x * (1 - y) + 0.05,
    ]
    colour = np.stack(waves, axis=-1)
    colour[height // 3 : height // 2, width // 4 : width // 3] = (0.9, 0.1, 0.2)
    opacity = np.where(x > 0.3, 1.0, 0.4)[..., None]
    grey = colour.mean(axis=-1, keepdims=True)
    made = {1: [grey], 2: [grey, opacity], 3: [colour], 4: [colour, opacity]}[channels]
    full = (1 << depth) - 1
    return np.rint(np.concatenate(made, axis=-1) * full).astype(np.uint16 if depth > 8 else np.uint8)


def pillow(pixels: NDArray[np.uint8]) -> Image.Image:
    """8-bit pixels [h, w, c] as a Pillow image."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def jpeg(pixels: NDArray[np.uint8] | None = None, mode: str = "RGB", **options: Any) -> bytes:
    """A JPEG by Pillow."""
    buffer = io.BytesIO()
    options = {"quality": 90, **options}
    pillow(picture() if pixels is None else pixels).convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def sampled_jpeg(factor: int, pixels: NDArray[np.uint8] | None = None) -> bytes:
    """A JPEG by OpenCV with one of its sampling factors."""
    bgr = (picture() if pixels is None else pixels)[..., ::-1]
    return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor])[1])


def with_segments(data: bytes, *segments: tuple[int, bytes]) -> bytes:
    """A JPEG with (marker, payload) segments put in behind its start."""
    added = b"".join(struct.pack(">BBH", 0xFF, marker, len(p) + 2) + p for marker, p in segments)
    return data[:2] + added + data[2:]


def exif_segment(block: bytes) -> tuple[int, bytes]:
    """An APP1 segment with an EXIF block."""
    return 0xE1, b"Exif\x00\x00" + block


def xmp_segment(packet: bytes) -> tuple[int, bytes]:
    """An APP1 segment with an XMP packet."""
    return 0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + packet


def icc_segment(profile: bytes) -> tuple[int, bytes]:
    """An APP2 segment with a whole profile."""
    return 0xE2, b"ICC_PROFILE\x00\x01\x01" + profile


def exif_block(
    orientation: int = 1,
    *,
    order: str = ">",
    gps: bool = False,
    thumbnail: bytes | None = None,
    maker_note: bytes | None = None,
    sides: tuple[int, int] | None = None,
) -> bytes:
    """An EXIF block with a camera's name, an orientation and what is asked for."""
    root: list[tuple[int, int, int, bytes]] = [
        (0x010F, 2, 7, b"Camera\x00"),
        (0x0112, 3, 1, struct.pack(order + "H", orientation)),
    ]
    inner: list[tuple[int, int, int, bytes]] = [(0x9003, 2, 20, b"2024:05:06 07:08:09\x00")]
    if maker_note is not None:
        inner.append((0x927C, 7, len(maker_note), maker_note))
    for tag, side in zip((0xA002, 0xA003), sides or (), strict=False):
        inner.append((tag, 4, 1, struct.pack(order + "I", side)))
    place = [(1, 2, 2, b"N\x00"), (2, 5, 3, struct.pack(order + "6I", 48, 1, 8, 1, 15, 1))]
    children = [(0x8769, inner)] + ([(0x8825, place)] if gps else [])
    at = 8 + 2 + 12 * (len(root) + len(children)) + 4 + _extra(root)
    tail = b""
    for tag, entries in children:
        root.append((tag, 4, 1, struct.pack(order + "I", at + len(tail))))
        tail += directory(entries, at + len(tail), order, 0)
    following = at + len(tail) if thumbnail is not None else 0
    block = _ORDERS[order] + struct.pack(order + "HI", 42, 8) + directory(root, 8, order, following) + tail
    if thumbnail is None:
        return block
    start = len(block) + 2 + 12 * 3 + 4
    entries = [(0x0103, 3, 1, struct.pack(order + "H", 6))]
    entries += [(0x0201, 4, 1, struct.pack(order + "I", start))]
    entries += [(0x0202, 4, 1, struct.pack(order + "I", len(thumbnail)))]
    return block + directory(entries, len(block), order, 0) + thumbnail


def _extra(entries: list[tuple[int, int, int, bytes]]) -> int:
    return sum(len(data) + (len(data) & 1) for *_, data in entries if len(data) > 4)


def directory(entries: list[tuple[int, int, int, bytes]], at: int, order: str, following: int) -> bytes:
    """A TIFF directory at an offset: entries (tag, type, count, bytes), and where the next one is."""
    head, values = struct.pack(order + "H", len(entries)), b""
    start = at + 2 + 12 * len(entries) + 4
    for tag, kind, count, data in sorted(entries):
        head += struct.pack(order + "HHI", tag, kind, count)
        if len(data) <= 4:
            head += data.ljust(4, b"\x00")
        else:
            head += struct.pack(order + "I", start + len(values))
            values += data + b"\x00" * (len(data) & 1)
    return head + struct.pack(order + "I", following) + values


def png(
    pixels: NDArray[Any],
    depth: int = 8,
    *,
    palette: bytes | None = None,
    transparent: bytes | None = None,
    interlaced: bool = False,
    before: tuple[tuple[bytes, bytes], ...] = (),
    after: tuple[tuple[bytes, bytes], ...] = (),
) -> bytes:
    """A PNG of any type and depth from pixels [h, w, c], unfiltered; `before` and `after` are further
    chunks.
    """
    height, width, channels = pixels.shape
    kind = 3 if palette is not None else {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))
    parts = [(x, y, dx, dy) for x, y, dx, dy in _PASSES] if interlaced else [(0, 0, 1, 1)]
    rows = b"".join(_png_rows(pixels[y::dy, x::dx], depth) for x, y, dx, dy in parts)
    chunks = [(b"IHDR", header), *before]
    if palette is not None:
        chunks.append((b"PLTE", palette))
    if transparent is not None:
        chunks.append((b"tRNS", transparent))
    chunks += [(b"IDAT", zlib.compress(rows)), *after, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png_rows(pixels: NDArray[Any], depth: int) -> bytes:
    if 0 in pixels.shape:
        return b""
    flat = pixels.reshape(len(pixels), -1)
    if depth == 16:
        coded = flat.astype(">u2").view(np.uint8)
    elif depth == 8:
        coded = flat.astype(np.uint8)
    else:
        bits = (flat[..., None] >> np.arange(depth - 1, -1, -1)) & 1
        coded = np.packbits(bits.reshape(len(flat), -1).astype(np.uint8), axis=1)
    return b"".join(b"\x00" + row.tobytes() for row in coded)


def tiff(pixels: NDArray[Any], **options: Any) -> bytes:
    """A TIFF by tifffile."""
    buffer = io.BytesIO()
    photometric = "rgb" if pixels.shape[2] >= 3 else "minisblack"
    options = {"photometric": photometric, "metadata": None, "byteorder": "<", **options}
    tifffile.imwrite(buffer, pixels[..., 0] if pixels.shape[2] == 1 else pixels, **options)
    return buffer.getvalue()


def saved(pixels: NDArray[np.uint8], kind: str, **options: Any) -> bytes:
    """Any format that Pillow writes."""
    buffer = io.BytesIO()
    pillow(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def heic(pixels: NDArray[Any], **options: Any) -> bytes:
    """A HEIC by pillow-heif."""
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[pixels.shape[2]] + (";16" if pixels.dtype == np.uint16 else "")
    buffer = io.BytesIO()
    size = pixels.shape[1], pixels.shape[0]
    pillow_heif.encode(
        mode, size, np.ascontiguousarray(pixels).tobytes(), buffer, **{"quality": 90, **options}
    )
    return buffer.getvalue()


def xmp(*properties: str) -> bytes:
    """An XMP packet whose one description has `properties`, each an attribute or an element of it."""
    namespaces = (
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/" '
        'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" '
        'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    )
    attributes = " ".join(p for p in properties if not p.startswith("<"))
    elements = "".join(p for p in properties if p.startswith("<"))
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {namespaces} {attributes}>{elements}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>" + " " * 40 + '<?xpacket end="w"?>'
    ).encode()


def image_resource(number: int, content: bytes) -> bytes:
    """A Photoshop image resource without a name."""
    return b"8BIM" + struct.pack(">HHI", number, 0, len(content)) + content + b"\x00" * (len(content) & 1)


def table_profile(back: bool = True) -> bytes:
    """An RGB profile that is made of tables and not of a matrix: linear light with Adobe's primaries.

    A2B0 is a table of the eight corners, B2A0 a matrix before a table that changes nothing (ICC.1 10.10,
    lut16Type).
    """
    matrix = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])
    corners = np.array([[r, g, b] for r in (0, 1) for g in (0, 1) for b in (0, 1)])
    one = 32768 / 65535  # 1.0 of an XYZ value in 16 bits
    to_xyz = _lut16(np.eye(3), corners @ matrix.T * one)
    from_xyz = _lut16(np.linalg.inv(matrix) / one / 1.0, corners.astype(float), scale=one)
    tags = {
        b"A2B0": to_xyz,
        b"B2A0": from_xyz,
        b"wtpt": b"XYZ \x00\x00\x00\x00" + struct.pack(">3i", 63190, 65536, 54061),
    }
    if not back:
        del tags[b"B2A0"]
    table, body = struct.pack(">I", len(tags)), b""
    for tag, content in tags.items():
        table += struct.pack(">4sII", tag, 132 + 12 * len(tags) + len(body), len(content))
        body += content + b"\x00" * (-len(content) % 4)
    head = struct.pack(
        ">I4s4s4s4s4s", 128 + len(table) + len(body), bytes(4), b"\x02\x40\x00\x00", b"prtr", b"RGB ", b"XYZ "
    )
    head = head.ljust(36, b"\x00") + b"acsp"
    return head.ljust(68, b"\x00") + struct.pack(">3i", 63190, 65536, 54061) + bytes(48) + table + body


def _lut16(matrix: NDArray[np.float64], corners: NDArray[np.float64], scale: float = 1.0) -> bytes:
    coefficients = [round(v * scale * 65536) for v in matrix.reshape(-1)]
    head = (
        b"mft2"
        + bytes(4)
        + bytes((3, 3, 2, 0))
        + struct.pack(">9i", *coefficients)
        + struct.pack(">HH", 2, 2)
    )
    ramp = struct.pack(">6H", *(0, 65535) * 3)
    levels = np.clip(np.rint(corners * 65535), 0, 65535).astype(">u2").tobytes()
    return head + ramp + levels + ramp


def grey_profile(gamma: float) -> bytes:
    """A grey profile with one gamma for its curve."""
    tags = {
        b"kTRC": b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)),
        b"wtpt": b"XYZ \x00\x00\x00\x00" + struct.pack(">3i", 63190, 65536, 54061),
    }
    table, body = struct.pack(">I", len(tags)), b""
    for tag, content in tags.items():
        table += struct.pack(">4sII", tag, 132 + 12 * len(tags) + len(body), len(content))
        body += content + b"\x00" * (-len(content) % 4)
    head = struct.pack(
        ">I4s4s4s4s4s", 128 + len(table) + len(body), bytes(4), b"\x02\x40\x00\x00", b"mntr", b"GRAY", b"XYZ "
    )
    return (
        (head.ljust(36, b"\x00") + b"acsp").ljust(68, b"\x00")
        + struct.pack(">3i", 63190, 65536, 54061)
        + bytes(48)
        + table
        + body
    )
