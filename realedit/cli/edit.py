"""`realedit edit`: a photo in, the same photo with a dragged face out."""

import json
import logging
from pathlib import Path
from typing import Any

import click

from realedit.cli.options import (
    box_option,
    drag_options,
    faces_option,
    inversion_options,
    model_options,
    path_option,
    photo_argument,
    talk_options,
    warn,
)
from realedit.cli.photo_options import max_pixels_option, writing_options
from realedit.cli.progress import Watcher
from realedit.compositing import MODES
from realedit.drag import DragSettings
from realedit.editing import EditRequest, edit
from realedit.outcome import EditReport, endings
from realedit.photos import Signing, Strip
from realedit.pipeline import PasteSettings
from realedit.recipes import Use

log = logging.getLogger(__name__)


@click.command("edit")
@photo_argument
@path_option("-o", "--output", required=True, help="The edited photo; its extension says the format.")
@drag_options
@model_options
@faces_option
@box_option
@inversion_options
@path_option(
    "--compare", help="Also write before and after (PNG: side by side, HTML: a slider) and a marked copy."
)
@path_option("--timelapse", help="Also write the drag as it happened (MP4, WebP or GIF).")
@path_option("--keep", help="Keep the session in this folder; the next edit of the photo starts from it.")
@click.option(
    "--paste",
    "mode",
    type=click.Choice(MODES),
    default="detail",
    show_default=True,
    help="detail moves the photo's own pixels; plain and seamless show the model's, softly or by gradients.",
)
@path_option("--debug", help="Write the pictures the paste is made of into this folder.")
@writing_options
@max_pixels_option
@click.option("--json", "as_json", is_flag=True, help="Print a report as one JSON object.")
@talk_options
def edit_command(
    photo: Path,
    output: Path,
    drags: tuple[Any, ...],
    recipes: tuple[Use, ...],
    mask: Path | None,
    regions: tuple[Any, ...],
    reach: Any,
    settings: DragSettings,
    model: str,
    quality: Any,
    faces: tuple[str, ...],
    box: Any,
    seed: int,
    label: str | None,
    device: str,
    changes: tuple[tuple[str, str], ...],
    use_cache: bool,
    compare: Path | None,
    timelapse: Path | None,
    keep: Path | None,
    mode: Any,
    debug: Path | None,
    strip: Strip,
    label_visible: bool,
    signing: Signing | None,
    max_pixels: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Edit PHOTO by dragging points; the photo itself is never changed."""
    request = EditRequest(
        photo=photo,
        output=output,
        drags=drags,
        recipes=recipes,
        mask=mask,
        regions=regions,
        faces=tuple(dict.fromkeys(faces)),
        box=box,
        model=model,
        quality=quality,
        seed=seed,
        label=label,
        device=device,
        compare=compare,
        timelapse=timelapse,
        keep=keep,
        changes=changes,
        cache=use_cache,
        reach=reach,
        debug=debug,
        strip=strip,
        visible_label=label_visible,
        signing=signing,
        max_pixels=max_pixels,
        drag=settings,
        paste=PasteSettings(mode=mode),
    )
    with Watcher(quiet=quiet or as_json) as watcher:
        report = edit(request, on_step=watcher)
    if as_json:
        click.echo(json.dumps(report.as_json()))
        return
    tell(request, report, quiet=quiet)


def tell(request: EditRequest, report: EditReport, *, quiet: bool) -> None:
    """The report in words: what was written on stdout, warnings on stderr."""
    warn(report.warnings, quiet=quiet)
    if quiet:
        return
    ended = [endings(each.session.history) for each in report.faces]
    if len(ended) > 1:
        ended = [f"face {each.face} {words}" for each, words in zip(report.faces, ended, strict=True)]
    click.echo(f"{request.output}  ({'; '.join(ended)}, {report.seconds:.1f} s)")
    if request.compare is not None:
        click.echo(f"{request.compare}  (before and after)")
    if request.timelapse is not None:
        click.echo(f"{request.timelapse}  (the drag as it happened)")
    for each in report.faces:
        if each.identity is not None:
            log.info("face %d: identity distance %.2f", each.face, each.identity)
    log.info("changed box %s", report.changed)
