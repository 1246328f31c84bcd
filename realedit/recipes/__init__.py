"""Recipes: edits that name landmarks instead of pixels, so that one fits every face.

recipe = load("smile")                        # the name of a shipped one, or a `.toml` file
place(recipe, frame)                          # its points on one face, in photo pixels
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realedit.recipes.placing import Frame, frame_for, place, within
    from realedit.recipes.reading import load, parse, shipped
    from realedit.recipes.recipe import LARGEST_STRENGTH, Choices, Point, Recipe, Use, Verified

__all__ = [
    "LARGEST_STRENGTH",
    "Choices",
    "Frame",
    "Point",
    "Recipe",
    "Use",
    "Verified",
    "frame_for",
    "load",
    "parse",
    "place",
    "shipped",
    "within",
]

_HOMES = {
    "placing": "Frame frame_for place within",
    "reading": "load parse shipped",
    "recipe": "LARGEST_STRENGTH Choices Point Recipe Use Verified",
}
"""The names of each module, which is imported when one of them is first asked for: errors and settings are
there without OpenCV."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        for home, names in _HOMES.items():
            if name in names.split():
                found = getattr(import_module(f"{__name__}.{home}"), name)
                globals()[name] = found
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
