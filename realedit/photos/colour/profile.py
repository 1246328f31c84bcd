"""The colour space that an embedded ICC profile describes."""

import io
import logging

import numpy as np
from numpy.typing import NDArray
from PIL import ImageCms

from realedit.photos.colour import icc
from realedit.photos.colour.spaces import SRGB, SRGB_TO_XYZ, Colour, MatrixColour
from realedit.photos.colour.table import TableColour, table_colour

log = logging.getLogger(__name__)

_SAME = 0.5 / 255  # a space that never differs more from sRGB than this is sRGB


def colour_of(profile_data: bytes | None) -> tuple[Colour, str | None]:
    """The space of an embedded RGB or grey profile; a warning, and sRGB, when it cannot be used."""
    if not profile_data:
        return SRGB(), None
    try:
        return _from_profile(profile_data), None
    except (icc.ProfileError, ImageCms.PyCMSError, OSError, ValueError) as error:
        log.debug("unusable ICC profile", exc_info=error)
        return SRGB(), "its ICC profile is damaged or of an unusable kind; the colours are taken for sRGB"


def from_primaries(name: str, matrix: NDArray[np.float64], curve: icc.TransferCurve) -> Colour:
    """The space of `matrix` (linear RGB -> XYZ relative to D50, [3, 3]) with one curve for all channels."""
    return _simplest(MatrixColour(name, icc.MatrixProfile((curve, curve, curve), matrix)))


def _from_profile(data: bytes) -> Colour:
    profile = icc.parse(data)
    if profile.space == "GRAY":
        curve = icc.grey_curve(profile)
        if curve is None:
            raise icc.ProfileError("a grey profile without a curve")
        return from_primaries("a grey profile", SRGB_TO_XYZ, curve)
    if profile.space != "RGB ":
        raise icc.ProfileError(f"a profile for {profile.space!r}")
    matrix = icc.matrix_profile(profile)
    return _simplest(
        MatrixColour(_description(data), matrix) if matrix else table_colour(data, _description(data))
    )


def _simplest(colour: MatrixColour | TableColour) -> Colour:
    """sRGB itself where `colour` differs from it by less than can be seen."""
    steps = np.linspace(0, 1, 9, dtype=np.float32)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    return SRGB(colour.name) if np.abs(colour.to_srgb(grid) - grid).max() < _SAME else colour


def _description(data: bytes) -> str:
    try:
        return ImageCms.getProfileDescription(ImageCms.getOpenProfile(io.BytesIO(data))).strip() or "unnamed"
    except (ImageCms.PyCMSError, OSError, ValueError):
        return "unnamed"


__all__ = ["SRGB", "Colour", "MatrixColour", "TableColour", "colour_of", "from_primaries"]
