"""Reading and writing photographs: formats, orientation, bit depth, colour profiles, metadata, provenance."""

from realedit.photos.colour.profile import SRGB, Colour
from realedit.photos.label import with_visible_label
from realedit.photos.metadata.metadata import Strip
from realedit.photos.metadata.provenance import Provenance
from realedit.photos.metadata.signing import Signing, check_signing
from realedit.photos.orientation import Box
from realedit.photos.photo import Format, Photo
from realedit.photos.read import MAX_PIXELS, check_photo, read_photo
from realedit.photos.write import (
    EXTENSIONS,
    WriteReport,
    check_fits,
    check_format,
    check_output,
    check_place,
    write_photo,
)

__all__ = [
    "EXTENSIONS",
    "MAX_PIXELS",
    "SRGB",
    "Box",
    "Colour",
    "Format",
    "Photo",
    "Provenance",
    "Signing",
    "Strip",
    "WriteReport",
    "check_fits",
    "check_format",
    "check_output",
    "check_photo",
    "check_place",
    "check_signing",
    "read_photo",
    "with_visible_label",
    "write_photo",
]
