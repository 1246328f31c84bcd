"""Recipe files: what is read, what is refused and how it is said, and what counts for the digest."""

from pathlib import Path

import pytest

from realedit.errors import UsageError
from realedit.masks import Parts
from realedit.recipes import Use, load, parse, shipped

GOOD = """\
name = "mine"
description = "Chin down."

[mask]
regions = ["jaw"]
margin = 0.2

[[points]]
at = "jaw.chin"
move = [0, -0.2]

[[points]]
at = ["nose.tip", "68:8"]
share = 0.25
move = [0.0, -0.1]

[drag]
mask_weight = 2
"""


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    recipe = load(path)
    assert recipe.name == "mine" and recipe.where == Parts(regions=("jaw",), margin=0.2)
    assert [point.move for point in recipe.points] == [(0.0, -0.2), (0.0, -0.1)]
    assert recipe.drag.mask_weight == 2.0


def test_every_shipped_recipe_is_one_and_has_the_name_of_its_file() -> None:
    assert {"smile", "raise-brows"} <= set(shipped())
    for name in shipped():
        recipe = load(name)
        assert recipe.name == name and recipe.description.endswith(".")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("move = [0, -0.2]", "move = [0, 'x']", ["line 10", "points[0].move[1]", "float", "str"]),
        ("move = [0, -0.2]", "move = [0, inf]", ["line 10", "points[0].move", "from -10 to 10"]),
        ("move = [0, -0.2]", "mve = [0, -0.2]", ["line 10", "points[0].mve", "no such key"]),
        ("share = 0.25\nmove = [0.0, -0.1]", "", ["line 12", "points[1].move", "missing"]),
        ('"68:8"', '"68:68"', ["line 13", "points[1].at", "68:67"]),
        ('"jaw.chin"', '"jaw.chn"', ["line 9", "points[0].at", "did you mean jaw.chin"]),
        ('"jaw.chin"', "[0.5, 0.5]", ["line 9", "points[0].at", "landmarks"]),
        ('["nose.tip", "68:8"]', '["nose.tip", 0.2]', ["line 13", "points[1].at", "mixes"]),
        ('["nose.tip", "68:8"]', '"nose.tip"', ["line 14", "points[1].share", "two landmarks"]),
        ('regions = ["jaw"]', 'regions = ["jow"]', ["line 5", "mask.regions", "'jow'", "jaw"]),
        ("margin = 0.2", "margin = -1", ["line 6", "mask.margin"]),
        ("move = [0, -0.2]", 'toward = "nose.tp"', ["line 10", "points[0].toward", "nose.tip"]),
        ("mask_weight = 2", "mask_weight = -2", ["line 18", "drag.mask_weight", "-2"]),
        ('name = "mine"', 'name = "My Own"', ["line 1", "name", "'My Own'"]),
        ('name = "mine"', 'name = "mine', ["line 1", "not TOML"]),
        ('name = "mine"', 'name = "mine"\nname = "mine"', ["line 2", "not TOML"]),
        ('name = "mine"\n', "", ["name", "missing"]),
        ("[mask]", 'reach = "face"\n[mask]', ["line 4", "reach", "mask"]),
        ("[mask]", 'reach = "feet"\n[mask]', ["line 4", "reach", "feet"]),
        ("[mask]", 'domain = "fish"\n[mask]', ["line 4", "domain", "fish"]),
        ("[mask]", 'units = "box"\n[mask]', ["line 10", "points[0].at", "shares of the box"]),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(old: str, new: str, said: list[str]) -> None:
    assert old in GOOD
    with pytest.raises(UsageError) as error:
        parse(GOOD.replace(old, new, 1).encode(), "mine.toml")
    message = str(error.value)
    assert message.startswith("mine.toml, line ") and "\n" not in message
    for words in said:
        assert words in message, message


def test_other_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(UsageError, match="UTF-8"):
        load(tmp_path / "a.toml")
    with pytest.raises(UsageError, match=r"no recipe file .*none\.toml"):
        load(tmp_path / "none.toml")
    with pytest.raises(UsageError, match=r"no recipe 'smlie'; known are .*smile"):
        load("smlie")
    with pytest.raises(UsageError, match=r"there is no recipe"):
        load("")


def test_the_digest_is_of_the_meaning_alone() -> None:
    recipe = parse(GOOD.encode(), "mine.toml")
    for same in (
        GOOD.replace("Chin down.", "Another description."),
        GOOD.replace("-0.2]", "-2.0e-1]"),
        GOOD.replace('name = "mine"', "# a comment\nnotes = 'tried'\nname = 'yours'"),
    ):
        assert parse(same.encode(), "b.toml").digest == recipe.digest
    for other in (GOOD.replace("-0.2", "-0.21"), GOOD.replace("margin = 0.2", "margin = 0.3")):
        assert parse(other.encode(), "b.toml").digest != recipe.digest
    assert len(recipe.digest) == 64
    assert len({load(name).digest for name in shipped()}) == len(shipped())


def test_a_strength_is_a_number() -> None:
    with pytest.raises(UsageError, match="strength nan of smile"):
        Use(recipe=load("smile"), strength=float("nan"))
