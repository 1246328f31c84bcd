"""`realedit edit`: a photo in, the same photo with a dragged face out."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from realedit.cli.examples import ExampleCommand
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
from realedit.cli.paths import Fills, Keeps, Writes
from realedit.cli.photo_options import max_pixels_option, writing_options
from realedit.cli.piping import output_format_option, piped, sent
from realedit.cli.progress import Watcher
from realedit.cli.streams import LostOutput, complain, message
from realedit.plumbing.choices import MODES
from realedit.plumbing.places import STDIN

if TYPE_CHECKING:
    from realedit.api import DragSettings, EditReport, EditRequest, Signing, Strip, Use

log = logging.getLogger(__name__)

EXAMPLES = """
realedit edit portrait.jpg --recipe smile -o smiling.jpg
realedit edit portrait.heic --recipe smile:0.5 --recipe close-eyes -o both.heic --compare slider.html
realedit edit portrait.jpg --drag 412,608:396,596 --drag 590,604:606,592 -o dragged.png
realedit edit group.jpg --face 0 --face 2 --recipe smile -o two.jpg
realedit edit portrait.jpg --recipe smile -o quick.jpg --quality draft
realedit edit - -o - --recipe smile < portrait.jpg > smiling.jpg
"""


@click.command("edit", cls=ExampleCommand, examples=EXAMPLES)
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
    help="Also write before and after: PNG, JPEG or WebP side by side, HTML a slider, GIF or MP4 a wipe.",
)
@path_option(
    "--marked",
    kind=Writes(),
    help="Also write the photo with handles, targets and mask drawn into it (PNG).",
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
    marked: Path | None,
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
    from realedit.api.files import check_file, edit_file
    from realedit.api.starting import start_loading

    if photo != STDIN:
        check_file(photo, max_pixels)
    start_loading()
    from realedit.api import EditRequest, PasteSettings

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
        marked=marked,
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
        report = edit_file(request, on_step=watcher)
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
    """The report in words: every file that was written on stdout, warnings on stderr."""
    warn(report.warnings, quiet=quiet)
    if quiet:
        return
    ended = [each.in_words() for each in report.faces]
    if len(ended) > 1:
        ended = [f"face {each.face} {words}" for each, words in zip(report.faces, ended, strict=True)]
    place = request.output if request.into is None else "stdout"
    message(f"{place}  ({'; '.join(ended)}, {report.seconds:.1f} s)")
    written = {
        "before and after": request.compare,
        "what was asked, marked in the photo": request.marked,
        "the drag as it happened": request.timelapse,
        "the pictures of the paste": request.debug,
        "the session": request.keep,
    }
    for what, path in written.items():
        if path is not None:
            message(f"{path}  ({what})")
    for each in report.faces:
        if each.identity is not None:
            log.info("face %d: identity distance %.2f", each.face, each.identity)
    log.info("changed box %s", report.changed)
