"""docs/recipes.md shows every recipe that is shipped, and what was measured of it."""

from pathlib import Path

import pytest

from realedit.recipes import load, shipped

DOCS = Path(__file__).parents[3] / "docs"
pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="an installed package has no docs")


@pytest.mark.parametrize("name", shipped())
def test_a_recipe_has_its_words_picture_and_figures(name: str) -> None:
    text = (DOCS / "recipes.md").read_text(encoding="utf-8")
    recipe = load(name)
    assert f"\n### {name}\n" in text and recipe.description in text
    assert f"![{name}](recipes/{name}.jpg)" in text and (DOCS / "recipes" / f"{name}.jpg").is_file()
    assert (f"| {name} |" in text) == bool(recipe.verified_on)
    for measured in recipe.verified_on:
        assert (
            f"| {measured.good:.0%} | {measured.weak:.0%} | {measured.bad:.0%} | {measured.identity:.2f} |"
            in text
        )
