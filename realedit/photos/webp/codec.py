"""WebP, lossy and lossless, with opacity, through Pillow."""

import io
import struct
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.WebPImagePlugin import WebPImageFile

from realedit.photos.metadata.metadata import Metadata
from realedit.photos.shared.decoded import Decoded, UnreadableError, check_size, swap_red_and_blue
from realedit.photos.shared.picture import Picture

_QUALITY = 95
_ROWS = 256
_KNOWN = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"EXIF", b"XMP ", b"ICCP", b"C2PA"})


def read(data: bytes, max_pixels: int) -> Decoded:
    """The picture of a WebP, the first one of an animation."""
    chunks, data, warnings = _container(data)
    with WebPImageFile(io.BytesIO(data)) as image:
        check_size(image.width, image.height, max_pixels)
        frames, size = getattr(image, "n_frames", 1), image.size
    # OpenCV decodes into the picture itself; Pillow takes an animation's canvases, 13 bytes per pixel more
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.shape[1::-1] != size or decoded.dtype != np.uint8:
        raise UnreadableError("its picture data are damaged")
    pixels = swap_red_and_blue(np.asarray(decoded, np.uint8))
    exif = chunks.get(b"EXIF")
    metadata = Metadata(
        exif=exif.removeprefix(b"Exif\x00\x00") if exif else None,
        xmp=chunks.get(b"XMP "),
        icc=chunks.get(b"ICCP"),
        others=tuple(
            f"the WebP chunk {kind.decode('latin-1').strip()}" for kind in chunks if kind not in _KNOWN
        ),
    )
    if frames > 1:
        warnings += ("it is animated; only the first frame is used",)
    stale = ("a C2PA manifest (content credentials)",) if b"C2PA" in chunks else ()
    return Decoded(pixels, metadata, warnings=warnings, stale=stale)


def is_lossless(data: bytes) -> bool:
    """Whether the picture of a WebP, the first one of an animation, is coded without loss."""
    chunks = _container(data)[0]
    return b"VP8L" in (_first_frame(chunks[b"ANMF"]) if b"ANMF" in chunks else chunks)


def with_true_length(data: bytes) -> bytes:
    """A WebP whose container states the length it has."""
    return _container(data)[1]


def write(out: BinaryIO, picture: Picture, metadata: Metadata, original: bytes | None) -> tuple[str, ...]:
    """Write a WebP; without loss where `original` is, else at quality 95."""
    lossless = original is not None and is_lossless(original)
    pixels = _four_channels(picture.to_8bit())
    mode = "RGBA" if picture.has_alpha else "RGBX"
    image = Image.frombuffer(mode, (picture.width, picture.height), pixels, "raw", mode, 0, 1)
    image.save(
        out,
        "WEBP",
        lossless=lossless,
        quality=_QUALITY,
        exact=True,
        method=4,
        exif=metadata.exif or b"",
        xmp=metadata.xmp or b"",
        icc_profile=metadata.icc or b"",
    )
    return () if lossless else (f"WebP with loss is encoded anew as a whole, at quality {_QUALITY}",)


def _four_channels(picture: Picture) -> NDArray[np.uint8]:
    """[h, w, 4], the last channel opacity or full: the layout that Pillow takes as it is, without a copy."""
    pixels = np.empty((picture.height, picture.width, 4), np.uint8)
    for top in range(0, picture.height, _ROWS):
        strip = picture.rows(top, min(top + _ROWS, picture.height))
        colours = strip.shape[2] - picture.has_alpha
        pixels[top : top + _ROWS, :, :3] = strip[..., :colours]  # grey is repeated
        pixels[top : top + _ROWS, :, 3] = strip[..., -1] if picture.has_alpha else 255
    return pixels


def _container(data: bytes) -> tuple[dict[bytes, bytes], bytes, tuple[str, ...]]:
    """(the chunks of the RIFF container, the first of each kind; its bytes with the length it has; warnings).

    The stated length may be wrong, as long as the chunks are whole; UnreadableError where one is cut short.
    """
    stated = int.from_bytes(data[4:8], "little") + 8
    chunks: dict[bytes, bytes] = {}
    at = 12
    while at < len(data) and at not in (stated, stated + (stated & 1)):
        kind, length = struct.unpack_from("<4sI", data, at) if at + 8 <= len(data) else (b"", len(data))
        if at + 8 + length > len(data):
            raise UnreadableError("it ends early")
        chunks.setdefault(kind, data[at + 8 : at + 8 + length])
        at += 8 + length + (length & 1)
    if at == stated <= len(data):
        return chunks, data, ()
    whole = data[:at].ljust(at, b"\x00")  # the last chunk may lack the zero that makes its length even
    whole = whole[:4] + struct.pack("<I", at - 8) + whole[8:]
    return chunks, whole, ("its container states a wrong length; the picture is whole",)


def _first_frame(animated: bytes) -> dict[bytes, bytes]:
    """The chunks in an animation's frame, the first of each kind. Source: WebP container, ANMF."""
    return _container(b"RIFF" + struct.pack("<I", len(animated) - 12) + b"ANMF" + animated[16:])[0]
