"""`realedit faces`: which faces a photo has, where, and what may go wrong with each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from realedit.cli.examples import ExampleCommand
from realedit.cli.options import path_option, photo_argument, talk_options
from realedit.cli.paths import Writes
from realedit.cli.photo_options import max_pixels_option
from realedit.cli.piping import piped
from realedit.cli.streams import message, result

if TYPE_CHECKING:
    from realedit.api import Face, Photo

EXAMPLES = """
realedit faces group.jpg
realedit faces group.jpg --picture faces.png
realedit faces group.jpg --json
"""


@click.command("faces", cls=ExampleCommand, examples=EXAMPLES)
@photo_argument
@max_pixels_option
@path_option(
    "--picture",
    kind=Writes(),
    help="Also write the photo with every face's square, number and landmarks (PNG).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@talk_options
def faces_command(photo: Path, max_pixels: int, picture: Path | None, as_json: bool, quiet: bool) -> None:
    """Say which faces PHOTO has: number, place, size, how sure it is, and what may go wrong.

    Faces are numbered from the left; --face of other commands takes the number.
    """
    from realedit import api
    from realedit.api.faces import drawn_faces
    from realedit.api.pictures import check_picture, write_png
    from realedit.errors import NoFaceError

    if picture is not None:
        check_picture(picture, photo, what="the picture of the faces")
    source = piped(photo, max_pixels)
    opened = api.open(photo if source is None else source, max_pixels=max_pixels)
    if picture is not None:
        write_png(picture, drawn_faces(opened))
    if as_json:
        click.echo(json.dumps(as_dict(opened, photo)))
        return
    if not opened.faces:
        raise NoFaceError(
            f"{photo}: no face was found; use a photo in which a face is larger, sharper or seen from the "
            "front"
        )
    for face in opened.faces:
        for line in in_words(face):
            result(line)
    if picture is not None and not quiet:
        message(f"{picture}  (the faces with their numbers)")


def as_dict(photo: Photo, path: Path) -> dict[str, object]:
    """What `--json` prints; an empty list for a photo without a face."""
    return {
        "input": str(path),
        "width": photo.width,
        "height": photo.height,
        "faces": [face.as_json() for face in photo.faces],
    }


def in_words(face: Face) -> list[str]:
    """A line with the figures, and one for each thing that may go wrong."""
    x, y = face.square.centre
    yaw, pitch, _ = face.pose
    turned = [f"{abs(yaw):.0f} degrees to the {'right' if yaw > 0 else 'left'}"] if abs(yaw) >= 10 else []
    turned += [f"{abs(pitch):.0f} degrees {'down' if pitch > 0 else 'up'}"] if abs(pitch) >= 10 else []
    looks = f", looks {' and '.join(turned)}" if turned else ""
    line = f"face {face.index}: around {x:.0f},{y:.0f}, {face.size:.0f} px, sure {face.sure:.0%}{looks}"
    return [line, *(f"  {word}: {said}" for word, said in face.concerns.items())]
