"""Every kind of photo that the libraries here can write, and every way in which one can be damaged."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import jpeglib
import numpy as np
from PIL import ImageCms

from tests.realedit.photos import builders as make


@dataclass(frozen=True)
class Sample:
    """A file and what must be found in it."""

    name: str  # with the extension of its format
    data: bytes
    depth: int = 8
    grey: bool = False
    exact: bool = False  # the picture of `builders` is in it without loss
    channels: int = 3


def samples() -> Iterator[Sample]:
    """All whole photos."""
    yield from _jpegs()
    yield from _pngs()
    yield from _tiffs()
    yield from _others()


def _jpegs() -> Iterator[Sample]:
    for sampling in (0, 1, 2):
        for progressive in (False, True):
            name = f"jpeg-s{sampling}-{'progressive' if progressive else 'baseline'}"
            yield Sample(f"{name}.jpg", make.jpeg(subsampling=sampling, progressive=progressive))
    for name, factor in (
        ("440", cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440),
        ("411", cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411),
    ):
        yield Sample(f"jpeg-{name}.jpg", make.sampled_jpeg(factor))
    yield Sample("jpeg-grey.jpg", make.jpeg(mode="L"), grey=True)
    yield Sample("jpeg-grey-progressive.jpg", make.jpeg(mode="L", progressive=True), grey=True)
    cmyk = make.jpeg(mode="CMYK")
    yield Sample("jpeg-cmyk.jpg", cmyk)
    yield Sample("jpeg-ycck.jpg", as_ycck(cmyk))
    yield Sample("jpeg-cmyk-progressive.jpg", make.jpeg(mode="CMYK", progressive=True))
    yield Sample("jpeg-rgb.jpg", make.jpeg(keep_rgb=True, subsampling=0))
    yield Sample("jpeg-restarts.jpg", make.jpeg(restart_marker_blocks=2))
    yield Sample("jpeg-arithmetic.jpg", arithmetic_jpeg())
    for orientation in range(1, 9):
        data = make.with_segments(make.jpeg(), make.exif_segment(make.exif_block(orientation)))
        yield Sample(f"jpeg-turned-{orientation}.jpg", data)
    for name, profile in profiles().items():
        yield Sample(f"jpeg-{name}.jpg", make.with_segments(make.jpeg(), make.icc_segment(profile)))


def as_ycck(cmyk: bytes) -> bytes:
    """A CMYK JPEG whose Adobe segment says that its components are YCCK: just as valid, in other colours."""
    at = cmyk.index(b"Adobe") + 11
    return cmyk[:at] + b"\x02" + cmyk[at + 1 :]


def arithmetic_jpeg() -> bytes:
    """A JPEG coded arithmetically."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder, jpeglib.version("8d"):
        path = Path(folder) / "photo.jpg"
        path.write_bytes(make.jpeg())
        jpeglib.read_dct(str(path)).write_dct(str(path), flags=["+ARITH_CODE"])
        return path.read_bytes()


def profiles() -> dict[str, bytes]:
    """ICC profiles of the kinds there are."""
    from realedit.photos.colour import icc

    gamma = (2.19921875, 1.0, 0.0, 0.0, 0.0)
    adobe = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])
    p3 = icc.profile_of_code_points(12, 13)
    assert p3 is not None
    return {
        "srgb": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        "p3": p3,
        "adobe": icc.write_profile("Adobe-like", adobe, gamma),
        "tables": make.table_profile(),
        "broken": b"\x00" * 200,
    }


def _pngs() -> Iterator[Sample]:
    for channels in (1, 2, 3, 4):
        for depth in (8, 16):
            for interlaced in (False, True):
                pixels = make.picture(depth=depth, channels=channels)
                data = make.png(pixels, depth, interlaced=interlaced)
                name = f"png-c{channels}-d{depth}{'-interlaced' * interlaced}.png"
                yield Sample(name, data, depth, channels < 3, True, channels)
    for depth in (1, 2, 4):
        pixels = make.picture(depth=depth, channels=1)
        yield Sample(f"png-grey-d{depth}.png", make.png(pixels, depth), depth, True)
    levels = make.picture(depth=4, channels=1)
    palette = bytes(np.random.default_rng(1).integers(0, 256, 48, dtype=np.uint8))
    yield Sample("png-palette.png", make.png(levels, 4, palette=palette), 4)
    yield Sample("png-palette-alpha.png", make.png(levels, 4, palette=palette, transparent=b"\x00\x80"), 4)
    for depth in (8, 16):
        key = b"\x00\x10" * 3
        rgb = make.png(make.picture(depth=depth), depth, transparent=key)
        yield Sample(f"png-key-d{depth}.png", rgb, depth, exact=True)
        grey = make.png(make.picture(depth=depth, channels=1), depth, transparent=key[:2])
        yield Sample(f"png-grey-key-d{depth}.png", grey, depth, True, True, 1)
    for orientation in range(1, 9):
        data = make.png(make.picture(), after=((b"eXIf", make.exif_block(orientation)),))
        yield Sample(f"png-turned-{orientation}.png", data, exact=True)


