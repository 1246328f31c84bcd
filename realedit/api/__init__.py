"""What programs use: open a photo, edit it, look at what came of it. Everything here is in `realedit` too.

    open(path) -> Photo            .faces, .image, .pixels
    edit(photo, ...) -> Result     .image, .save(path), .compare(path), .report
    Session.open(photo) -> Session inverted once, dragged many times, with undo and previews
    prepare, invert                many photos whose faces are inverted together
    load_model(name) -> Model      a model that is loaded once and used for many photos

Points are `(x, y)` in pixels of the photo as displayed, the origin at its top left corner. What goes wrong in
a way that a person can mend is one of the errors in `realedit.errors`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realedit.api.drags import Dragging
    from realedit.api.edits import Prepared, edit, invert, prepare
    from realedit.api.faces import Face
    from realedit.api.models import Model, load_model
    from realedit.api.photos import Photo, open
    from realedit.api.recipes import recipe_names
    from realedit.api.results import Result
    from realedit.api.sessions import Session
    from realedit.drag.settings import DragSettings
    from realedit.drag.state import DragStep
    from realedit.editing.outcome import EditReport, FaceReport

__all__ = [
    "DragSettings",
    "DragStep",
    "Dragging",
    "EditReport",
    "Face",
    "FaceReport",
    "Model",
    "Photo",
    "Prepared",
    "Result",
    "Session",
    "edit",
    "invert",
    "load_model",
    "open",
    "prepare",
    "recipe_names",
]

_HOMES = {
    "realedit.api.drags": "Dragging",
    "realedit.api.edits": "Prepared edit invert prepare",
    "realedit.api.faces": "Face",
    "realedit.api.models": "Model load_model",
    "realedit.api.photos": "Photo open",
    "realedit.api.recipes": "recipe_names",
    "realedit.api.results": "Result",
    "realedit.api.sessions": "Session",
    "realedit.drag.settings": "DragSettings",
    "realedit.drag.state": "DragStep",
    "realedit.editing.outcome": "EditReport FaceReport",
}
"""The names of each module, which is imported when one of them is first asked for."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        for home, names in _HOMES.items():
            if name in names.split():
                found = getattr(import_module(home), name)
                globals()[name] = found
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
