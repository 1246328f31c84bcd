"""A batch as it happens: a progress bar on a terminal, plain lines or JSON elsewhere, and a summary."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any

from realedit.batch.events import Counts, Happening, Show
from realedit.cli.progress import TITLES
from realedit.cli.streams import event, message, say
from realedit.plumbing.printing import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

_STAGES = {
    **TITLES,
    "read": "reading",
    "load": "reading",
    "align": "looking for the face",
    "invert": TITLES["project"],
    "paste": "pasting",
    "write": "writing",
    "identity": "comparing the faces",
    "look": "looking at the result",
    "verify": "reading back",
}
_TOLD = ("note", "retry", "waiting", "paused", "resumed", "stopping", "reloaded", "watching")
_ENDS = ("done", "copied", "failed", "quarantined")
_LONGEST = 32  # characters of a name in front of a bar


def several(*shows: Show) -> Show:
    """Tell all of them."""

    def show(happening: Happening) -> None:
        for each in shows:
            each(happening)

    return show


def count_of(number: int) -> str:
    """`1 photo`, `2 photos`."""
    return f"{number} photo{'' if number == 1 else 's'}"


class Pace:
    """How long the rest takes, from what was worked on so far; time without work does not count."""

    def __init__(self) -> None:
        self._busy, self._ended = 0.0, 0
        self._last, self._running = 0.0, False

    def __call__(self, happening: Happening, now: float) -> str:
        """`h:mm:ss` left after a happening at `now` (seconds), or nothing where that cannot be told."""
        if self._running:
            self._busy += now - self._last
        self._last, self._running = now, happening.counts.running > 0
        self._ended += happening.kind in _ENDS and not happening.data.get("earlier")
        if not (self._ended and happening.counts.left):
            return ""
        return str(timedelta(seconds=round(happening.counts.left * self._busy / self._ended)))


class Bars:
    """A bar for all photos, and one for each that is in work. Lines appear above them."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        self.console = console
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[steps]}", markup=False),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
            redirect_stdout=False,  # it may be a file, and is written through `say` where it is not
        )
        self._all = self._bar.add_task("photos", total=None, steps="", note="")
        self._rows: dict[int, TaskID] = {}
        self._pace, self._paused = Pace(), False
        self._moved: list[tuple[logging.StreamHandler[Any], Any]] = []

    def start(self) -> None:
        """Draw, and let messages of the log appear above too."""
        before = sys.stderr
        self._bar.start()
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is before:
                handler.setStream(sys.stderr)
                self._moved.append((handler, before))

    def stop(self) -> None:
        """Draw the last state."""
        for number in list(self._rows):
            self._bar.remove_task(self._rows.pop(number))
        for handler, stream in self._moved:
            handler.setStream(stream)
        self._moved.clear()
        self._bar.stop()

    def say(self, text: str) -> None:
        """A line above the bars, never broken."""
        from rich.text import Text

        self.console.print(Text(text), soft_wrap=True)

    def __call__(self, happening: Happening) -> None:
        """Draw what one happening changes."""
        number, counts = happening.id, happening.counts
        if number is not None and happening.kind in ("started", "stage"):
            if number not in self._rows:
                name = _shortened(printable(happening.photo.name if happening.photo else ""))
                self._rows[number] = self._bar.add_task(
                    f"  {name}", total=1, steps="", note="loading the model"
                )
            if happening.kind == "stage":
                self._draw_stage(self._rows[number], **happening.data)
        elif number in self._rows:
            self._bar.remove_task(self._rows.pop(number))
        if happening.kind in ("paused", "resumed"):
            self._paused = happening.kind == "paused"
        bad, left = counts.failed + counts.quarantined, self._pace(happening, time.monotonic())
        notes = [f"{left} left" if left else "", f"{bad} failed" if bad else ""]
        notes.append("waiting for room on the disk" if self._paused else "")
        total = counts.finished + counts.left
        self._bar.update(
            self._all,
            total=total or None,
            completed=counts.finished,
            steps=f"{counts.finished}/{total}" if total else "",
            note=", ".join(filter(None, notes)),
        )

    def _draw_stage(self, row: TaskID, stage: str, index: int, total: int) -> None:
        steps = f"{index}/{total}" if total else ""
        note = _STAGES.get(stage, stage)
        self._bar.update(row, total=max(total, 1), completed=index, steps=steps, note=note)


