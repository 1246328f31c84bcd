"""Dragging points on a latent (DragGAN)."""

from realedit.drag.editor import Editor
from realedit.drag.preview import Previews
from realedit.drag.settings import DragSettings, Lengths, feature_resolution, moving_layers
from realedit.drag.state import DragStep, Ending
from realedit.drag.watching import OnStep, keep_going

__all__ = [
    "DragSettings",
    "DragStep",
    "Editor",
    "Ending",
    "Lengths",
    "OnStep",
    "Previews",
    "feature_resolution",
    "keep_going",
    "moving_layers",
]
