"""RAW photos of cameras, decoded by LibRaw (`pip install 'realedit[raw]'`); they are never written.

Most RAW formats are TIFF files whose first directory is a small preview.
"""

import io
import struct
from typing import Any

import numpy as np

from realedit.photos.metadata.metadata import Metadata
from realedit.photos.shared.decoded import Decoded, UnreadableError, check_size
from realedit.photos.tiff.directories import Directory, DirectoryError, read_directory, to_block

_MAGIC = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\x00", b"FOVb")
_DNG_VERSION = 50706
_SENSOR_PHOTOMETRIC = frozenset({32803, 34892})  # colour filter array, linear raw
_SENSOR_COMPRESSION = frozenset({32767, 32769, 34713, 34892, 65000, 65535})
# description, camera, software, date, people, rights
_KEPT = frozenset({270, 271, 272, 305, 306, 315, 33432})


def is_raw(data: bytes) -> bool:
    """Whether a file is a camera's RAW, by its content."""
    if data.startswith(_MAGIC) or data[4:12] == b"ftypcrx ":
        return True
    if data[:4] not in (b"II*\x00", b"MM\x00*"):
        return False
    if data[8:10] == b"CR":
        return True
    try:
        page = read_directory(data)
    except (DirectoryError, struct.error):
        return False
    if _DNG_VERSION in page.values or page.integer(262, 0) in _SENSOR_PHOTOMETRIC:
        return True
    preview = page.integer(254, 0) & 1 == 1 and 330 in page.values
    return preview or page.integer(259, 1) in _SENSOR_COMPRESSION


def read(data: bytes, max_pixels: int) -> Decoded:
    """The photo developed by LibRaw with the camera's white balance: 16-bit sRGB, upright."""
    try:
        import rawpy
    except ImportError as error:
        raise UnreadableError(
            "it is a RAW photo, which needs one more package: pip install 'realedit[raw]'"
        ) from error
    with rawpy.imread(io.BytesIO(data)) as raw:
        sizes = raw.sizes
        check_size(sizes.width, sizes.height, max_pixels)
        pixels: Any = raw.postprocess(
            output_bps=16,
            use_camera_wb=True,
            output_color=rawpy.ColorSpace.sRGB,
            gamma=(2.4, 12.92),  # the curve of sRGB
        )
    return Decoded(
        np.ascontiguousarray(pixels),
        Metadata(exif=_exif(data)),
        orientation=1,
        depth=16,
        warnings=(
            "a RAW photo is developed with the camera's settings; the result goes into another format",
        ),
    )


def _exif(data: bytes) -> bytes | None:
    """What a TIFF-like RAW says about camera and exposure."""
    try:
        page = read_directory(data)
    except (DirectoryError, struct.error):
        return None
    values = {tag: value for tag, value in page.values.items() if tag in _KEPT}
    return to_block(Directory(page.order, values, dict(page.children)))
