"""`realedit watch`: every photo that comes into a folder, as it comes."""

from pathlib import Path

import click

from realedit.batch.settings import Done
from realedit.cli.folders import FolderCommand, folder_options, parse_seconds
from realedit.cli.options import talk_options


def parse_done(text: str) -> Done:
    """`keep`, `move:DIR` or `delete`. Raises click's usage error for anything else."""
    if text in ("keep", "delete"):
        return Done(mode=text)  # type: ignore[arg-type]
    kind, _, folder = text.partition(":")
    if kind == "move" and folder:
        return Done(mode="move", folder=Path(folder).resolve())
    raise click.BadParameter(f"{text!r} is none of keep, move:DIR and delete")


@click.command("watch")
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
    type=parse_done,
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
