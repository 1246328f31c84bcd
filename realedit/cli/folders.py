"""What `batch` and `watch` share: their options, and working a folder off."""

from __future__ import annotations

import dataclasses
import functools
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from realedit.batch.events import Counts, Show
from realedit.batch.ledger_file import FOLDER
from realedit.batch.running import FolderRequest, MakePool, run_folder
from realedit.batch.settings import EngineSettings
from realedit.batch.work import Pool, Work
from realedit.cli.options import (
    Command,
    faces_option,
    inversion_options,
    model_options,
    path_option,
    recipe_option,
    strength_option,
    uses_of,
)
from realedit.cli.paths import Fills, Reads
from realedit.cli.photo_options import max_pixels_option, writing_options
from realedit.cli.showing import Shown, print_summary, several
from realedit.cli.streams import complain
from realedit.errors import UsageError

if TYPE_CHECKING:
    from realedit.api import EditRequest

TOGETHER = 8  # faces that a worker on a GPU gets at most unless told
_LONGEST = 366 * 24 * 3600.0  # seconds


def folder_options(command: Command) -> Command:
    """IN, OUT, what to do and with which workers; the command gets it as one `shared: FolderCommand` beside
    the options that it has already."""
    names = [option.name for option in getattr(command, "__click_params__", ())]

    @functools.wraps(command)
    def with_shared(**options: Any) -> Any:
        own = {name: options.pop(name) for name in names}
        return command(shared=_shared(**options), **own)

    wrapped: Any = with_shared
    for option in reversed(
        [
            click.argument("folder", metavar="IN", type=Reads()),
            click.argument("output", metavar="OUT", type=Fills()),
            recipe_option(required=True),
            strength_option,
            model_options,
            faces_option,
            inversion_options,
            writing_options,
            max_pixels_option,
            click.option("--recursive", is_flag=True, help="Look into folders below IN too."),
            click.option(
                "--workers",
                type=click.IntRange(1, 256),
                help="Processes. [default: one per GPU, else by cores]",
            ),
            click.option(
                "--together",
                type=click.IntRange(1, 64),
                metavar="N",
                help="Faces that a worker inverts side by side: faster; the result's last bits depend on it. "
                "[default: 1; on GPUs as many as fit, at most 8]",
            ),
            click.option(
                "--engine",
                type=click.Choice(["local", "ray"]),
                default="local",
                show_default=True,
                help="Where the workers are: processes of this machine, or a Ray cluster.",
            ),
            click.option(
                "--ray-address", metavar="ADDR", help="An existing Ray cluster. [default: start one]"
            ),
            click.option(
                "--attempts",
                type=click.IntRange(1, 100),
                default=3,
                show_default=True,
                help="For a photo whose worker dies or hangs, until it goes to quarantine.",
            ),
            click.option(
                "--time-limit",
                type=parse_seconds,
                metavar="TIME",
                default="15m",
                show_default=True,
                help="For one attempt at a photo.",
            ),
            path_option(
                "--quarantine",
                kind=Fills(),
                help="For photos that cannot be edited. [default: OUT/quarantine]",
            ),
            click.option(
                "--compare-format",
                "compare",
                type=click.Choice(["html", "png", "gif"]),
                help="Also write before and after beside each output.",
            ),
            click.option(
                "--metrics-port", type=click.IntRange(0, 65535), help="Serve Prometheus metrics on 127.0.0.1."
            ),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON object per event."),
        ]
    ):
        wrapped = option(wrapped)
    return cast(Command, wrapped)


def parse_seconds(text: str) -> float:
    """`2s`, `500ms`, `15m` or `2`. Raises click's usage error for anything else."""
    for unit, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("", 1.0)):
        if text.endswith(unit):
            try:
                seconds = float(text.removesuffix(unit)) * factor
            except ValueError:
                break
            if 0 < seconds <= _LONGEST:
                return seconds
            break
    raise click.BadParameter(f"{text!r} is not a time of at most a year; write e.g. 2s, 500ms or 15m")


@dataclasses.dataclass(frozen=True, kw_only=True)
class FolderCommand:
    """What a command was asked for. edit: what is done to each photo, but for the recipes."""

    request: FolderRequest
    edit: EditRequest
    recipes: tuple[str, ...]
    strength: float
    compare: str | None
    workers: int | None
    engine: str
    ray_address: str | None
    metrics_port: int | None
    as_json: bool

    def changed(self, settings: dict[str, Any], **request: Any) -> FolderCommand:
        """The same with other settings of the engine, and other fields of the request."""
        engine = dataclasses.replace(self.request.settings, **settings)
        return dataclasses.replace(
            self, request=dataclasses.replace(self.request, settings=engine, **request)
        )

    def work(self) -> Work:
        """What workers do, with the recipes as their files say now."""
        from realedit.batch.edits import EditWork

        edit = dataclasses.replace(self.edit, recipes=uses_of(self.recipes, self.strength))
        return EditWork.of(edit, self.compare)

    def make_pool(self) -> MakePool:
        """Where the workers are."""
        if self.engine == "ray":
            return self._ray_pool
        if self.ray_address is not None:
            raise UsageError("--ray-address is for --engine ray")
        from realedit.batch.local import LocalPool
        from realedit.plumbing.devices import gpus

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        found = gpus(self.edit.device)
        workers = self.workers or len(found) or cores
        return lambda work: LocalPool(work, workers, threads=max(1, cores // workers), gpus=found)

    def _ray_pool(self, work: Work) -> Pool:
        from realedit.batch.cluster import RayPool

        request = self.request.resolved()
        return RayPool(
            work,
            address=self.ray_address,
            workers=self.workers,
            gpus=self.edit.device != "cpu",
            shared=(request.folder, request.output / FOLDER),
        )

    def run(self, *, quiet: bool) -> Counts:
        """Work the folder off and show it."""
        started = time.monotonic()
        make_pool = self.make_pool()
        work = self.work()
        with ExitStack() as stack:
            shown = Shown(quiet=quiet, as_json=self.as_json)
            show: Show = shown
            if self.metrics_port is not None:
                from realedit.batch.metrics import Metrics

                metrics = Metrics(self.metrics_port)
                stack.callback(metrics.close)
                if not quiet:
                    complain(f"metrics are at http://127.0.0.1:{metrics.port}/metrics")
                show = several(shown, metrics)
            stack.enter_context(shown)
            counts = run_folder(self.request, work, make_pool, show, reread=self.work)
        if not (quiet or self.as_json):
            print_summary(counts, time.monotonic() - started)
        return counts


def _shared(
    *,
    folder: Path,
    output: Path,
    recursive: bool,
    quarantine: Path | None,
    attempts: int,
    time_limit: float,
    together: int | None,
    label_visible: bool,
    use_cache: bool,
    **options: Any,
) -> FolderCommand:
    """The shared options; those that are neither the folders' nor the run's are the edit's."""
    from realedit.api import EditRequest
    from realedit.batch.work import NOWHERE
    from realedit.plumbing.devices import gpus

    names = {field.name for field in dataclasses.fields(FolderCommand)}
    run = {name: options.pop(name) for name in names & options.keys()}
    if together is None:
        together = TOGETHER if gpus(options["device"]) else 1
    settings = EngineSettings(attempts=attempts, time_limit=time_limit, together=together)
    return FolderCommand(
        request=FolderRequest(
            folder=folder, output=output, recursive=recursive, quarantine=quarantine, settings=settings
        ),
        edit=EditRequest(
            photo=NOWHERE, output=NOWHERE, visible_label=label_visible, cache=use_cache, **options
        ),
        **run,
    )
