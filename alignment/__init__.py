"""From a photo to its aligned square crop and back: detection, landmarks, geometry, warping."""

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
