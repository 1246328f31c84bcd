"""Dragging points on a latent (DragGAN, Pan et al. 2023).

editor = Editor(generator, latent, DragSettings(), codes)
editor.add(handles, targets)                  # `[K, 2]` pixels of the crop
for step in editor.steps():                   # `DragStep`s; who takes no more of them stops the drag
    ...
"""

from typing import TYPE_CHECKING

from checkpoints.lazy import names_from

if TYPE_CHECKING:
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

_HOMES = {
    ".editor": "Editor",
    ".preview": "Previews",
    ".settings": "DragSettings Lengths feature_resolution moving_layers",
    ".state": "DragStep Ending",
    ".watching": "OnStep keep_going",
}
"""The names of each module, which is imported when one of them is first asked for: errors and settings are
there without torch."""

if not TYPE_CHECKING:
    __getattr__, __dir__ = names_from(__name__, _HOMES)
