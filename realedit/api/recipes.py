"""The named edits, as programs name them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from realedit.errors import UsageError
from realedit.recipes.reading import SUFFIX as SUFFIX
from realedit.recipes.reading import load as load
from realedit.recipes.reading import shipped
from realedit.recipes.recipe import Recipe, Use
from realedit.recipes.recipe import Verified as Verified

Asked = str | os.PathLike[str] | Recipe | Use | tuple[str | os.PathLike[str] | Recipe, float]
"""`"smile"`, `"smile:0.7"`, `Path("mine.toml")`, `("mine.toml", 0.7)`, or a recipe that was read."""


def recipe_names() -> tuple[str, ...]:
    """The names of the recipes that come with realedit."""
    return shipped()


def parse_recipe(text: str) -> tuple[Recipe, float | None]:
    """`NAME` or `NAME:STRENGTH`, NAME also a .toml file; None: no strength of its own. Raises UsageError."""
    name, _, last = text.rpartition(":")
    try:
        strength = float(last) if name else None
    except ValueError:
        strength = None
    return load(text if strength is None else name), strength  # another colon belongs to a file's name


def use_of(asked: Asked, strength: float = 1.0) -> Use:
    """What is asked, with `strength` where it names none. Raises UsageError."""
    if isinstance(asked, Use):
        return asked
    if isinstance(asked, tuple):
        recipe, own = asked
        return Use(recipe=recipe if isinstance(recipe, Recipe) else load(os.fspath(recipe)), strength=own)
    if isinstance(asked, Recipe):
        return Use(recipe=asked, strength=strength)
    if isinstance(asked, Path):
        return Use(recipe=load(asked), strength=strength)
    if not isinstance(asked, (str, os.PathLike)):
        raise UsageError(f"{asked!r} is no recipe; give a name, NAME:STRENGTH, a file or (name, strength)")
    found, named = parse_recipe(os.fspath(asked))
    return Use(recipe=found, strength=strength if named is None else named)


def uses_of(asked: Iterable[Asked] | Asked, strength: float = 1.0) -> tuple[Use, ...]:
    """Each of them; one alone may come without a list."""
    alone = isinstance(asked, (str, os.PathLike, Recipe, Use))
    each: Iterable[Asked] = [asked] if alone else asked  # type: ignore[list-item, assignment]
    return tuple(use_of(one, strength) for one in each)


def recorded_in(folder: Path, name: str) -> tuple[Recipe, str, bool]:
    """What was dragged in the session that a folder keeps, as a recipe, its file's text, and whether masks
    were left out, which fit that photo alone. Raises SessionError."""
    from realedit.recipes.recording import recorded, to_toml
    from realedit.sessions.session import Session

    session = Session.load(folder)
    recipe = recorded(session, name)
    return recipe, to_toml(recipe), any(drag.mask for drag in session.history)