class Shown(AbstractContextManager["Shown"]):
    """A `Show` on the console."""

    def __init__(self, *, quiet: bool = False, as_json: bool = False) -> None:
        self._quiet, self._as_json = quiet, as_json
        from rich.console import Console

        console = Console(stderr=True)
        self._bars = Bars(console) if console.is_terminal and not (quiet or as_json) else None

    def __enter__(self) -> Shown:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, happening: Happening) -> None:
        """Show one happening."""
        if self._as_json:
            if happening.kind != "counts":
                event(json.dumps(as_json(happening)))
            return
        if self._bars is not None:
            self._bars(happening)
        if not self._quiet or happening.kind in ("failed", "quarantined"):
            self._say(happening)

    def _say(self, happening: Happening) -> None:
        photo = "" if happening.photo is None else f"{happening.photo}: "
        if happening.kind in ("done", "copied"):
            self._line(f"{happening.output}  ({_how(happening)})", err=False)
            for warning in happening.data.get("warnings", ()):
                self._line(f"realedit: {photo}{warning}")
        elif happening.kind in ("failed", "quarantined"):
            copy = happening.data.get("copy")
            kept = f"; a copy is in {copy}" if copy else ""
            if happening.data.get("earlier"):
                kept = " (in an earlier run; to try again: realedit jobs OUT retry)"
            photo = "" if happening.photo is None else f"{happening.photo} {happening.kind}: "
            self._line(f"realedit: {photo}{happening.text}{kept}")
        elif happening.kind in _TOLD:
            self._line(f"realedit: {photo if happening.kind == 'retry' else ''}{happening.text}")

    def _line(self, text: str, *, err: bool = True) -> None:
        if self._bars is not None and (err or sys.stdout.isatty()):
            self._bars.say(printable(text))
        else:
            (say if err else message)(text)


def as_json(happening: Happening) -> dict[str, object]:
    """One line of `--json`."""
    plain: dict[str, object] = {"event": happening.kind}
    facts = {"id": happening.id, "photo": happening.photo, "output": happening.output}
    plain |= {name: each if name == "id" else str(each) for name, each in facts.items() if each is not None}
    if happening.text:
        plain["text"] = happening.text
    if happening.kind == "summary":
        plain["counts"] = vars(happening.counts)
    return {**plain, **happening.data}


def print_summary(counts: Counts, seconds: float) -> None:
    """What became of the photos, as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("photos", "", box=None, header_style="bold")
    rows: Sequence[tuple[str, int]] = (
        ("edited", counts.done),
        ("copied from the same content", counts.copied),
        ("done before", counts.skipped),
        ("failed", counts.failed),
        ("quarantined", counts.quarantined),
        ("left for the next run", counts.left),
    )
    for what, number in rows:
        if number:
            table.add_row(str(number), what)
    if not (counts.finished or counts.left):
        table.add_row("0", "nothing to do")
    elif counts.done:
        table.add_row(f"{60 * counts.done / seconds:.1f}", "edited per minute")
    Console(stderr=True, highlight=False).print(table)


def _how(happening: Happening) -> str:
    if happening.kind == "copied":
        return f"copied from {happening.data['of']}"
    return f"{sum(happening.data.get('timings', {}).values()):.1f} s"


def _shortened(name: str) -> str:
    """A name with its middle left out, where it is long."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST // 2 - 1]}…{name[-_LONGEST // 2 :]}"
