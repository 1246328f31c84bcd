"""What came of drags, in words for people."""

from realedit.editing.outcome import drag_warnings as drag_warnings
from realedit.editing.outcome import endings as endings

__all__ = ["drag_warnings", "endings"]
