"""Recipes: edits that name landmarks instead of pixels, so that one fits every face."""

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
