"""Before and after of photos that are files: pictures, animations, pages, contact sheets."""

from realedit.compare import ComparisonSettings as ComparisonSettings
from realedit.compare import compare as compare
from realedit.compare import face_box as face_box
from realedit.compare import given_box as given_box
from realedit.compare.pair import Zoom as Zoom
from realedit.compare.sheet import Entry as Entry
from realedit.compare.sheet import check_sheet as check_sheet
from realedit.compare.sheet import find_pairs as find_pairs
from realedit.compare.sheet import write_sheet as write_sheet
from realedit.photos import check_place as check_place

__all__ = [
    "ComparisonSettings",
    "Entry",
    "Zoom",
    "check_place",
    "check_sheet",
    "compare",
    "face_box",
    "find_pairs",
    "given_box",
    "write_sheet",
]
