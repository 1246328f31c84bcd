"""What came of drags, in words for people."""

from realedit.editing.telling import drag_warnings as drag_warnings
from realedit.editing.telling import endings as endings

__all__ = ["drag_warnings", "endings"]
