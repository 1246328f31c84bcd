"""`realedit align`: the square of a face, as the model sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from realedit.cli.options import (
    box_option,
    face_option,
    model_option,
    path_option,
    photo_argument,
    talk_options,
)
from realedit.cli.paths import PathCommand, Writes
from realedit.cli.photo_options import max_pixels_option
from realedit.cli.piping import piped, sent
from realedit.cli.streams import message


@click.command("align", cls=PathCommand)
@photo_argument
@max_pixels_option
@path_option("-o", "--output", kind=Writes(), required=True, help="The aligned crop (PNG). - is stdout.")
@click.option(
    "--size", type=click.IntRange(16, 4096), help="Side of the crop in pixels. [default: the model's]"
)
@model_option
@face_option
@box_option
@click.option("--json", "as_json", is_flag=True, help="Print where the square lies, and the landmarks.")
@talk_options
def align_command(
    photo: Path,
    max_pixels: int,
    output: Path,
    size: int | None,
    model: str,
    face: str,
    box: Any,
    as_json: bool,
    quiet: bool,
) -> None:
    """Cut the aligned square of a face out of PHOTO, as the model sees it."""
    from realedit import api
    from realedit.api.pictures import check_picture, png_of, write_png

    with sent(output, as_json=as_json) as (place, into):
        if into is None:
            check_picture(place, photo)
        source = piped(photo, max_pixels)
        opened = api.open(photo if source is None else source, max_pixels=max_pixels)
        crop = api.align(opened, face=face, box=box, size=size, model=model)
        if into is None:
            write_png(place, crop.pixels)
        else:
            into(png_of(crop.pixels))
        what = "box" if crop.face is None else f"face {crop.face.index}"
        if not (quiet or as_json):
            message(f"{place}  ({what}, {crop.square.side:.0f} px in the photo)")
    if as_json:
        click.echo(json.dumps({"input": str(photo), "output": str(output), **crop.as_json()}))
