"""`realedit demo`: the main job on a photograph that comes with scikit-image."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from realedit.cli.edit import tell
from realedit.cli.options import device_option, path_option, talk_options
from realedit.cli.paths import Fills, PathCommand
from realedit.cli.progress import Watcher
from realedit.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RECIPE = "smile"


@click.command("demo", cls=PathCommand)
@path_option(
    "-o",
    "--output",
    kind=Fills(),
    default=Path("realedit-demo"),
    show_default=True,
    help="The folder to write into.",
)
@device_option
@talk_options
def demo_command(output: Path, device: str, quiet: bool) -> None:
    """Widen the smile of an astronaut, and say where to look."""
    from realedit.api import EditRequest
    from realedit.api.files import edit_file
    from realedit.api.pictures import write_png
    from realedit.api.recipes import use_of
    from realedit.api.starting import start_loading
    from realedit.plumbing.files import output_error
    from realedit.plumbing.places import check_ours

    picture = astronaut()
    start_loading()
    photo = output / "photo.png"
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(error, output) from error
    edited, compare = output / "edited.png", output / "before-after.png"
    check_ours(photo, edited, compare)
    write_png(photo, picture)
    request = EditRequest(
        photo=photo,
        output=edited,
        recipes=(use_of(RECIPE),),
        device=device,
        compare=compare,
    )
    with Watcher(quiet=quiet) as watcher:
        report = edit_file(request, on_step=watcher)
    tell(request, report, quiet=quiet)


def astronaut() -> NDArray[np.uint8]:
    """scikit-image's photograph of Eileen Collins (NASA, public domain), `[512, 512, 3]`. Raises UsageError
    without it."""
    if find_spec("skimage") is None:
        raise UsageError("the demo's photograph comes with scikit-image; run: pip install 'realedit[demo]'")
    from skimage import data

    picture: NDArray[np.uint8] = data.astronaut()
    return picture
