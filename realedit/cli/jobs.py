"""`realedit jobs`: what the ledger of an output folder says, and trying again."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from realedit.batch.job import Job, State
from realedit.batch.ledger import Ledger
from realedit.batch.ledger_file import has_ledger
from realedit.cli.paths import Reads
from realedit.cli.showing import count_of
from realedit.cli.streams import message, result
from realedit.errors import UsageError
from realedit.plumbing.files import output_error
from realedit.plumbing.printing import printable

ID = click.IntRange(1, (1 << 63) - 1)
_WIDE = 1 << 16  # characters of a line that no terminal breaks
_READING = ("list", "show")
_AGAIN = (State.FAILED, State.QUARANTINED)


@click.group("jobs")
@click.argument("output", metavar="OUT", type=Reads())
@click.pass_context
def jobs_group(ctx: click.Context, output: Path) -> None:
    """What became of the photos whose outputs are in OUT."""
    if not has_ledger(output):
        raise UsageError(f"{output} has no ledger; name the OUT of a realedit batch or watch")
    ledger = Ledger(output, read_only=ctx.invoked_subcommand in _READING)
    ctx.call_on_close(ledger.close)
    ctx.obj = ledger


@jobs_group.command("list")
@click.option(
    "--state", type=click.Choice([str(state) for state in State]), help="Only photos in this state."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per photo.")
@click.pass_obj
def list_jobs(ledger: Ledger, state: str | None, as_json: bool) -> None:
    """List the photos and their states."""
    jobs = ledger.jobs(*([State(state)] if state else []))
    if as_json:
        for job in jobs:
            click.echo(json.dumps(job.as_json()))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("id", "state", "tries", box=None, header_style="bold")
    for name in ("photo", "reason"):
        table.add_column(name, overflow="fold")
    for job in jobs:
        table.add_row(
            str(job.id), job.state, str(job.attempts), printable(job.source), printable(job.reason or "")
        )
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _WIDE
    console.print(table)


@jobs_group.command()
@click.argument("number", metavar="ID", type=ID)
@click.pass_obj
def show(ledger: Ledger, number: int) -> None:
    """Everything about the photo with the number ID."""
    job = _job(ledger, number)
    for name, value in job.as_json().items():
        shown = datetime.fromtimestamp(value).isoformat(" ", "seconds") if name == "updated" else value
        result(f"{name:14} {printable(shown)}")


@jobs_group.command()
@click.argument("numbers", metavar="[ID]...", type=ID, nargs=-1)
@click.pass_obj
def retry(ledger: Ledger, numbers: tuple[int, ...]) -> None:
    """Try failed and quarantined photos again: those named, or all."""
    jobs = [job for job in _named(ledger, numbers, _AGAIN) if job.state in _AGAIN]
    with _writing(ledger):
        ledger.retry(*jobs)
    message(f"{count_of(len(jobs))} will be tried again by a running or the next realedit batch or watch")


@jobs_group.command()
@click.argument("numbers", metavar="[ID]...", type=ID, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All photos.")
@click.pass_obj
def forget(ledger: Ledger, numbers: tuple[int, ...], everything: bool) -> None:
    """Remove photos from the ledger; their outputs stay, as files that realedit does not replace."""
    if bool(numbers) == everything:
        raise UsageError("say which photos to forget: their IDs, or --all")
    jobs = [job for job in _named(ledger, numbers, tuple(State)) if job.state is not State.RUNNING]
    with _writing(ledger):
        ledger.forget(*jobs)
    message(f"{count_of(len(jobs))} forgotten")


@contextmanager
def _writing(ledger: Ledger) -> Iterator[None]:
    """A disk that is full or read-only, as a user should hear it."""
    try:
        yield
    except OSError as error:
        assert ledger.path is not None
        raise output_error(error, ledger.path) from error


def _named(ledger: Ledger, numbers: tuple[int, ...], states: tuple[State, ...]) -> Iterator[Job]:
    if not numbers:
        yield from list(ledger.jobs(*states))
    for number in numbers:
        yield _job(ledger, number)


def _job(ledger: Ledger, number: int) -> Job:
    job = ledger.job(number)
    if job is None:
        raise UsageError(f"the ledger has no photo {number}; see: realedit jobs OUT list")
    return job
