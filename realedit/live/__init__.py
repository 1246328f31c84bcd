"""Pictures of a drag while it goes on: the paste, at the size of a screen and as fast as a hand moves."""

from realedit.live.quick import Quick
from realedit.live.screen import Screen

__all__ = ["Quick", "Screen"]
