"""Numbers that are none, infinite or beyond all bounds are refused by every option and in recipes."""

import dataclasses
import math
import types
import typing
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from inversion import InversionSettings
from inversion.settings import names
from realedit.cli.numbers import Number
from realedit.cli.paths import name_of
from realedit.errors import UsageError
from realedit.recipes import Recipe, Use, load, parse
from tests.realedit.cli.commands import COMMANDS
from tests.realedit.cli.conftest import Shell
from tests.realedit.samples import PUSH

ODD = ("nan", "inf", "-inf", "1e308", "-1e308")
TEXTS = {  # how a number stands in options that are read by functions of ours
    "--drag": "40,40:{},40",
    "--region": "{},1,2,3",
    "--box": "{},1,2,3",
    "--until": "{}px",
    "--zoom": "0,0,{},5",
    "--set": "tuning.first_fall={}",
    "--time-limit": "{}s",
    "--settle": "{}",
    "--patience": "{}m",
}
NUMERIC = (click.types.IntParamType, click.types.FloatParamType)


def _numbers() -> Iterator[tuple[str, click.Parameter, str]]:
    """(command, parameter, how its number is written) of every number on the command line."""
    for name, command in COMMANDS.items():
        for each in command.params:
            if isinstance(each.type, NUMERIC):
                yield name, each, "{}"
            if isinstance(each.type, click.types.FuncParamType):
                yield name, each, TEXTS[name_of(each)]


@pytest.mark.parametrize("number", [*ODD, "9" * 400])
def test_no_option_takes_a_number_that_is_none(number: str) -> None:
    for name, parameter, text in _numbers():
        assert not isinstance(parameter.type, click.types.FloatParamType) or isinstance(
            parameter.type, Number
        )
        value = text.format(number)
        with pytest.raises(click.UsageError) as refused:
            parsed = parameter.type.convert(value, parameter, None)
            if name_of(parameter) == "--drag":  # far away is told when the photo's size is known
                assert math.isfinite(parsed[1][0])
                raise click.UsageError(value)
            if name_of(parameter) == "--set":
                with pytest.raises(ValueError, match="cannot be"):
                    InversionSettings().changed(dict([parsed]))
                raise click.UsageError(value)
        said = refused.value.message
        assert value[:20] in said or "range" in said, (name, parameter.name)


@pytest.mark.parametrize("number", ODD)
def test_no_setting_of_the_inversion_takes_one(number: str) -> None:
    tree = dataclasses.asdict(InversionSettings())
    for name in names(tree):
        if name not in ("perceptual", "label"):
            with pytest.raises(ValueError, match=f"{name} cannot be '{number}'"):
                InversionSettings().changed({name: number})


@pytest.mark.parametrize("number", ODD)
@pytest.mark.parametrize("how", ["--recipe=push.toml:{}", "--strength={}"])
def test_a_strength_is_refused_as_such(how: str, number: str, shell: Shell) -> None:
    (shell.folder / "push.toml").write_text(PUSH)
    (shell.folder / "in").mkdir()
    for command in (["edit", "photo.png", "-o", "out.png"], ["batch", "in", "out"]):
        options = ["--recipe=push.toml", how.format(number)] if "strength" in how else [how.format(number)]
        said = shell(*command, "--model=box.safetensors", *options, code=2).err
        assert "strength" in said and "10" in said
    assert not (shell.folder / "out.png").exists()


def test_a_strength_has_bounds_in_the_library() -> None:
    recipe = load("smile")
    assert Use(recipe=recipe, strength=-10).strength == -10
    for strength in (math.nan, math.inf, 100.5, 1e308):
        with pytest.raises(UsageError, match="strength"):
            Use(recipe=recipe, strength=strength)


WHOLE = """
name = "whole"
description = "Every number that a recipe may have."
mask = { regions = ["mouth"], margin = 0.25, fade = 0.35 }

[drag]
mask_weight = 1.0
max_steps = 3
patience = 9
layers = 2
learning_rate = 0.02
motions = ["x"]
amounts = [1.0]

[[points]]
at = ["mouth.left_corner", "mouth.right_corner"]
share = 0.5
move = [0.1, 0.0]
offset = [0.1, 0.0]
toward = "nose.tip"
way = 0.5
[[verified_on]]
model = "m"
model_sha256 = "a"
portraits = 3
good = 0.5
weak = 0.3
bad = 0.2
identity = 0.1
"""


def _places(kind: typing.Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every number in a type of recipes; of lists the first item's."""
    arguments = typing.get_args(kind)
    if kind in (int, float):
        yield path
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for each, hint in typing.get_type_hints(kind).items():
            yield from _places(hint, (*path, each))
    elif typing.get_origin(kind) in (typing.Union, types.UnionType):
        for each in arguments:
            yield from _places(each, path)
    elif typing.get_origin(kind) is tuple:
        yield from _places(arguments[0], (*path, 0))


BOX = ("points", 0, "at", 0)  # a number in recipes in units of the box alone


def _set(tree: typing.Any, path: tuple[str | int, ...], value: float) -> None:
    *parents, last = path
    for step in parents:
        tree = tree[step]
    assert path == BOX or last in tree or isinstance(last, int), path
    tree[last] = value


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e308, -1e308, 2.0**62])
@pytest.mark.parametrize("path", dict.fromkeys(_places(Recipe)), ids=str)
def test_no_number_of_a_recipe_is_odd(path: tuple[str | int, ...], number: float) -> None:
    tree = msgspec.toml.decode((PUSH if path == BOX else WHOLE).encode())
    msgspec.convert(tree, Recipe)
    _set(tree, path, number)
    with pytest.raises(
        msgspec.ValidationError, match=str([each for each in path if isinstance(each, str)][-1])
    ):
        msgspec.convert(tree, Recipe)


@pytest.mark.parametrize("number", ["nan", "inf", "1e308"])
def test_a_recipe_names_the_line_of_an_odd_number(number: str) -> None:
    with pytest.raises(UsageError, match=r"odd.toml, line 6, points\[0\].move: has a number"):
        parse(PUSH.replace("0.05", number).encode(), "odd.toml")


def test_a_label_that_overflows_is_refused(shell: Shell, tmp_path: Path) -> None:
    from checkpoints.errors import CheckpointError
    from checkpoints.labels import parse_label

    for text in ("nan,0", "1e308,0", "inf,1"):
        with pytest.raises(CheckpointError, match="no label"):
            parse_label(text, 2)
