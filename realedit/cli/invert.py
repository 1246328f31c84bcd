"""`realedit invert`: the stage that finds the face in the model, and says how well it did."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from realedit.cli.options import (
    box_option,
    face_option,
    inversion_options,
    model_options,
    path_option,
    photo_argument,
    talk_options,
)
from realedit.cli.paths import Keeps, PathCommand
from realedit.cli.photo_options import max_pixels_option
from realedit.cli.piping import piped
from realedit.cli.progress import Watcher
from realedit.cli.streams import message, result

if TYPE_CHECKING:
    from realedit.api import DragStep, Step


@click.command("invert", cls=PathCommand)
@photo_argument
@path_option("--keep", kind=Keeps(), required=True, help="The folder for the session.")
@model_options
@face_option
@box_option
@inversion_options
@max_pixels_option
@click.option("--report", is_flag=True, help="Measure the inversion: print it, and keep it in the folder.")
@talk_options
def invert_command(
    photo: Path,
    keep: Path,
    model: str,
    quality: Any,
    face: str,
    box: Any,
    seed: int,
    label: str | None,
    device: str,
    changes: tuple[tuple[str, str], ...],
    use_cache: bool,
    max_pixels: int,
    report: bool,
    quiet: bool,
) -> None:
    """Find the face of PHOTO in the model and keep the session in a folder."""
    from realedit import api
    from realedit.api.asking import inversion_settings
    from realedit.api.pictures import check_folder, write_report
    from realedit.cli.perception import offer_backbone

    check_folder(keep)
    settings = inversion_settings(quality, seed, label, dict(changes))
    if quality != "draft":
        offer_backbone(settings, quiet=quiet)
    source = piped(photo, max_pixels)
    picture = api.open(photo if source is None else source, max_pixels=max_pixels)
    loaded = api.load_model(model, device=device)
    started, worked = time.perf_counter(), False
    with Watcher(quiet=quiet) as watcher:

        def on_step(step: Step | DragStep) -> bool:
            nonlocal worked
            worked = True
            return watcher(step)

        session = api.Session.open(
            picture, face=face, box=box, quality=quality, model=loaded, seed=seed, label=label,
            inversion=dict(changes), cache=use_cache, on_step=on_step,
        )  # fmt: skip
    seconds = time.perf_counter() - started if worked else None
    session.save(keep)
    if report:
        found = session.measure(seconds=seconds)
        write_report(keep, found, session.sheet())
        if not quiet:
            result(found.in_words())
    if not quiet:
        message(str(keep))
