"""The beginning of an edit that needs no torch: what is wrong with the request, the photo, and its faces.

While torch is loaded beside it (`realedit.api.files`), the photo is read and its faces are found.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from alignment import Face, find_faces
from checkpoints.bundled import BUNDLED, bundled_sha256
from realedit.editing.checks import check_request
from realedit.editing.request import EditRequest, inversion_settings
from realedit.photos import Photo, check_fits, read_photo
from realedit.sessions import cache

if TYPE_CHECKING:
    from realedit.plumbing.timing import Laps


def arrived(request: EditRequest, laps: Laps) -> Photo:
    """The photo of a request that makes sense."""
    laps("read")
    check_request(request)
    photo = read_photo(request.photo, max_pixels=request.max_pixels, source=request.source)
    check_fits(request.output, photo)
    return photo


def faces_ahead(request: EditRequest, photo: Photo, laps: Laps | None = None) -> list[Face] | None:
    """All faces of the photo, where the edit will ask for them whatever its model turns out to be; None where
    it may go on from an inversion that is there, or needs none."""
    if request.box is not None or request.keep is not None or request.model not in BUNDLED:
        return None
    settings = inversion_settings(request)
    if request.cache:
        model = bundled_sha256(request.model)
        if cache.may_have(photo.sha256, model, dataclasses.asdict(settings)):
            return None
    if laps is not None:
        laps("align")
    return find_faces(photo.eight_bit())
