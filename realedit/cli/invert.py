"""`realedit invert`: the stage that finds the face in the model, and says how well it did."""

import time
from pathlib import Path
from typing import Any

import click

from inversion import InversionSettings, Step
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
from realedit.cli.perception import offer_backbone
from realedit.cli.photo_options import max_pixels_option
from realedit.cli.piping import piped
from realedit.cli.progress import Watcher
from realedit.cli.stages import aligned
from realedit.cli.streams import message, result
from realedit.drag import DragStep
from realedit.editing.kept import invert_once
from realedit.editing.report import report_of, sheet
from realedit.editing.request import changed_settings
from realedit.photos import read_photo
from realedit.plumbing.files import write_bytes, write_png
from realedit.sessions.session import check_folder


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
    check_folder(keep)
    settings = changed_settings(InversionSettings.preset(quality, seed=seed, label=label), changes)
    if quality != "draft":
        offer_backbone(settings, quiet=quiet)
    picture = read_photo(photo, max_pixels=max_pixels, source=piped(photo, max_pixels))
    session, checkpoint = aligned(picture, model, face, box, device, quality, settings)
    started, worked = time.perf_counter(), False
    with Watcher(quiet=quiet) as watcher:

        def on_step(step: Step | DragStep) -> bool:
            nonlocal worked
            worked = True
            return watcher(step)

        session = invert_once(session, checkpoint, settings, use_cache=use_cache, on_step=on_step)
    seconds = time.perf_counter() - started if worked else None
    session.save(keep)
    if report:
        found = report_of(session, checkpoint, picture, seconds=seconds)
        write_bytes(keep / "report.json", found.to_json(), private=True)
        write_png(keep / "report.png", sheet(session, checkpoint), private=True)
        if not quiet:
            result(found.in_words())
    if not quiet:
        message(str(keep))
