"""Reading and writing photographs.

    photo = read_photo(path)                      # a `Photo`: pixels as stored, and as displayed
    report = write_photo(photo.with_block(...), output, provenance=Provenance())

Orientation, bit depth, colour profile and metadata stay as they are. Where nothing was edited, pixels stay
bit for bit, and a JPEG keeps its coefficients. What a format cannot hold is named in the report.
"""

from typing import TYPE_CHECKING

from checkpoints.lazy import names_from

if TYPE_CHECKING:
    from realedit.photos.colour.profile import SRGB, Colour
    from realedit.photos.kinds import EXTENSIONS, MAX_PIXELS, Format
    from realedit.photos.label import with_visible_label
    from realedit.photos.metadata.metadata import Strip
    from realedit.photos.metadata.provenance import Provenance
    from realedit.photos.metadata.signing import Signing, check_signing
    from realedit.photos.orientation import Box
    from realedit.photos.photo import Photo
    from realedit.photos.read import check_photo, read_photo
    from realedit.photos.write import (
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

_HOMES = {
    ".colour.profile": "SRGB Colour",
    ".kinds": "EXTENSIONS MAX_PIXELS Format",
    ".label": "with_visible_label",
    ".metadata.metadata": "Strip",
    ".metadata.provenance": "Provenance",
    ".metadata.signing": "Signing check_signing",
    ".orientation": "Box",
    ".photo": "Photo",
    ".read": "check_photo read_photo",
    ".write": "WriteReport check_fits check_format check_output check_place write_photo",
}
"""The names of each module, which is imported when one of them is first asked for: errors and settings are
there without the readers of all formats."""

if not TYPE_CHECKING:
    __getattr__, __dir__ = names_from(__name__, _HOMES)
