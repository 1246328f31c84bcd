"""WebP, lossy and lossless, with opacity, through Pillow."""

import io
import struct
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.WebPImagePlugin import WebPImageFile

from realedit.photos.decoded import Decoded, UnreadableError, check_size, pillow_pixels
from realedit.photos.metadata import Metadata
from realedit.photos.picture import Picture

_QUALITY = 95


def read(data: bytes, max_pixels: int) -> Decoded:
    """The picture of a WebP, the first one of an animation."""
    chunks = _chunks(data)
    with WebPImageFile(io.BytesIO(data)) as image:
        check_size(image.width, image.height, max_pixels)
        frames = getattr(image, "n_frames", 1)
        pixels = pillow_pixels(image, "RGBA" if "A" in image.mode else "RGB")
    exif = chunks.get(b"EXIF")
    metadata = Metadata(
        exif=exif.removeprefix(b"Exif\x00\x00") if exif else None,
        xmp=chunks.get(b"XMP "),
        icc=chunks.get(b"ICCP"),
    )
    warnings = ("it is animated; only the first frame is used",) if frames > 1 else ()
    stale = ("a C2PA manifest (content credentials)",) if b"C2PA" in chunks else ()
    return Decoded(pixels, metadata, warnings=warnings, stale=stale)


def is_lossless(data: bytes) -> bool:
    """Whether the picture of a WebP is coded without loss."""
    return b"VP8L" in _chunks(data)


def write(out: BinaryIO, picture: Picture, metadata: Metadata, original: bytes | None) -> tuple[str, ...]:
    """Write a WebP; without loss where `original` is, else at quality 95."""
    lossless = original is not None and is_lossless(original)
    pixels = picture.to_8bit().whole()
    if pixels.shape[2] < 3:
        pixels = np.concatenate([np.repeat(pixels[..., :1], 3, axis=2), pixels[..., 1:]], axis=2)
    mode = "RGBA" if pixels.shape[2] == 4 else "RGB"
    image = Image.frombuffer(mode, (pixels.shape[1], pixels.shape[0]), pixels, "raw", mode, 0, 1)
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


def _chunks(data: bytes) -> dict[bytes, bytes]:
    """The chunks of the RIFF container, the first of each kind."""
    size = int.from_bytes(data[4:8], "little") + 8
    if size > len(data):
        raise UnreadableError("it ends early")
    chunks: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= size:
        kind, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > size:
            raise UnreadableError("it ends early")
        chunks.setdefault(kind, data[at + 8 : at + 8 + length])
        at += 8 + length + (length & 1)
    return chunks
