"""`realedit watch`: every photo that comes into a folder, as it comes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from realedit.batch.settings import Done
from realedit.cli.examples import ExampleCommand
from realedit.cli.folders import FolderCommand, folder_options, parse_seconds
from realedit.cli.options import talk_options


class Put(click.ParamType[Done]):
    """What becomes of photos that are done: `keep`, `move:DIR` or `delete`."""

    name = "done"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Done:
        """Read it. Raises click's usage error for anything else."""
        if isinstance(value, Done):
            return value
        if value in ("keep", "delete"):
            return Done(mode=value)
        kind, _, folder = value.partition(":")
        if kind == "move" and folder:
            return Done(mode="move", folder=Path(folder).resolve())
        raise click.BadParameter(f"{value!r} is none of keep, move:DIR and delete")

    def paths(self, value: Done) -> Iterator[Path]:
        """The folder that is filled, if any."""
        if value.folder is not None:
            yield value.folder


EXAMPLES = """
realedit watch inbox/ outbox/ --recipe smile
realedit watch inbox/ outbox/ --recipe smile --done move:originals/
realedit watch inbox/ outbox/ --recipe smile --settle 10s --metrics-port 9100
"""


@click.command("watch", cls=ExampleCommand, examples=EXAMPLES)
@folder_options
@click.option(
    "--settle",
    type=parse_seconds,
    metavar="TIME",
    default="2s",
    show_default=True,
    help="How long a file must not have changed before it is taken.",
)
@click.option(
    "--patience",
    type=parse_seconds,
    metavar="TIME",
    default="1m",
    show_default=True,
    help="How long a file that cannot be decoded must not have changed before it goes to quarantine.",
)
@click.option("--poll", is_flag=True, help="Look every few seconds instead of listening for events.")
@click.option("--once", is_flag=True, help="End when everything in IN is done.")
@click.option(
    "--done",
    type=Put(),
    default="keep",
    show_default=True,
    metavar="keep|move:DIR|delete",
    help="What happens to a photo in IN once its output was written and verified.",
)
@talk_options
@click.pass_context
def watch_command(
    ctx: click.Context,
    /,
    shared: FolderCommand,
    settle: float,
    patience: float,
    poll: bool,
    once: bool,
    done: Done,
    quiet: bool,
) -> None:
    """Edit photos as they come into IN, until SIGTERM or Ctrl-C; SIGHUP reads the recipes again."""
    settings = {
        "once": once,
        "patience": patience,
        "remake": False,
        "done": done,
        "poll": max(settle, 1.0),
    }
    counts = shared.changed(settings, settle=settle, events=not poll, links=False).run(quiet=quiet)
    if not once:
        ctx.exit(0)
    ctx.exit(130 if counts.stopped else 6 if counts.failed + counts.quarantined else 0)
