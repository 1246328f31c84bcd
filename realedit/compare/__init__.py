"""Before/after pictures."""

from realedit.compare.marked import marked
from realedit.compare.side_by_side import side_by_side

__all__ = ["marked", "side_by_side"]
