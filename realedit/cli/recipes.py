"""`realedit recipes`: the named edits that come with realedit, and files of one's own."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from realedit.recipes import Recipe, load, shipped

name_argument = click.argument("name", metavar="NAME", type=str)


@click.group("recipes")
def recipes_group() -> None:
    """List, show and check named edits; use one with: realedit edit PHOTO --recipe NAME -o OUT."""


@recipes_group.command("list")
def list_command() -> None:
    """The recipes that come with realedit."""
    table = Table.grid(padding=(0, 2))
    for name in shipped():
        table.add_row(name, load(name).description)
    Console(soft_wrap=True).print(table)


@recipes_group.command("show")
@name_argument
def show_command(name: str) -> None:
    """What a recipe moves, where, and how well it was seen to work."""
    click.echo(described(load(name)))


@recipes_group.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def check_command(file: Path) -> None:
    """Read a recipe FILE and say what it does, or what is wrong with it."""
    recipe = load(file)
    click.echo(f"{file} is a recipe.\n{described(recipe)}")


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
        lines.append(f"  {where}: {point.move[0]:+g}, {point.move[1]:+g}")
    if recipe.mask is None:
        lines.append(f"reach: {recipe.where}")
    else:
        lines.append(f"mask: {', '.join(recipe.mask.regions)} and {recipe.mask.margin:g} around")
    if recipe.notes:
        lines += ["", recipe.notes.strip()]
    for each in recipe.verified_on:
        lines += [
            "",
            f"measured with {each.model} on {each.portraits} portraits at strength {each.strength:g}:",
        ]
        lines += [
            f"  share of the movement found again: {each.found:.2f} (a plain warp: {each.warp_found:.2f})",
            f"  identity distance: {each.identity:.2f} (a plain warp: {each.warp_identity:.2f})",
            f"  portraits with half of the movement at an identity distance up to 0.35: {each.good:.0%}",
        ]
    return "\n".join([*lines, "", f"digest {recipe.digest}"])
