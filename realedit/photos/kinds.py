"""The kinds of files that photos are, and what every reader is held to; without any of the readers."""

from enum import StrEnum

MAX_PIXELS = 200_000_000


class Format(StrEnum):
    """The file formats photos are read from; all but RAW are written too."""

    JPEG = "JPEG"
    PNG = "PNG"
    TIFF = "TIFF"
    WEBP = "WebP"
    HEIC = "HEIC"
    AVIF = "AVIF"
    RAW = "RAW"


EXTENSIONS: dict[str, Format] = {
    ".jpg": Format.JPEG,
    ".jpeg": Format.JPEG,
    ".jpe": Format.JPEG,
    ".jfif": Format.JPEG,
    ".png": Format.PNG,
    ".tif": Format.TIFF,
    ".tiff": Format.TIFF,
    ".webp": Format.WEBP,
    ".heic": Format.HEIC,
    ".heif": Format.HEIC,
    ".hif": Format.HEIC,
    ".avif": Format.AVIF,
}
