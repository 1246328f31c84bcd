"""What programs use: open a photo, edit it, look at what came of it. Everything here is in `realedit` too.

    open(path) -> Photo            .faces, .image, .pixels
    edit(photo, ...) -> Result     .image, .save(path), .compare(path), .report
    Session.open(photo) -> Session inverted once, dragged many times, with undo and previews
    align(photo) -> Crop           the aligned square of a face by itself
    prepare, invert                many photos whose faces are inverted together
    load_model(name) -> Model      a model that is loaded once and used for many photos

Points are `(x, y)` in pixels of the photo as displayed, the origin at its top left corner. What goes wrong in
a way that a person can mend is one of the errors in `realedit.errors`.
"""

from typing import TYPE_CHECKING

from checkpoints.lazy import names_from

if TYPE_CHECKING:
    from alignment.geometry import Alignment
    from inversion.step import Step
    from realedit.api.crops import Crop, align
    from realedit.api.drags import Dragging
    from realedit.api.edits import Prepared, edit, invert, prepare
    from realedit.api.faces import Face
    from realedit.api.history import Change, State
    from realedit.api.live import Live
    from realedit.api.models import Model, load_model
    from realedit.api.photos import Photo, open
    from realedit.api.previews import Preview
    from realedit.api.recipes import recipe_names
    from realedit.api.results import Result
    from realedit.api.sessions import Session
    from realedit.api.several import timelapse, together
    from realedit.api.writing import Writing
    from realedit.compositing.settings import PasteSettings
    from realedit.drag.settings import DragSettings
    from realedit.drag.state import DragStep
    from realedit.editing.outcome import EditReport, FaceReport
    from realedit.editing.request import EditRequest
    from realedit.photos.metadata.metadata import Strip
    from realedit.photos.metadata.signing import Signing
    from realedit.recipes.recipe import Recipe, Use
    from realedit.sessions.stored import Drag

__all__ = [
    "Alignment",
    "Change",
    "Crop",
    "Drag",
    "DragSettings",
    "DragStep",
    "Dragging",
    "EditReport",
    "EditRequest",
    "Face",
    "FaceReport",
    "Live",
    "Model",
    "PasteSettings",
    "Photo",
    "Prepared",
    "Preview",
    "Recipe",
    "Result",
    "Session",
    "Signing",
    "State",
    "Step",
    "Strip",
    "Use",
    "Writing",
    "align",
    "edit",
    "invert",
    "load_model",
    "open",
    "prepare",
    "recipe_names",
    "timelapse",
    "together",
]

_HOMES = {
    "realedit.api.crops": "Crop align",
    "realedit.api.drags": "Dragging",
    "realedit.api.edits": "Prepared edit invert prepare",
    "realedit.api.faces": "Face",
    "realedit.api.history": "Change State",
    "realedit.api.live": "Live",
    "realedit.api.models": "Model load_model",
    "realedit.api.photos": "Photo open",
    "realedit.api.previews": "Preview",
    "realedit.api.recipes": "recipe_names",
    "realedit.api.results": "Result",
    "realedit.api.sessions": "Session",
    "realedit.api.several": "timelapse together",
    "realedit.api.writing": "Writing",
    "alignment.geometry": "Alignment",
    "inversion.step": "Step",
    "realedit.compositing.settings": "PasteSettings",
    "realedit.drag.settings": "DragSettings",
    "realedit.drag.state": "DragStep",
    "realedit.editing.outcome": "EditReport FaceReport",
    "realedit.editing.request": "EditRequest",
    "realedit.photos.metadata.metadata": "Strip",
    "realedit.photos.metadata.signing": "Signing",
    "realedit.recipes.recipe": "Recipe Use",
    "realedit.sessions.stored": "Drag",
}
"""The names of each module, which is imported when one of them is first asked for."""

if not TYPE_CHECKING:
    __getattr__, __dir__ = names_from(__name__, _HOMES)
