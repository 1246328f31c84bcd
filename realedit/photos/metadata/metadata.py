"""What a photo file says beside its pixels, in a form that every format can carry."""

from dataclasses import dataclass
from typing import Literal

Strip = Literal["none", "gps", "all"]
"""What is left out of what is written: nothing; where the photo was taken; all but colour and orientation."""


@dataclass(frozen=True)
class Metadata:
    """Blocks as the formats share them, without their containers' headers."""

    exif: bytes | None = None  # a TIFF structure, from "II" or "MM" on
    xmp: bytes | None = None  # an XMP packet
    icc: bytes | None = None  # an ICC profile
    iptc: bytes | None = None  # Photoshop image resources ("8BIM"...), IPTC-IIM among them
    dpi: tuple[float, float] | None = None  # dots per inch, horizontally and vertically
    text: tuple[tuple[str, str], ...] = ()  # keyword, text
    nclx: tuple[int, int, int, int] | None = (
        None  # code points of HEIF: primaries, transfer, matrix, full range
    )
    others: tuple[str, ...] = ()  # names of blocks that only the file's own format can hold
    exclusive: bool = False  # whether nothing of the file's own may be written beside these blocks
