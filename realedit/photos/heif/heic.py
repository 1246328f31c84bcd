"""HEIC, 8 to 12 bits, through pillow-heif; written as a whole, since HEVC keeps no block apart.

The decoder turns pictures upright, whatever the file says; so they are held and written upright.
"""

import io
from typing import Any, BinaryIO

import numpy as np
import pillow_heif
from numpy.typing import NDArray

from realedit.photos.colour import icc
from realedit.photos.heif.boxes import Contents, contents
from realedit.photos.metadata import exif
from realedit.photos.metadata.metadata import Metadata
from realedit.photos.shared.decoded import Decoded, UnreadableError, check_size
from realedit.photos.shared.layout import straightened
from realedit.photos.shared.picture import Picture

QUALITY = 92
"""Of HEIC that is written; measured on portraits, about what phones use."""
_PRESET = "ultrafast"
"""x265's; at this quality the slower ones give the same PSNR in a tenth less space and six times the time."""
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_GAIN_MAPS = ("hdrgainmap", "gainmap")


def read(data: bytes, max_pixels: int) -> Decoded:
    """The primary picture of a HEIC."""
    inside = contents(data)
    heif = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    image = heif[heif.primary_index]
    width, height = image.size
    check_size(width, height, max_pixels)
    pixels = np.asarray(image)
    pixels = pixels.reshape(len(pixels), -1, 1) if pixels.ndim == 2 else pixels
    if image.premultiplied_alpha:  # the whole picture is encoded anew in any case, then with straight colours
        pixels = np.concatenate([straightened(pixels[..., :3], pixels[..., 3:]), pixels[..., 3:]], axis=2)
    if pixels.shape[:2] != (height, width):
        raise UnreadableError("its picture data are damaged or cut short")
    block = image.info.get("exif")
    metadata = Metadata(
        exif=exif.with_orientation(block.removeprefix(b"Exif\x00\x00"), 1) if block else None,
        xmp=image.info.get("xmp"),
        icc=image.info.get("icc_profile"),
        nclx=inside.primaries,
    )
    implied, warnings = implied_profile(inside) if metadata.icc is None else (None, ())
    return Decoded(
        pixels,
        metadata,
        orientation=1,
        depth=int(image.info["bit_depth"]),
        stale=_stale(inside, image.info, len(heif)),
        implied_icc=implied,
        warnings=warnings,
    )


def implied_profile(inside: Contents) -> tuple[bytes | None, tuple[str, ...]]:
    """The ICC profile of the primaries that a file names by number, and a warning where they mean HDR."""
    if inside.primaries is None:
        return None, ()
    primaries, transfer = inside.primaries[:2]
    if (name := hdr_of(inside.primaries)) is not None:
        return None, (
            f"it is HDR ({name}); it is edited as it is, and faces are looked for without tone mapping",
        )
    return icc.profile_of_code_points(primaries, transfer), ()


def hdr_of(code_points: tuple[int, ...] | None) -> str | None:
    """PQ or HLG, where the transfer among these code points (ITU-T H.273) is one of them."""
    return {16: "PQ", 18: "HLG"}.get(code_points[1]) if code_points is not None else None


def _stale(inside: Contents, info: dict[str, Any], pictures: int) -> tuple[str, ...]:
    found = []
    if inside.signed:
        found.append("a C2PA manifest (content credentials)")
    auxiliary = [str(name).lower() for name in info.get("aux", {})]
    if inside.video:
        found.append("a motion photo's video")
    if b"tmap" in inside.items or any(mark in name for name in auxiliary for mark in _GAIN_MAPS):
        found.append("an HDR gain map")
    if info.get("depth_images"):
        found.append("a depth map")
    others = [name for name in auxiliary if not any(m in name for m in (*_GAIN_MAPS, "alpha", "depth"))]
    if others:
        found.append(f"{len(others)} mattes and other auxiliary pictures")
    if pictures > 1:
        found.append(f"{pictures - 1} further pictures")
    return tuple(found)


def can_write() -> bool:
    """Whether this build of pillow-heif has a HEVC encoder."""
    return bool(pillow_heif.libheif_info().get("HEIF"))


def write(
    out: BinaryIO, picture: Picture, metadata: Metadata, depth: int, original: bytes | None
) -> tuple[str, ...]:
    """Write an upright picture; 16-bit ones get `depth` bits, 10 at least and 12 at most.

    The colours are sampled as in `original`, the HEIC it came from, if it was one, else by half in both
    directions.
    """
    pixels = _with_known_channels(picture.whole())
    mode = _MODES[pixels.shape[2]]
    warnings = [f"HEIC is encoded anew as a whole, at quality {QUALITY}"]
    extra: dict[str, Any] = {"chroma": _chroma(original), "enc_params": {"preset": _PRESET}}
    if picture.dtype == np.uint16:
        mode += ";16"
        extra["bit_depth"] = min(max(depth, 10), 12)
        if depth > 12:
            extra["bit_depth"] = 12
            warnings.append("HEIC has 12 bits per channel at most; the photo's 16 were rounded")
    if metadata.nclx is not None:
        keys = ("color_primaries", "transfer_characteristics", "matrix_coefficients", "full_range_flag")
        extra["nclx_profile"] = dict(zip(keys, metadata.nclx, strict=True))
    pillow_heif.encode(
        mode,
        (picture.width, picture.height),
        pixels.reshape(-1).view(np.uint8).data,
        out,
        quality=QUALITY,
        exif=metadata.exif,
        xmp=metadata.xmp,
        icc_profile=metadata.icc,
        **extra,
    )
    return tuple(warnings)


def _chroma(original: bytes | None) -> int:
    if original is None:
        return 420
    heif = pillow_heif.open_heif(io.BytesIO(original), convert_hdr_to_8bit=False)
    return int(heif[heif.primary_index].info.get("chroma", 420))


def _with_known_channels(pixels: NDArray[Any]) -> NDArray[Any]:
    """Grey with opacity as RGB with opacity; all else as it is."""
    if pixels.shape[2] != 2:
        return pixels
    return np.ascontiguousarray(pixels[..., [0, 0, 0, 1]])
