"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from realedit.api.light import LARGEST_STRENGTH, DragSettings, parse_region
from realedit.cli.logs import set_up_logging
from realedit.cli.numbers import Number
from realedit.cli.paths import Logs, Named, PathType, Reads
from realedit.cli.streams import complain

if TYPE_CHECKING:
    from realedit.api import Use

Command = TypeVar("Command", bound=Callable[..., Any])
Point = tuple[float, float]


def parse_drag(text: str) -> tuple[Point, Point]:
    """`X,Y:X,Y`, a handle and its target in photo pixels. Raises click's usage error for anything else."""
    try:
        (x0, y0), (x1, y1) = ([float(number) for number in part.split(",")] for part in text.split(":"))
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is not a drag; write handle and target as X,Y:X,Y, e.g. 210,340:205,332"
        ) from error
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise click.BadParameter(f"{text!r} has a coordinate that is not a number")
    return (x0, y0), (x1, y1)


def parse_box(text: str) -> tuple[int, int, int, int]:
    """`X,Y,W,H` as (left, top, right, bottom). Raises click's usage error for anything else."""
    try:
        return parse_region(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def parse_pixels(text: str) -> float:
    """`2px` or `2`, a length above 0. Raises click's usage error for anything else."""
    try:
        length = float(text.removesuffix("px"))
    except ValueError:
        length = math.nan
    if not 0 < length <= 512:
        raise click.BadParameter(f"{text!r} is not a length from 0 to 512 pixels; write e.g. 2px")
    return length


def uses_of(recipes: Iterable[str], strength: float) -> tuple[Use, ...]:
    """The recipes by name or file, read now; `strength` is of those that name none."""
    from realedit.api.recipes import use_of

    return tuple(use_of(text, strength) for text in recipes)


def path_option(*names: str, kind: PathType, **kwargs: Any) -> Callable[[Command], Command]:
    """An option that takes a file or folder name; `kind` says what becomes of it."""
    return click.option(*names, type=kind, **kwargs)


def photo_argument(command: Command) -> Command:
    """PHOTO."""
    return click.argument("photo", type=Reads())(command)


def recipe_option(**kwargs: Any) -> Callable[[Command], Command]:
    """`--recipe`, which may be repeated; what is read of each is the command's."""
    return click.option(
        "--recipe",
        "recipes",
        type=Named(),
        metavar="NAME[:STRENGTH]",
        multiple=True,
        help="A named edit or a .toml file; may be repeated. See: realedit recipes list.",
        **kwargs,
    )


strength_option = click.option(
    "--strength",
    type=Number(-LARGEST_STRENGTH, LARGEST_STRENGTH),
    default=1.0,
    show_default=True,
    help="Of recipes that name none of their own; below 0 they do the opposite.",
)


def drag_options(command: Command) -> Command:
    """What and how far to drag; the command gets the numbers as one `settings: DragSettings`, and `drags` and
    `recipes: tuple[Use, ...]`, of which there is at least one."""

    @functools.wraps(command)
    def with_settings(
        *,
        max_steps: int,
        until: float,
        layers: int | None,
        step_size: float,
        drags: tuple[Any, ...],
        recipes: tuple[str, ...],
        strength: float,
        **options: Any,
    ) -> Any:
        if not drags and not recipes:
            raise click.UsageError("there is nothing to do; say what to move with --drag or --recipe")
        uses = uses_of(recipes, strength)
        settings = DragSettings(max_steps=max_steps, until=until, layers=layers, learning_rate=step_size)
        return command(settings=settings, drags=drags, recipes=uses, **options)

    wrapped: Any = with_settings
    for option in reversed(
        [
            click.option(
                "--drag",
                "drags",
                type=parse_drag,
                metavar="X,Y:X,Y",
                multiple=True,
                help="A handle and where it should go, in photo pixels as displayed; may be repeated.",
            ),
            recipe_option(),
            strength_option,
            path_option(
                "--mask", kind=Reads(), help="Picture of the photo's size; white may move, black stays."
            ),
            click.option(
                "--region",
                "regions",
                type=parse_box,
                metavar="X,Y,W,H",
                multiple=True,
                help="Rectangle of the photo that may change; may be repeated, and narrows --mask.",
            ),
            click.option(
                "--reach",
                type=click.Choice(["local", "face", "head", "all"]),
                default="local",
                show_default=True,
                help="How far around the points of --drag the photo may change; recipes say it themselves.",
            ),
            click.option(
                "--max-steps",
                type=click.IntRange(1, 10_000),
                default=DragSettings.max_steps,
                show_default=True,
                help="Drag steps at most.",
            ),
            click.option(
                "--until",
                type=parse_pixels,
                metavar="PX",
                default=f"{DragSettings.until:g}px",
                show_default=True,
                help="How near its target a point has arrived, in pixels of a 512 px face square.",
            ),
            click.option(
                "--layers",
                type=click.IntRange(1, 1000),
                help="How many layers of the latent move, coarsest first. [default: the model's advice]",
            ),
            click.option(
                "--step-size",
                type=Number(0, 10, min_open=True),
                default=DragSettings.learning_rate,
                show_default=True,
                help="Length of a drag step, in units of the latents' spread.",
            ),
        ]
    ):
        wrapped = option(wrapped)
    return cast(Command, wrapped)


model_option = click.option(
    "--model", type=Named(), default="face128", show_default=True, help="A model's name or file."
)


def model_options(command: Command) -> Command:
    """Which generator, how thoroughly, and where; which face is for `face_option` or `faces_option`."""
    for option in reversed(
        [
            model_option,
            click.option(
                "--quality",
                type=click.Choice(["draft", "standard", "best"]),
                default="standard",
                show_default=True,
                help="How long to look for the face in the model.",
            ),
            click.option("--seed", type=click.IntRange(0, (1 << 63) - 1), default=0, show_default=True),
            click.option("--label", help="Class of a model that draws several: its number, or all values."),
            device_option,
        ]
    ):
        command = option(command)
    return command


face_option = click.option(
    "--face", default="auto", show_default=True, help="auto, largest, or a number from the left."
)
box_option = click.option(
    "--box",
    type=parse_box,
    metavar="X,Y,W,H",
    help="Edit what is in this box, whatever it is, instead of looking for a face.",
)
faces_option = click.option(
    "--face",
    "faces",
    default=("auto",),
    show_default="auto",
    multiple=True,
    help="auto, largest, all, or a number from the left, which may be repeated.",
)


def parse_setting(text: str) -> tuple[str, str]:
    """`NAME=VALUE`. Raises click's usage error for anything else."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.BadParameter(f"{text!r} is no setting; write NAME=VALUE, e.g. projection.steps=80")
    return name.strip(), value.strip()


def inversion_options(command: Command) -> Command:
    """What may differ from the preset, `changes`, and whether the user's cache is used, `use_cache`."""
    for option in reversed(
        [
            click.option(
                "--set",
                "changes",
                type=parse_setting,
                metavar="NAME=VALUE",
                multiple=True,
                help="Change one setting of the inversion, e.g. tuning.steps=200; may be repeated.",
            ),
            click.option(
                "--no-cache",
                "use_cache",
                is_flag=True,
                flag_value=False,
                default=True,
                help="Neither look for an earlier inversion of the face nor keep this one.",
            ),
        ]
    ):
        command = option(command)
    return command


def device_option(command: Command) -> Command:
    """Where to compute."""
    return click.option(
        "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps."
    )(command)


def talk_options(command: Command) -> Command:
    """How much to say on stderr, which is set up before the command begins; it gets `quiet`."""

    @functools.wraps(command)
    def with_logging(*, verbose: bool, quiet: bool, log_file: Path | None, **options: Any) -> Any:
        set_up_logging(verbose=verbose, quiet=quiet, log_file=log_file)
        return command(quiet=quiet, **options)

    wrapped: Any = with_logging
    wrapped = click.option("-v", "--verbose", is_flag=True, help="Say more on stderr.")(wrapped)
    wrapped = click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")(wrapped)
    return cast(
        Command, path_option("--log-file", kind=Logs(), help="Keep all messages in this file.")(wrapped)
    )


def warn(warnings: Iterable[str], *, quiet: bool) -> None:
    """One line on stderr each, unless quiet."""
    if not quiet:
        for warning in warnings:
            complain(warning)
