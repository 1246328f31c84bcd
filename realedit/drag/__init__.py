"""Dragging points on a latent (DragGAN)."""

from realedit.drag.editor import Editor
from realedit.drag.preview import Previews
from realedit.drag.settings import DragSettings, Lengths, feature_resolution, moving_layers
from realedit.drag.state import DragStep, Ending

__all__ = [
    "DragSettings",
    "DragStep",
    "Editor",
    "Ending",
    "Lengths",
    "Previews",
    "feature_resolution",
    "moving_layers",
]
