"""From a photo to its aligned square crop and back.

    faces = find_faces(pixels)                    # numbered from the left, each with landmarks and a square
    crop = extract_crop(pixels, faces[0].alignment, 256)
    faces[0].alignment.to_crop(points, 256)       # points of the photo in the crop; to_photo is the way back

Pixels are RGB `[height, width, 3]`, uint8 or uint16. Points are `(x, y)` in pixels.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alignment.detection import Box, Detector
    from alignment.errors import AlignmentError, LandmarkError, NoFaceError, OutsideError
    from alignment.faces import Face, choose_face, find_faces, share_out
    from alignment.geometry import Alignment, box_square, centred_square, crop_to_cells, ffhq_square
    from alignment.warp import Crop, extract_crop, region_under

__all__ = [
    "Alignment",
    "AlignmentError",
    "Box",
    "Crop",
    "Detector",
    "Face",
    "LandmarkError",
    "NoFaceError",
    "OutsideError",
    "box_square",
    "centred_square",
    "choose_face",
    "crop_to_cells",
    "extract_crop",
    "ffhq_square",
    "find_faces",
    "region_under",
    "share_out",
]

_HOMES = {
    "detection": "Box Detector",
    "errors": "AlignmentError LandmarkError NoFaceError OutsideError",
    "faces": "Face choose_face find_faces share_out",
    "geometry": "Alignment box_square centred_square crop_to_cells ffhq_square",
    "warp": "Crop extract_crop region_under",
}
"""The names of each module, which is imported when one of them is first asked for: errors and settings are
there without dlib."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        for home, names in _HOMES.items():
            if name in names.split():
                found = getattr(import_module(f"{__name__}.{home}"), name)
                globals()[name] = found
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
