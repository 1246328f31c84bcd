"""pyproject.toml: what the tests install is all that there is."""

import re
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
pytestmark = pytest.mark.skipif(not PROJECT.is_file(), reason="an installed package has no pyproject.toml")


def test_developers_have_every_extra() -> None:
    extras = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    inside = {
        name: {
            part
            for need in needs
            if (own := re.match(r"realedit\[([\w,]+)\]", need))
            for part in own[1].split(",")
        }
        for name, needs in extras.items()
    }
    assert "all" in inside["dev"]
    missing = set(extras) - {"all", "dev"} - inside["all"]
    assert not missing, f"the extra `all` lacks {missing}"
