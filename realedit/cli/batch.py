"""`realedit batch`: every photo of a folder, once."""

import json
from collections.abc import Iterable
from pathlib import Path

import click

from realedit.batch.running import pairs, plan
from realedit.cli.examples import ExampleCommand
from realedit.cli.folders import FolderCommand, folder_options
from realedit.cli.options import path_option, talk_options
from realedit.cli.paths import Writes
from realedit.cli.showing import count_of
from realedit.cli.streams import complain, message, result
from realedit.errors import UsageError

EXAMPLES = """
realedit batch album/ smiling/ --recipe smile
realedit batch album/ smiling/ --recipe smile:0.5 --face all --sheet pairs.html
realedit batch album/ smiling/ --recipe smile --quality draft --dry-run
realedit batch album/ smiling/ --recipe smile --strip gps --label-visible
"""


@click.command("batch", cls=ExampleCommand, examples=EXAMPLES)
@folder_options
@click.option("--skip-existing", is_flag=True, help="Leave photos alone whose output is there.")
@click.option("--force", is_flag=True, help="Edit photos again that are done, and replace what is in OUT.")
@path_option("--sheet", kind=Writes(), help="Also write a contact sheet of all pairs (.html, .png or .jpg).")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@talk_options
@click.pass_context
def batch_command(
    ctx: click.Context,
    /,
    shared: FolderCommand,
    skip_existing: bool,
    force: bool,
    sheet: Path | None,
    dry_run: bool,
    quiet: bool,
) -> None:
    """Edit every photo in IN into OUT; a photo that was done before is not done again."""
    if skip_existing and force:
        raise UsageError("--skip-existing and --force say opposite things; give one of them")
    command = shared.changed({"existing": "skip" if skip_existing else "force" if force else "ledger"})
    if dry_run:
        _print_plan(plan(command.request, command.work()), as_json=command.as_json, quiet=quiet)
        return
    if sheet is not None:
        from realedit.api.comparisons import Entry, check_place, check_sheet, write_sheet

        check_sheet(sheet)
        check_place(sheet)
    counts = command.run(quiet=quiet)
    if sheet is not None and (entries := [Entry(*pair) for pair in pairs(command.request)]):
        pages, _ = write_sheet(sheet, entries)
        for page in pages if not quiet else ():
            (complain if command.as_json else message)(str(page))
    if counts.stopped:
        ctx.exit(130)
    ctx.exit(6 if counts.failed or counts.quarantined else 0)


def _print_plan(planned: Iterable[tuple[Path, Path]], *, as_json: bool, quiet: bool) -> None:
    """What a batch would do, a line per photo."""
    number = 0
    for source, target in planned:
        number += 1
        if as_json:
            click.echo(json.dumps({"event": "planned", "photo": str(source), "output": str(target)}))
        else:
            result(f"{source} -> {target}")
    if not quiet:
        complain(f"{count_of(number)} would be edited; nothing was written")
