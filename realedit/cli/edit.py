"""`realedit edit`: a photo in, the same photo with a dragged face out."""

import json
import logging
from dataclasses import replace
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
from realedit.cli.paths import Fills, Keeps, PathCommand, Writes
from realedit.cli.photo_options import max_pixels_option, writing_options
from realedit.cli.piping import output_format_option, piped, sent
from realedit.cli.progress import Watcher
from realedit.cli.streams import LostOutput, complain, message
from realedit.compositing import MODES
from realedit.drag import DragSettings
from realedit.editing.outcome import EditReport, endings
from realedit.editing.request import EditRequest
from realedit.editing.stages import PasteSettings
from realedit.photos import Signing, Strip
from realedit.pipeline import edit
from realedit.recipes import Use

log = logging.getLogger(__name__)


@click.command("edit", cls=PathCommand)
@photo_argument
@path_option(
    "-o",
    "--output",
    kind=Writes(),
    required=True,
    help="The edited photo; its extension says the format. - is stdout.",
)
@output_format_option
@drag_options
@model_options
@faces_option
@box_option
@inversion_options
@path_option(
    "--compare",
    kind=Writes(),
    help="Also write before and after (PNG: side by side, HTML: a slider) and a marked copy.",
)
@path_option("--timelapse", kind=Writes(), help="Also write the drag as it happened (MP4, WebP or GIF).")
@path_option(
    "--keep",
    kind=Keeps(),
    help="Keep the session in this folder; the next edit of the photo starts from it.",
)
@click.option(
    "--paste",
    "mode",
    type=click.Choice(MODES),
    default="detail",
    show_default=True,
    help="detail moves the photo's own pixels; plain and seamless show the model's, softly or by gradients.",
)
@path_option("--debug", kind=Fills(), help="Write the pictures the paste is made of into this folder.")
@writing_options
@max_pixels_option
@click.option("--json", "as_json", is_flag=True, help="Print a report as one JSON object.")
@talk_options
def edit_command(
    photo: Path,
    output: Path,
    output_format: str | None,
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
    """Edit PHOTO (- is stdin) by dragging points; the photo itself is never changed."""
    request = EditRequest(
        photo=photo,
        output=output,
        source=piped(photo, max_pixels),
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
    with (
        sent(output, output_format, photo=photo, source=request.source, as_json=as_json) as (place, into),
        Watcher(quiet=quiet or as_json) as watcher,
    ):
        request = replace(request, output=place, into=into)
        report = edit(request, on_step=watcher)
        if not as_json:
            tell(request, report, quiet=quiet)
    if as_json:
        try:
            click.echo(json.dumps(report.as_json()))
        except LostOutput as lost:
            if not lost.unread:
                complain(f"{output} is written, its report is lost")
            raise


def tell(request: EditRequest, report: EditReport, *, quiet: bool) -> None:
    """The report in words: what was written on stdout, warnings on stderr."""
    warn(report.warnings, quiet=quiet)
    if quiet:
        return
    ended = [endings(each.session.history, each.seen) for each in report.faces]
    if len(ended) > 1:
        ended = [f"face {each.face} {words}" for each, words in zip(report.faces, ended, strict=True)]
    place = request.output if request.into is None else "stdout"
    message(f"{place}  ({'; '.join(ended)}, {report.seconds:.1f} s)")
    if request.compare is not None:
        message(f"{request.compare}  (before and after)")
    if request.timelapse is not None:
        message(f"{request.timelapse}  (the drag as it happened)")
    for each in report.faces:
        if each.identity is not None:
            log.info("face %d: identity distance %.2f", each.face, each.identity)
    log.info("changed box %s", report.changed)
