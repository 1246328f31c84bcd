"""The four stages of an edit: align the photo, invert the crop, drag the latent, paste the change.

Each takes and returns plain values (a `Photo`, a `Session`), and tells of its steps.
"""

from realedit.editing.stages.aligning import align, align_faces
from realedit.editing.stages.dragging import Dragging, drag
from realedit.editing.stages.inverting import invert, invert_together
from realedit.editing.stages.rendering import PasteSettings, render, render_faces

__all__ = [
    "Dragging",
    "PasteSettings",
    "align",
    "align_faces",
    "drag",
    "invert",
    "invert_together",
    "render",
    "render_faces",
]
