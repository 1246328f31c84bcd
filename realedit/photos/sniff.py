"""What a file is, by its content; its name says nothing."""

from realedit.photos.photo import Format
from realedit.photos.raw.codec import is_raw

_BRANDS: dict[bytes, Format] = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"heif"), Format.HEIC),
    **dict.fromkeys((b"avif", b"avis"), Format.AVIF),
}
# formats that are known but not read, with what people call them
_KNOWN: tuple[tuple[int, bytes, str], ...] = (
    (0, b"GIF8", "a GIF"),
    (0, b"BM", "a BMP"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"%PDF", "a PDF"),
    (0, b"\xff\x0a", "a JPEG XL"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"<svg", "an SVG drawing"),
    (4, b"ftyp", "a video or another file of the MP4 family"),
)


def sniff(data: bytes) -> Format | None:
    """The photo format of a file that starts with `data`, or None."""
    if is_raw(data):
        return Format.RAW
    if data[:3] == b"\xff\xd8\xff":
        return Format.JPEG
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return Format.PNG
    if data[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        return Format.TIFF
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Format.WEBP
    if data[4:8] == b"ftyp":
        return _iso_media(data)
    return None


def describe(data: bytes) -> str:
    """What a file that is no readable photo is, in words."""
    for offset, magic, name in _KNOWN:
        if data[offset : offset + len(magic)] == magic:
            return f"it is {name}"
    return "it is no image"


def _iso_media(data: bytes) -> Format | None:
    """The format by the major brand or, where that is a general one, by the compatible brands."""
    size = int.from_bytes(data[:4], "big")
    brands = [data[8:12]] + [data[i : i + 4] for i in range(16, min(size, len(data), 256), 4)]
    return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)
