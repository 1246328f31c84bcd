"""`realedit compare`: before and after of two photos, or of two folders of photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from realedit.cli.examples import ExampleCommand
from realedit.cli.options import path_option, talk_options, warn
from realedit.cli.paths import Reads, Writes
from realedit.cli.streams import complain, message
from realedit.errors import UsageError
from realedit.plumbing.choices import STYLES

if TYPE_CHECKING:
    from realedit.api.comparisons import Zoom

SOME_FAILED = 6


EXAMPLES = """
realedit compare portrait.jpg smiling.jpg -o pair.png --zoom face --labels
realedit compare portrait.jpg smiling.jpg -o slider.html
realedit compare portrait.jpg smiling.jpg -o wipe.mp4 --divider diagonal
realedit compare album/ smiling/ -o sheet.html
"""


def parse_zoom(text: str) -> Zoom:
    """`face`, or LEFT,TOP,RIGHT,BOTTOM in photo pixels. Raises click's usage error for anything else."""
    from realedit.api.comparisons import face_box, given_box

    if text == "face":
        return face_box
    try:
        left, top, right, bottom = (round(float(number)) for number in text.split(","))
        if max(map(abs, (left, top, right, bottom))) >= 1 << 31:
            raise ValueError("larger than any photo")
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(
            f"{text!r} is no part of a photo; write face, or left,top,right,bottom in pixels"
        ) from error
    return given_box((left, top, right, bottom))


@click.command("compare", cls=ExampleCommand, examples=EXAMPLES)
@click.argument("before", type=Reads())
@click.argument("after", type=Reads())
@path_option(
    "-o",
    "--output",
    kind=Writes(),
    required=True,
    help="What to write: .png, .jpg, .webp, .gif, .mp4 or .html.",
)
@click.option(
    "--style",
    type=click.Choice(STYLES),
    help="How. [default: side for pictures, wipe for .gif and .mp4, slider for .html]",
)
@click.option(
    "--divider",
    type=click.Choice(["vertical", "diagonal"]),
    default="vertical",
    show_default=True,
    help="Of split and wipe.",
)
@click.option(
    "--zoom",
    type=parse_zoom,
    metavar="face|L,T,R,B",
    help="Show only the largest face, or the part between left, top, right and bottom in photo pixels.",
)
@click.option("--labels", is_flag=True, help="Write before and after on the pictures.")
@click.option(
    "--size", type=click.IntRange(16, 16384), help="Longest side of each picture in pixels, at most."
)
@talk_options
def compare_command(
    before: Path,
    after: Path,
    output: Path,
    style: Any,
    divider: Any,
    zoom: Zoom | None,
    labels: bool,
    size: int | None,
    quiet: bool,
) -> None:
    """Show what changed from BEFORE to AFTER, two photos or two folders of photos with the same names.

    Folders become a contact sheet with names and figures, on as many pages as it takes.
    """
    if before.is_dir() != after.is_dir():
        folder, other = (before, after) if before.is_dir() else (after, before)
        raise UsageError(f"{folder} is a folder and {other} is not; give two photos or two folders")
    if before.is_dir():
        if style is not None or labels or size is not None:
            raise UsageError("a contact sheet has no --style, --labels or --size; leave them out")
        _sheet(before, after, output, zoom, quiet=quiet)
        return
    from realedit.api.comparisons import ComparisonSettings, compare

    settings = ComparisonSettings(style=style, divider=divider, labels=labels, max_side=size)
    amplified = compare(before, after, output, settings, zoom=zoom)
    if not quiet:
        message(str(output) if amplified is None else f"{output}  (differences x {amplified})")


def _sheet(before: Path, after: Path, output: Path, zoom: Zoom | None, *, quiet: bool) -> None:
    """The contact sheet; says what could not be shown, and exits with 6 where a photo could not be read."""
    from realedit.api.comparisons import check_place, check_sheet, find_pairs, write_sheet

    check_sheet(output)
    check_place(output)
    entries = find_pairs(before, after)
    pages, done = write_sheet(output, entries, zoom=zoom)
    warn((f"{entry.name}: {entry.trouble}" for entry in done if entry.trouble), quiet=quiet)
    shown = sum(entry.trouble is None for entry in done)
    if not quiet:
        for page in pages:
            message(str(page))
        complain(f"{shown} of {len(done)} pairs shown")
    if any(entry.trouble and entry.before and entry.after for entry in done):
        click.get_current_context().exit(SOME_FAILED)
