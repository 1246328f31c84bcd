"""`realedit watch`: every photo that comes into a folder, as it comes."""

from pathlib import Path
from typing import Any

import click

from realedit.batch.running import FolderRequest
from realedit.batch.settings import Done, EngineSettings
from realedit.cli.folders import FolderCommand, folder_options, parse_seconds
from realedit.cli.options import set_up_logging, talk_options


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
    folder: Path,
    output: Path,
    recursive: bool,
    settle: float,
    patience: float,
    poll: bool,
    once: bool,
    done: Done,
    attempts: int,
    time_limit: float,
    quarantine: Path | None,
    verbose: bool,
    log_file: Path | None,
    **options: Any,
) -> None:
    """Edit photos as they come into IN, until SIGTERM or Ctrl-C; SIGHUP reads the recipes again."""
    set_up_logging(verbose=verbose, quiet=options["quiet"], log_file=log_file)
    request = FolderRequest(
        folder=folder,
        output=output,
        recursive=recursive,
        settle=settle,
        events=not poll,
        links=False,
        quarantine=quarantine,
        settings=EngineSettings(
            once=once,
            attempts=attempts,
            time_limit=time_limit,
            patience=patience,
            remake=False,
            done=done,
            poll=max(settle, 1.0),
        ),
    )
    counts = FolderCommand.of(request, options).run()
    if not once:
        ctx.exit(0)
    ctx.exit(130 if counts.stopped else 6 if counts.failed + counts.quarantined else 0)
