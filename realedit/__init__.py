"""Edit real photographs by dragging points.

    import realedit

    photo = realedit.open("photo.heic")
    result = realedit.edit(photo, recipes=["smile:0.7"], drags=[((412, 608), (396, 596))])
    result.save("edited.heic")

What `__all__` names is the interface for other programs. `realedit.api` describes it, `realedit.errors` has
the tree of errors. Importing `realedit` loads nothing heavy: torch, OpenCV and dlib come with the first call
that needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realedit.api import (
        Alignment,
        Change,
        Crop,
        Drag,
        Dragging,
        DragSettings,
        DragStep,
        EditReport,
        Face,
        FaceReport,
        Live,
        Model,
        Photo,
        Prepared,
        Preview,
        Recipe,
        Result,
        Session,
        Signing,
        Step,
        align,
        edit,
        invert,
        load_model,
        open,
        prepare,
        recipe_names,
        timelapse,
        together,
    )
    from realedit.errors import (
        AlignmentError,
        CheckpointError,
        LandmarkError,
        NoFaceError,
        OutputError,
        OutsideError,
        PhotoError,
        RealeditError,
        ResourceError,
        SessionError,
        UnknownModelError,
        UsageError,
    )

__version__ = "0.1.0"

__all__ = [
    "Alignment",
    "AlignmentError",
    "Change",
    "CheckpointError",
    "Crop",
    "Drag",
    "DragSettings",
    "DragStep",
    "Dragging",
    "EditReport",
    "Face",
    "FaceReport",
    "LandmarkError",
    "Live",
    "Model",
    "NoFaceError",
    "OutputError",
    "OutsideError",
    "Photo",
    "PhotoError",
    "Prepared",
    "Preview",
    "RealeditError",
    "Recipe",
    "ResourceError",
    "Result",
    "Session",
    "SessionError",
    "Signing",
    "Step",
    "UnknownModelError",
    "UsageError",
    "__version__",
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

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = "realedit.errors" if name.endswith("Error") else "realedit.api"
        found = getattr(import_module(home), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
