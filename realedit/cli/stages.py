"""Stages by themselves: `drag` and `paste`; with `align` and `invert`, `edit` is their sum."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from realedit.cli.options import device_option, drag_options, path_option, talk_options, warn
from realedit.cli.paths import Fills, PathCommand, Reads, Sessions, Writes
from realedit.cli.photo_options import max_pixels_option, writing_options
from realedit.cli.piping import output_format_option, piped, sent
from realedit.cli.progress import Watcher
from realedit.cli.streams import message
from realedit.plumbing.choices import MODES
from realedit.plumbing.places import STDIN

if TYPE_CHECKING:
    from realedit.api import DragSettings, Signing, Strip, Use

dir_argument = click.argument("folder", metavar="DIR", type=Sessions())


@click.command("drag", cls=PathCommand)
@dir_argument
@drag_options
@click.option("--from-start", is_flag=True, help="Forget earlier drags.")
@device_option
@talk_options
def drag_command(
    folder: Path,
    drags: tuple[Any, ...],
    recipes: tuple[Use, ...],
    mask: Path | None,
    regions: tuple[Any, ...],
    reach: Any,
    settings: DragSettings,
    from_start: bool,
    device: str,
    quiet: bool,
) -> None:
    """Drag points of the session in DIR, going on from what was dragged before."""
    from realedit.api import Session
    from realedit.api.words import drag_warnings, endings

    session = Session.load(folder, device=device)
    if from_start:
        session.go(0)
    done, told = len(session.history), list[str]()
    asked: dict[str, Any] = {"mask": mask, "regions": regions, "settings": settings}
    with Watcher(quiet=quiet) as watcher:
        if drags:
            drag = session.drag(drags, reach=reach, **asked)
            told += drag.warnings
            drag.run(watcher)
        for use in recipes:
            if session.history and session.history[-1].ending == "stopped":
                break
            drag = session.recipe(use, **asked)
            told += drag.warnings
            drag.run(watcher)
    session.save(folder)
    warn(dict.fromkeys((*told, *drag_warnings(session.history[done:]))), quiet=quiet)
    if not quiet:
        message(f"{folder}  ({endings(session.history[done:])})")


@click.command("paste", cls=PathCommand)
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=Sessions())
@path_option(
    "-o",
    "--output",
    kind=Writes(),
    required=True,
    help="The edited photo; its extension says the format. - is stdout.",
)
@output_format_option
@path_option(
    "--photo",
    kind=Reads(),
    help="The photo, where it is no longer at the place the session remembers. - is stdin.",
)
@click.option("--paste", "mode", type=click.Choice(MODES), default="detail", show_default=True)
@path_option("--debug", kind=Fills(), help="Write the pictures the paste is made of into this folder.")
@writing_options
@max_pixels_option
@device_option
@talk_options
def paste_command(
    folders: tuple[Path, ...],
    output: Path,
    output_format: str | None,
    photo: Path | None,
    mode: Any,
    debug: Path | None,
    strip: Strip,
    label_visible: bool,
    signing: Signing | None,
    max_pixels: int,
    device: str,
    quiet: bool,
) -> None:
    """Put what was dragged in the session in DIR back into its photo; of several faces, one after the
    other."""
    from realedit import api
    from realedit.api.several import together
    from realedit.errors import SessionError

    sessions = [api.Session.load(folder, device=device) for folder in folders]
    path = photo or sessions[0].photo_path
    if photo is None and path == STDIN:
        raise SessionError("the session's photo came from stdin; say where it is with --photo")
    if photo is None and not path.exists():
        raise SessionError(f"the session's photo {path} is gone; say where it is with --photo")
    source = piped(path, max_pixels)
    with sent(output, output_format, photo=path, source=source) as (place, into):
        writing = api.Writing(strip=strip, visible_label=label_visible, signing=signing)
        writing.check(place, None if into is not None else path)
        picture = api.open(path if source is None else source, max_pixels=max_pixels)
        writing.check_fits(place, picture)
        for folder, session in zip(folders, sessions, strict=True):
            session.check_photo(picture, folder)
        result = together(sessions, photo=picture, paste=mode, debug=debug)
        written = writing.write(result.photo, place, into=into)
        warn((*result.photo.content.warnings, *written), quiet=quiet)
        if not quiet:
            message(str(place if into is None else "stdout"))
