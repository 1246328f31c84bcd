"""Pictures and figures that are made to be looked at, and where they may be written; masks' pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from realedit.editing.checks import check_picture as check_picture
from realedit.geometry.masks import read_mask as read_mask
from realedit.photos import check_place as check_place
from realedit.plumbing.files import png_of as png_of
from realedit.plumbing.files import write_bytes, write_png
from realedit.sessions.folders import check_folder as check_folder

if TYPE_CHECKING:
    from realedit.editing.report import InversionReport

__all__ = ["check_folder", "check_picture", "check_place", "png_of", "read_mask", "write_png", "write_report"]


def write_report(folder: Path, report: InversionReport, sheet: NDArray[np.uint8]) -> None:
    """The figures of an inversion and its pictures, beside its session and as private: `report.json` and
    `report.png`. Raises OutputError, ResourceError."""
    write_bytes(folder / "report.json", report.to_json(), private=True)
    write_png(folder / "report.png", sheet, private=True)
