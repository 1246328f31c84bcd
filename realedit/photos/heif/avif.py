"""AVIF through Pillow, 8 bits; written again as a whole."""

import io
from dataclasses import replace
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile

from realedit.photos.heif.boxes import contents
from realedit.photos.heif.heic import hdr_of, implied_profile
from realedit.photos.metadata import exif
from realedit.photos.metadata.metadata import Metadata
from realedit.photos.shared.decoded import Decoded, check_size, pillow_pixels
from realedit.photos.shared.picture import Picture

QUALITY = 90


def read(data: bytes, max_pixels: int) -> Decoded:
    """The picture of an AVIF, the first one of a sequence."""
    inside = contents(data)
    with AvifImageFile(io.BytesIO(data)) as image:
        check_size(image.width, image.height, max_pixels)
        frames = getattr(image, "n_frames", 1)
        pixels = pillow_pixels(image, "RGBA" if "A" in image.mode else "RGB")
        info = dict(image.info)
    block = info.get("exif")
    metadata = Metadata(
        exif=block.removeprefix(b"Exif\x00\x00") if block else None,
        xmp=info.get("xmp"),
        icc=info.get("icc_profile"),
    )
    implied, warnings = implied_profile(inside) if metadata.icc is None else (None, ())
    if hdr_of(inside.primaries) is not None:
        metadata = replace(metadata, nclx=inside.primaries)
    if inside.depth > 8:
        warnings += (f"its {inside.depth} bits per channel are read as 8",)
    if frames > 1:
        warnings += ("it is animated; only the first frame is used",)
    stale = []
    if inside.signed:
        stale.append("a C2PA manifest (content credentials)")
    if inside.video:
        stale.append("a motion photo's video")
    if b"tmap" in inside.items:
        stale.append("an HDR gain map")
    return Decoded(pixels, metadata, warnings=warnings, stale=tuple(stale), implied_icc=implied)


def write(out: BinaryIO, picture: Picture, metadata: Metadata) -> tuple[str, ...]:
    """Write an upright picture as an AVIF of 8 bits."""
    pixels = picture.to_8bit().whole()
    if pixels.shape[2] < 3:
        pixels = np.ascontiguousarray(pixels[..., [0, 0, 0] if pixels.shape[2] == 1 else [0, 0, 0, 1]])
    mode = "RGBA" if pixels.shape[2] == 4 else "RGB"
    image = Image.frombuffer(mode, (pixels.shape[1], pixels.shape[0]), pixels, "raw", mode, 0, 1)
    image.save(
        out,
        "AVIF",
        quality=QUALITY,
        speed=7,
        exif=exif.without_orientation(metadata.exif) or b"",
        xmp=metadata.xmp or b"",
        icc_profile=metadata.icc or b"",
    )
    return (f"AVIF is encoded anew as a whole, at quality {QUALITY}",)
