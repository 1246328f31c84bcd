"""`realedit models`: list, pull, info, convert and verify generators."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checkpoints.domains import DOMAINS
from checkpoints.errors import CheckpointError
from checkpoints.files import megabytes
from realedit.cli.paths import Named, PathCommand, Reads, Writes
from realedit.cli.streams import message, result
from realedit.errors import OutputError
from realedit.plumbing.printing import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from checkpoints.domains import Alignment
    from checkpoints.information import Information
    from checkpoints.registry import Entry, Licence


@click.group("models")
def models_group() -> None:
    """Models: what is here, what can be had, and what a file is."""


@models_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array instead of a table.")
def list_models(as_json: bool) -> None:
    """List bundled, cached and known models."""
    from rich.markup import escape
    from rich.table import Table

    from checkpoints import models

    rows = models.listing()
    if as_json:
        _print_json([asdict(row) for row in rows])
        return
    table = Table("name", "draws", "pixels", "size", "licence", "where", box=None, header_style="bold")
    for row in rows:
        pixels = str(row.resolution or "")
        size = megabytes(row.size) if row.size is not None else ""
        where = escape(printable(row.where)) if row.place == "cached" else row.place
        table.add_row(row.name, row.domain, pixels, size, row.licence, where)
    _print_table(table)


@models_group.command(cls=PathCommand)
@click.argument("name")
@click.option(
    "--from",
    "source",
    type=Named(),
    metavar="FILE|URL",
    help="Take it from here instead of the registry's address.",
)
@click.option("--accept-licence", is_flag=True, help="Do not ask about a non-commercial licence.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def pull(name: str, source: str | None, accept_licence: bool, quiet: bool) -> None:
    """Fetch model NAME, check it and keep its conversion in the cache."""
    from rich.console import Console

    from checkpoints import models
    from checkpoints.registry import registry

    console = Console(stderr=True)
    entry = models.find_entry(name)
    licence = registry().licences[entry.licence]
    console.print(
        f"{entry.name}: {licence.title}. {licence.terms}\n{licence.url}", highlight=False, soft_wrap=True
    )

    def accept(entry: Entry, licence: Licence) -> bool:
        if accept_licence:
            return True
        if not sys.stdin.isatty():
            raise CheckpointError(
                f"{entry.name} is non-commercial ({licence.title}); add --accept-licence to accept that."
            )
        return click.confirm("Accept this licence?", err=True)

    with _progress(console, quiet) as bar:
        task = bar.add_task(name, total=None)
        pulled = models.pull(
            name,
            source=source,
            accept_licence=accept,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if pulled.already:
        console.print(f"{name} is here already: {pulled.path}", highlight=False, soft_wrap=True)
        return
    if pulled.first:
        console.print(
            f"Nobody has published a hash of this file; its SHA-256 is {pulled.record.source_sha256}, "
            f"and later downloads of {name} must have it.",
            highlight=False,
            soft_wrap=True,
        )
    message(str(pulled.path))


@models_group.command()
@click.argument("model", metavar="NAME|FILE", type=Named())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def info(model: str, as_json: bool) -> None:
    """Say what a model is: format, shape, domain, origin and what it lacks."""
    from rich.markup import escape
    from rich.table import Table

    from checkpoints.information import inspect

    found = inspect(model)
    if as_json:
        _print_json(asdict(found))
        return
    table = Table(box=None, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for key, value in _rows(found):
        table.add_row(key, escape("\n".join(map(printable, value.splitlines()))))
    _print_table(table)


def _rows(found: Information) -> list[tuple[str, str]]:
    widths = ", ".join(f"{channels} at {resolution}" for resolution, channels in found.channels.items())
    label = f"yes, {found.label_length} classes or numbers" if found.label_length else "no"
    return [
        ("name", found.name),
        ("file", found.path),
        ("format", found.format),
        ("size", megabytes(found.size)),
        ("SHA-256", found.sha256),
        (
            "draws",
            f"{found.domain}, {found.resolution} x {found.resolution} pixels, aligned by {found.alignment}",
        ),
        ("channels", widths),
        ("latent", f"{found.num_ws} x {found.w_dim}, z {found.z_dim}, {found.mapping_layers} mapping layers"),
        ("conditional", label),
        ("clamp", "none" if found.clamp is None else f"{found.clamp:g}"),
        ("licence", found.licence),
        *(
            (key.replace("_", " "), _readable(value))
            for key, value in found.origin.items()
            if value not in (found.format, found.sha256)
        ),
        ("missing", "; ".join(found.missing) or "nothing"),
    ]


def _readable(value: str) -> str:
    """A value of a file's metadata; of JSON a line per key, or how many items there are and which."""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return value
    if isinstance(found, dict):
        return "\n".join(f"{key}: {item}" for key, item in found.items())
    if isinstance(found, list):
        return f"{len(found)}: {', '.join(map(str, found))}"
    return value


@models_group.command("convert", cls=PathCommand)
@click.argument("source", metavar="IN", type=Reads())
@click.argument("target", metavar="OUT.safetensors", type=Writes())
@click.option("--domain", type=click.Choice(DOMAINS), help="What it draws, where the file does not say.")
@click.option("--alignment", type=click.Choice(["ffhq", "box"]), help="How photos are aligned for it.")
def convert_model(source: Path, target: Path, domain: str | None, alignment: Alignment | None) -> None:
    """Convert a checkpoint of any known format to safetensors."""
    from checkpoints.convert import convert

    _check_model(target)
    convert(source, target, domain=domain, alignment=alignment)
    message(str(target))


def _check_model(target: Path) -> None:
    """Raise OutputError where something else than a model of ours would be replaced."""
    from checkpoints.storage import read_safetensors

    if target.is_symlink() or (target.exists() and (target.is_dir() or target.stat().st_size)):
        try:
            read_safetensors(target)
        except CheckpointError as error:
            raise OutputError(
                f"cannot write {target}: what is there is no model of realedit's; "
                "remove it or give another name"
            ) from error


@models_group.command()
@click.argument("name", required=False)
def verify(name: str | None) -> None:
    """Hash what is cached again and compare; all models, or NAME alone."""
    from checkpoints import models

    found = models.verify(name)
    for each, problem in found:
        result(f"{each}: {problem or 'ok'}")
    if not found:
        click.echo("Nothing is cached.", err=True)
    bad = [each for each, problem in found if problem]
    if bad:
        raise CheckpointError(f"Models that cannot be used: {', '.join(bad)}; see above what to do.")


def _progress(console: Console, quiet: bool) -> Progress:
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=quiet)


def _print_table(table: Table) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:  # a pipe gets whole lines, whatever the width of the terminal
        console = Console(width=400)
    console.print(table, highlight=False)


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, default=str))