def _tiffs() -> Iterator[Sample]:
    for channels in (1, 3, 4):
        for depth in (8, 16):
            for compression in (None, "zlib"):
                pixels = make.picture(depth=depth, channels=channels)
                data = make.tiff(pixels, compression=compression, predictor=bool(compression))
                yield Sample(
                    f"tiff-c{channels}-d{depth}-{compression}.tif", data, depth, channels < 3, True, channels
                )
    deep, plain = make.picture(depth=16), make.picture()
    yield Sample("tiff-big-endian.tif", make.tiff(deep, byteorder=">"), 16, exact=True)
    yield Sample("tiff-bigtiff.tif", make.tiff(deep, bigtiff=True), 16, exact=True)
    yield Sample("tiff-tiled.tif", make.tiff(deep, tile=(16, 16), compression="zlib"), 16, exact=True)
    planes = np.moveaxis(deep, -1, 0)
    yield Sample("tiff-planes.tif", make.tiff(planes, planarconfig="separate"), 16, exact=True)
    for name in ("tiff_lzw", "packbits", "tiff_adobe_deflate"):
        yield Sample(f"tiff-{name}.tif", make.saved(plain, "TIFF", compression=name), exact=True)
    yield Sample("tiff-jpeg.tif", make.saved(plain, "TIFF", compression="jpeg"))
    lzw = bytes(cv2.imencode(".tiff", deep[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])[1])
    yield Sample("tiff-lzw-d16.tif", lzw, 16, exact=True)
    yield Sample("tiff-pages.tif", pages(), exact=True)
    yield from _odd_tiffs()
    yield Sample("tiff-cmyk.tif", make.tiff(cmyk_picture(), photometric="separated"))
    for orientation in range(1, 9):
        data = make.tiff(deep, extratags=[(274, 3, 1, orientation, True)])
        yield Sample(f"tiff-turned-{orientation}.tif", data, 16, exact=True)


def _odd_tiffs() -> Iterator[Sample]:
    """TIFFs of codecs and kinds that few programs write."""
    plain, deep, grey = make.picture(), make.picture(depth=16), make.picture(channels=1)
    for name in ("lzw", "packbits", "zstd", "lzma"):
        tiled = make.tiff(deep, compression=name, tile=(16, 32), predictor=name == "lzw")
        yield Sample(f"tiff-tiled-{name}.tif", tiled, 16, exact=True)
    webp = make.tiff(plain, compression="webp", compressionargs={"lossless": True})
    yield Sample("tiff-webp.tif", webp, exact=True)
    yield Sample("tiff-jpeg-tiles.tif", make.tiff(plain, compression="jpeg", tile=(16, 16)))
    yield Sample("tiff-white-is-zero.tif", make.tiff(255 - grey, photometric="miniswhite"), 8, True, True, 1)
    hidden = make.tiff(make.picture(channels=4), extrasamples=["assocalpha"], compression="lzw")
    yield Sample("tiff-premultiplied.tif", hidden, exact=True, channels=4)
    for name in ("group3", "group4"):
        fax = make.pillow(grey).convert("1")
        buffer = io.BytesIO()
        fax.save(buffer, "TIFF", compression=name)
        yield Sample(f"tiff-{name}.tif", buffer.getvalue(), 1, True)
    indexed = make.pillow(plain).quantize(16)
    buffer = io.BytesIO()
    indexed.save(buffer, "TIFF", compression="tiff_lzw")
    yield Sample("tiff-palette.tif", buffer.getvalue())


