"""Links and paths in the documents lead to what is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")
PATH = re.compile(r"`((?:[\w-]+/)+[\w.-]+\.(?:py|toml|txt|csv|md))(?:::[\w:]+)?`")
FOLDERS = ("", "tests", "realedit")  # what a path in a document may be relative to


def documents() -> list[Path]:
    """Every document of the repository."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "checkpoints").rglob("*.md")]
    return sorted(path for path in found if path.name != "CHANGELOG.md")


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ +(.*)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for target, anchor in LINK.findall(path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        goal = path if not target else path.parent / target
        if not goal.exists() or (anchor and goal.suffix == ".md" and anchor[1:] not in anchors(goal)):
            broken.append(target + anchor)
    assert not broken


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_are_named_are_there(path: Path) -> None:
    named = set(PATH.findall(path.read_text(encoding="utf-8")))
    missing = {name for name in named if not any((ROOT / folder / name).exists() for folder in FOLDERS)}
    assert not missing


def test_the_example_of_the_house_style_is_in_the_code() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    ((file, example),) = re.findall(r"from `([\w/]+\.py)`:\n\n```python\n(.*?)```", text, re.S)
    assert example in (ROOT / file).read_text(encoding="utf-8")
