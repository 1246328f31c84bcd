"""Recipe files: what is read, what is refused and how it is said, and what counts for the digest."""

import os
import time
from pathlib import Path

import pytest

from realedit.errors import UsageError
from realedit.geometry.reach import Parts
from realedit.recipes import Use, load, parse, shipped
from realedit.recipes.reading import MOST_BYTES

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
        ("move = [0, -0.2]", "move = [0, inf]", ["line 10", "points[0].move", "finite"]),
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
        ("move = [0, -0.2]", "move = [0, -0.2]\nlevel = true", ["line 11", "points[0].level", "toward"]),
        (
            "move = [0, -0.2]",
            'move = [0, 0]\napart_from = "nose.tip"',
            ["line 11", "points[0].apart_from", "move"],
        ),
        (
            "move = [0, -0.2]",
            'move = [0, 1]\napart_from = "nose.tp"',
            ["line 11", "points[0].apart_from", "nose.tip"],
        ),
        ("mask_weight = 2", "mask_weight = -2", ["line 18", "drag.mask_weight", "-2"]),
        ('name = "mine"', 'name = "My Own"', ["line 1", "name", "'My Own'"]),
        ('name = "mine"', 'name = "mine', ["line 1", "not TOML"]),
        ('name = "mine"', 'name = "mine"\nname = "mine"', ["line 2", "not TOML"]),
        ('name = "mine"\n', "", ["name", "missing"]),
        ("[mask]", 'reach = "face"\n[mask]', ["line 4", "reach", "mask"]),
        ("[mask]", 'reach = "feet"\n[mask]', ["line 4", "reach", "feet"]),
        ("[mask]", 'domain = "fish"\n[mask]', ["line 4", "domain", "fish"]),
        ("[mask]", 'units = "box"\n[mask]', ["line 10", "points[0].at", "shares of the box"]),
        ("move = [0, -0.2]", "move = [1e308, 0]", ["line 10", "points[0].move", "beyond 100"]),
        ("share = 0.25", "share = -1e20", ["line 14", "points[1].share", "beyond 100"]),
        ("share = 0.25", "share = 0.25\nway = 101", ["line 15", "points[1].way", "beyond 100"]),
        ("move = [0, -0.2]", "move = [true, 0]", ["line 10", "points[0].move[0]", "float", "bool"]),
        ("move = [0, -0.2]", f"move = [{'1,' * 9999}1]", ["points[0].move", "length 2, got 10000"]),
        ("move = [0, -0.2]", f"move = [1{'0' * 400}, 0]", ["line 10", "points[0].move[0]", "range"]),
        ("mask_weight = 2", "mask_weight = 1e308", ["line 18", "drag.mask_weight", "1e+06 at most"]),
        ("mask_weight = 2", "max_steps = 99999999999", ["line 18", "drag.max_steps", "10000 at most"]),
        ("mask_weight = 2", "learning_rate = 1e308", ["line 18", "drag.learning_rate", "10 at most"]),
        ("mask_weight = 2", "motions = [" + "'lips'," * 99 + "]", ["line 18", "drag.motions", "99"]),
        ("margin = 0.2", "margin = 1e308", ["line 6", "mask.margin"]),
        ("margin = 0.2", "margin = nan", ["line 6", "mask.margin"]),
        ('"Chin down."', "1979-05-27", ["line 2", "description", "str", "date"]),
        ('"Chin down."', '"\\u001b[31mred"', ["line 2", "description", "control character"]),
        ('name = "mine"', f'name = "{"m" * 65}"', ["line 1", "name", "up to 64"]),
        ('name = "mine"', 'name = "../../mine"', ["line 1", "name", "'../../mine'"]),
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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a = " + "[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("a = " + "{a = " * 5000 + "1" + "}" * 5000, "nested too deeply"),
        (".".join(["a"] * 100_000) + " = 1", "nested too deeply"),
        ("[" + " . ".join(['"a"'] * 60_000) + "]", "nested too deeply"),
        ("a = " + "9" * 5000, "4300 digits"),
        ("name = 3\npoints = 'a'\n", "expected str, got int"),
        ("name = 'a'\ndescription = ''\npoints = []\n", "at least one point"),
        ("name = 'a'\ndescription = ''\npoints = [" + "{at = '68:8', move = [0, 1]}," * 6000 + "]", "6000"),
        ("", "missing"),
        (bytes(range(256)) * 40, "not UTF-8"),
        (b"\x00" * 4096, "not TOML"),
        (GOOD.encode("utf-16"), "not UTF-8"),
        (GOOD.encode() + b"\x00", "not TOML"),
    ],
    ids=range(13),
)
def test_nonsense_is_refused_in_one_short_sentence_and_at_once(content: str | bytes, said: str) -> None:
    started = time.perf_counter()
    with pytest.raises(UsageError, match=said) as error:
        parse(content if isinstance(content, bytes) else content.encode(), "mine.toml")
    assert "mine.toml" in str(error.value) and "\n" not in str(error.value) and len(str(error.value)) < 300
    assert time.perf_counter() - started < 5


def test_what_editors_on_other_systems_save_is_read() -> None:
    for same in (b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace("\n", "\r\n").encode()):
        assert parse(same, "mine.toml") == parse(GOOD.encode(), "mine.toml")


def test_what_is_no_plain_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.toml")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    (tmp_path / "huge.toml").write_bytes(b"#" * MOST_BYTES + b"\n")
    for name, said in {
        "fifo": "no plain file",
        "folder": "a folder",
        "zero": "no plain file",
        "loop": "no recipe file",
        "huge": f"at most {MOST_BYTES}",
        "n" * 5000: "cannot be read",
    }.items():
        with pytest.raises(UsageError, match=said):
            load(tmp_path / f"{name}.toml")


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
    with pytest.raises(UsageError, match="strength 1e\\+308 of smile is not a number from -100 to 100"):
        Use(recipe=load("smile"), strength=1e308)
