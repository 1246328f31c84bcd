"""A batch as it happens: a progress bar on a terminal, plain lines or JSON elsewhere, and a summary."""

import json
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from realedit.batch.events import Counts, Happening, Show

_STAGES = {"project": "finding the face", "tune": "tuning to the photo", "drag": "dragging"}
_TOLD = ("note", "retry", "waiting", "paused", "resumed", "stopping", "reloaded")


def several(*shows: Show) -> Show:
    """Tell all of them."""

    def show(happening: Happening) -> None:
        for each in shows:
            each(happening)

    return show


def printable(path: object) -> str:
    """A path as a terminal may show it, whatever bytes its name has."""
    return click.format_filename(os.fspath(str(path)))


class Shown(AbstractContextManager["Shown"]):
    """A `Show` on the console."""

    def __init__(self, *, quiet: bool = False, as_json: bool = False) -> None:
        self._quiet, self._as_json = quiet, as_json
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        if self._console.is_terminal and not (quiet or as_json):
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[note]}"),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._all = self._bar.add_task("photos", total=None, note="")
        self._rows: dict[int, TaskID] = {}

    def __enter__(self) -> "Shown":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, happening: Happening) -> None:
        """Show one happening."""
        if self._as_json:
            click.echo(json.dumps(as_json(happening)))
            return
        if self._bar is not None:
            self._draw(self._bar, happening)
        if not self._quiet or happening.kind in ("failed", "quarantined"):
            self._say(happening)

    def _say(self, happening: Happening) -> None:
        if happening.kind in ("done", "copied"):
            click.echo(f"{printable(happening.output)}  ({_how(happening)})")
            for warning in happening.data.get("warnings", ()):
                click.echo(f"realedit: {printable(happening.photo)}: {warning}", err=True)
        elif happening.kind in ("failed", "quarantined"):
            copy = happening.data.get("copy")
            kept = f"; a copy is in {printable(copy)}" if copy else ""
            photo = "" if happening.photo is None else f"{printable(happening.photo)} {happening.kind}: "
            click.echo(f"realedit: {photo}{happening.text}{kept}", err=True)
        elif happening.kind in _TOLD:
            photo = f"{printable(happening.photo)}: " if happening.kind == "retry" else ""
            click.echo(f"realedit: {photo}{happening.text}", err=True)

    def _draw(self, bar: Progress, happening: Happening) -> None:
        number, counts = happening.id, happening.counts
        if number is not None and happening.kind in ("started", "stage"):
            if number not in self._rows:
                name = happening.photo.name if happening.photo else ""
                self._rows[number] = bar.add_task(f"  {printable(name)}", total=None, note="reading")
            stage = happening.data.get("stage")
            if stage is not None:
                total = happening.data["total"]
                bar.update(
                    self._rows[number],
                    total=total,
                    completed=happening.data["index"],
                    note=_STAGES.get(stage, stage),
                )
        elif number in self._rows:
            bar.remove_task(self._rows.pop(number))
        bad = counts.failed + counts.quarantined
        bar.update(
            self._all,
            total=counts.found or None,
            completed=counts.finished,
            note=f"{bad} failed" if bad else "",
        )


def as_json(happening: Happening) -> dict[str, object]:
    """One line of `--json`."""
    plain: dict[str, object] = {"event": happening.kind}
    if happening.id is not None:
        plain |= {"id": happening.id, "photo": str(happening.photo), "output": str(happening.output)}
    if happening.text:
        plain["text"] = happening.text
    if happening.kind == "summary":
        plain["counts"] = vars(happening.counts)
    return {**plain, **happening.data}


def print_summary(counts: Counts, seconds: float) -> None:
    """What became of the photos, as a table."""
    table = Table("photos", "", box=None, header_style="bold")
    rows: Sequence[tuple[str, int]] = (
        ("edited", counts.done),
        ("copied from the same content", counts.copied),
        ("done before", counts.skipped),
        ("failed", counts.failed),
        ("quarantined", counts.quarantined),
    )
    for what, number in rows:
        if number:
            table.add_row(str(number), what)
    if not counts.finished:
        table.add_row("0", "nothing to do")
    elif counts.done:
        table.add_row(f"{60 * counts.done / seconds:.1f}", "edited per minute")
    Console(stderr=True, highlight=False).print(table)


def _how(happening: Happening) -> str:
    if happening.kind == "copied":
        return f"copied from {printable(happening.data['of'])}"
    return f"{sum(happening.data.get('timings', {}).values()):.1f} s"
