"""Recipes: edits that name landmarks instead of pixels, so that one fits every face.

recipe = load("smile")                        # the name of a shipped one, or a `.toml` file
place(recipe, frame)                          # its points on one face, in photo pixels
"""

from typing import TYPE_CHECKING

from checkpoints.lazy import names_from

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
    ".placing": "Frame frame_for place within",
    ".reading": "load parse shipped",
    ".recipe": "LARGEST_STRENGTH Choices Point Recipe Use Verified",
}
"""The names of each module, which is imported when one of them is first asked for: errors and settings are
there without OpenCV."""

if not TYPE_CHECKING:
    __getattr__, __dir__ = names_from(__name__, _HOMES)