def cmyk_picture() -> np.ndarray:
    """The picture in four inks."""
    return np.asarray(make.pillow(make.picture()).convert("CMYK"))


def pages() -> bytes:
    """A TIFF of three pages."""
    import tifffile

    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for page in (make.picture(), 255 - make.picture(), make.picture() // 2):
            writer.write(page, photometric="rgb", metadata=None)
    return buffer.getvalue()


def _others() -> Iterator[Sample]:
    plain, clear = make.picture(), make.picture(channels=4)
    yield Sample("webp-lossless.webp", make.saved(plain, "WEBP", lossless=True), exact=True)
    yield Sample(
        "webp-lossless-alpha.webp",
        make.saved(clear, "WEBP", lossless=True, exact=True),
        exact=True,
        channels=4,
    )
    yield Sample("webp-lossy.webp", make.saved(plain, "WEBP", quality=80))
    for orientation in range(1, 9):
        data = make.saved(plain, "WEBP", lossless=True, exif=make.exif_block(orientation))
        yield Sample(f"webp-turned-{orientation}.webp", data, exact=True)
    yield Sample("avif.avif", make.saved(plain, "AVIF", quality=90))
    yield Sample("avif-alpha.avif", make.saved(clear, "AVIF", quality=90), channels=4)
    for orientation in range(1, 9):
        block = make.exif_block(orientation)
        yield Sample(f"avif-turned-{orientation}.avif", make.saved(plain, "AVIF", exif=block))
    deep = make.picture(depth=16)
    yield Sample("heic.heic", make.heic(plain))
    yield Sample("heic-grey.heic", make.heic(make.picture(channels=1)), grey=True)
    yield Sample("heic-alpha.heic", make.heic(clear), channels=4)
    for depth in (10, 12):
        yield Sample(f"heic-d{depth}.heic", make.heic(deep, bit_depth=depth), depth)
    for orientation in range(1, 9):
        block = b"Exif\x00\x00" + make.exif_block(orientation)
        yield Sample(f"heic-turned-{orientation}.heic", make.heic(plain, exif=block))


def damaged(sample: Sample, cuts: int = 50, flips: int = 50) -> Iterator[tuple[str, bytes]]:
    """(what was done, the damaged file): cut short at `cuts` places, and with bits flipped `flips` times."""
    data = sample.data
    for place in np.linspace(0, len(data) - 1, cuts).astype(int):
        yield f"{sample.name}: cut at {place}", data[:place]
    generator = np.random.default_rng(len(data))
    for number in range(flips):
        broken = bytearray(data)
        for place in generator.integers(0, len(data), 1 + number % 4):
            broken[place] ^= 1 << int(generator.integers(0, 8))
        yield f"{sample.name}: bits flipped, {number}", bytes(broken)


def odd_files() -> Iterator[tuple[str, bytes]]:
    """(name, content) of files that are no whole photo of the kind their name says, or of an extreme size."""
    yield "empty.jpg", b""
    yield "zeros.png", bytes(4096)
    yield "text.jpg", b"This is not a photo.\n" * 50
    yield "noise.webp", bytes(np.random.default_rng(3).integers(0, 256, 4096, dtype=np.uint8))
    yield "gif.jpg", make.saved(make.picture(), "GIF")
    yield "bmp.png", make.saved(make.picture(), "BMP")
    yield "jpeg-named.png", make.jpeg()
    yield "png-named.jpg", make.png(make.picture())
    yield "heic-named.jpg", make.heic(make.picture())
    for kind, name in (
        ("JPEG", "one.jpg"),
        ("PNG", "one.png"),
        ("TIFF", "one.tif"),
        ("WEBP", "one.webp"),
        ("AVIF", "one.avif"),
    ):
        yield name, make.saved(make.picture((1, 1)), kind)
    yield "wide.jpg", make.saved(make.picture((65500, 2)), "JPEG")
    yield "wide.png", make.saved(make.picture((65535, 2)), "PNG")
    yield "high.tif", make.saved(make.picture((2, 65535)), "TIFF")
    yield "bomb.png", bomb()


def bomb() -> bytes:
    """A small PNG that says it has 30000 x 30000 pixels."""
    small = make.png(make.picture((4, 4)))
    header = (30000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    return small[:8] + make.png_chunk(b"IHDR", header) + small[8 + 25 :]
