"""`realedit recipes`: the named edits that come with realedit, and files of one's own."""

from pathlib import Path

import click

from realedit.api import Recipe
from realedit.api.recipes import SUFFIX, Verified, load, recipe_names
from realedit.cli.options import path_option, warn
from realedit.cli.paths import Named, PathCommand, Reads, Sessions, Writes
from realedit.cli.streams import message, result
from realedit.errors import OutputError, UsageError
from realedit.plumbing.printing import printable

name_argument = click.argument("name", metavar="NAME", type=Named())


@click.group("recipes")
def recipes_group() -> None:
    """List, show and check named edits; use one with: realedit edit PHOTO --recipe NAME -o OUT."""


@recipes_group.command("list")
def list_command() -> None:
    """The recipes that come with realedit."""
    from rich.console import Console
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for name in recipe_names():
        table.add_row(name, load(name).description)
    Console(soft_wrap=True).print(table)


@recipes_group.command("show")
@name_argument
def show_command(name: str) -> None:
    """What a recipe moves, where, and how well it was seen to work."""
    result(described(load(name)))


@recipes_group.command("check")
@click.argument("file", type=Reads())
def check_command(file: Path) -> None:
    """Read a recipe FILE and say what it does, or what is wrong with it."""
    recipe = load(file)
    result(f"{printable(file)} is a recipe.\n{described(recipe)}")


@recipes_group.command("record", cls=PathCommand)
@click.argument("folder", metavar="DIR", type=Sessions())
@path_option("-o", "--output", kind=Writes(), required=True, help="The recipe to write (.toml).")
def record_command(folder: Path, output: Path) -> None:
    """Turn what was dragged in the session in DIR into a recipe that fits other faces."""
    from realedit.api.pictures import check_place
    from realedit.api.recipes import recorded_in
    from realedit.plumbing.files import output_error, write_bytes

    if output.suffix != SUFFIX:
        raise UsageError(f"a recipe is written as {SUFFIX}; end {output} in it")
    check_place(output)
    _check_recipe(output)
    recipe, text, masked = recorded_in(folder, output.stem)
    try:
        write_bytes(output, text.encode())
    except OSError as error:
        raise output_error(error, output) from error
    if masked:
        warn(["the session's masks fit this photo alone and are not part of the recipe"], quiet=False)
    message(str(output))
    result(described(recipe))


def _check_recipe(output: Path) -> None:
    """Raise OutputError where something else than a recipe would be replaced."""
    if output.is_symlink() or (output.exists() and output.stat().st_size):
        try:
            load(output)
        except UsageError as error:
            raise OutputError(
                f"cannot write {output}: what is there is no recipe; remove it or give another name"
            ) from error


def described(recipe: Recipe) -> str:
    """A recipe in words."""
    unit = "interocular distances" if recipe.units == "face" else "sides of the box"
    lines = [f"{recipe.name}: {recipe.description}", "", f"moves (right, up; in {unit}):"]
    for point in recipe.points:
        where = point.at if isinstance(point.at, str) else " to ".join(map(str, point.at))
        if point.share is not None:
            where += f" at {point.share:g}"
        if any(point.offset):
            where += f" and {point.offset[0]:+g}, {point.offset[1]:+g} from there"
        goes = [] if point.move is None else [f"{point.move[0]:+g}, {point.move[1]:+g}"]
        goes += [] if point.toward is None else [f"{point.way:.0%} of the way to {point.toward}"]
        lines.append(f"  {where}: {' and '.join(goes)}")
    if recipe.mask is None:
        lines.append(f"reach: {recipe.where}")
    else:
        lines.append(f"mask: {', '.join(recipe.mask.regions)} and {recipe.mask.margin:g} around")
    if recipe.notes:
        lines += ["", recipe.notes.strip()]
    for each in recipe.verified_on:
        lines += ["", *measured(each)]
    return "\n".join([*lines, "", f"digest {recipe.digest}"])


def measured(verified: Verified) -> list[str]:
    """What was seen with one model, in words."""
    return [
        f"judged with {verified.model} on {verified.portraits} portraits at strength 1:",
        f"  {verified.good:.0%} good, {verified.weak:.0%} weak, {verified.bad:.0%} bad",
        f"  identity distance {verified.identity:.2f} (median)",
    ]
