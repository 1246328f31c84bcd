"""`realedit demo`: the main job on a photograph that comes with scikit-image."""

from importlib.util import find_spec
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from realedit.cli.edit import tell
from realedit.cli.options import device_option, path_option, talk_options
from realedit.cli.paths import Fills, PathCommand
from realedit.cli.progress import Watcher
from realedit.editing.comparing import marked_place
from realedit.editing.request import EditRequest
from realedit.errors import UsageError
from realedit.pipeline import edit
from realedit.plumbing.files import output_error, write_png
from realedit.plumbing.places import check_ours
from realedit.recipes import Use, load

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
    picture = astronaut()
    photo = output / "photo.png"
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(error, output) from error
    edited, compare = output / "edited.png", output / "before-after.png"
    check_ours(photo, edited, compare, marked_place(compare))
    write_png(photo, picture)
    request = EditRequest(
        photo=photo,
        output=edited,
        recipes=(Use(recipe=load(RECIPE)),),
        device=device,
        compare=compare,
    )
    with Watcher(quiet=quiet) as watcher:
        report = edit(request, on_step=watcher)
    tell(request, report, quiet=quiet)


def astronaut() -> NDArray[np.uint8]:
    """scikit-image's photograph of Eileen Collins (NASA, public domain), `[512, 512, 3]`. Raises UsageError
    without it."""
    if find_spec("skimage") is None:
        raise UsageError("the demo's photograph comes with scikit-image; run: pip install 'realedit[demo]'")
    from skimage import data

    picture: NDArray[np.uint8] = data.astronaut()
    return picture
