"""Before and after of an edit as one file: a still, an animation, a page with a slider, a contact sheet.

compare(before, after, output, ComparisonSettings())
"""

from realedit.compare.comparison import (
    STYLES,
    ComparisonSettings,
    Style,
    check_comparison,
    compare,
    max_side,
    write_comparison,
)
from realedit.compare.marked import marked
from realedit.compare.pair import Pair, face_box, given_box, pair_of, read_pair
from realedit.compare.still import side_by_side, split, stacked

__all__ = [
    "STYLES",
    "ComparisonSettings",
    "Pair",
    "Style",
    "check_comparison",
    "compare",
    "face_box",
    "given_box",
    "marked",
    "max_side",
    "pair_of",
    "read_pair",
    "side_by_side",
    "split",
    "stacked",
    "write_comparison",
]
