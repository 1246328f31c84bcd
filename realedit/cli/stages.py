"""Stages by themselves: `align`, `drag` and `paste`; with `invert`, `edit` is their sum."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

import checkpoints
from inversion import InversionSettings
from realedit.cli.options import (
    box_option,
    device_option,
    drag_options,
    face_option,
    model_options,
    path_option,
    photo_argument,
    talk_options,
    warn,
)
from realedit.cli.paths import Fills, PathCommand, Reads, Sessions, Writes
from realedit.cli.photo_options import max_pixels_option, writing_options
from realedit.cli.piping import output_format_option, piped, sent
from realedit.cli.progress import Watcher
from realedit.cli.streams import message
from realedit.compositing import DEBUG_NAMES, MODES
from realedit.drag import DragSettings
from realedit.editing import stages
from realedit.editing.applying import drag, known_limits
from realedit.editing.checks import check_picture
from realedit.editing.kept import check_belongs
from realedit.editing.outcome import drag_warnings, endings
from realedit.editing.plan import reachable
from realedit.editing.request import model_reference, place_of
from realedit.editing.stages import PasteSettings
from realedit.errors import SessionError
from realedit.geometry.masks import edit_mask
from realedit.photos import (
    Box,
    Photo,
    Provenance,
    Signing,
    Strip,
    check_fits,
    check_output,
    check_signing,
    read_photo,
    write_photo,
)
from realedit.plumbing.devices import choose_device
from realedit.plumbing.files import make_folder, png_of, write_png
from realedit.plumbing.places import STDIN, check_ours
from realedit.recipes import Use
from realedit.sessions.session import Session

dir_argument = click.argument("folder", metavar="DIR", type=Sessions())


@click.command("align", cls=PathCommand)
@photo_argument
@max_pixels_option
@path_option("-o", "--output", kind=Writes(), required=True, help="The aligned crop (PNG). - is stdout.")
@model_options
@face_option
@box_option
@talk_options
def align_command(
    photo: Path,
    output: Path,
    model: str,
    quality: Any,
    face: str,
    box: Any,
    seed: int,
    label: str | None,
    device: str,
    max_pixels: int,
    quiet: bool,
) -> None:
    """Cut the aligned square of a face out of PHOTO, as the model sees it."""
    with sent(output) as (place, into):
        if into is None:
            check_picture(place, photo)
        settings = InversionSettings.preset(quality, seed=seed, label=label)
        picture = read_photo(photo, max_pixels=max_pixels, source=piped(photo, max_pixels))
        session, _ = aligned(picture, model, face, box, device, quality, settings)
        if into is None:
            write_png(place, session.crop)
        else:
            into(png_of(session.crop))
        if not quiet:
            what = "box" if session.face is None else f"face {session.face}"
            message(f"{place}  ({what}, {session.alignment.side:.0f} px in the photo)")


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
    session, checkpoint = _kept(folder, device)
    session = session.from_start() if from_start else session
    picture = edit_mask(mask, regions, session.photo_size)
    done = len(session.history)
    drags, told = reachable(session, drags)
    with Watcher(quiet=quiet) as watcher:
        session = drag(
            session,
            checkpoint,
            drags,
            recipes,
            mask=picture,
            reach=reach,
            settings=settings,
            on_step=watcher,
        )
    session.save(folder)
    warn((*told, *known_limits(recipes, checkpoint), *drag_warnings(session.history[done:])), quiet=quiet)
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
    kept = [(folder, *_kept(folder, device)) for folder in folders]
    path = photo or kept[0][1].photo_path
    if photo is None and path == STDIN:
        raise SessionError("the session's photo came from stdin; say where it is with --photo")
    if photo is None and not path.exists():
        raise SessionError(f"the session's photo {path} is gone; say where it is with --photo")
    source = piped(path, max_pixels)
    with sent(output, output_format, photo=path, source=source) as (place, into):
        if into is None:
            check_output(place, path)
        if debug is not None:
            make_folder(debug)
            check_ours(*(debug / f"{name}.png" for name in DEBUG_NAMES))
        if signing is not None:
            check_signing(signing)
        result: Photo = read_photo(path, max_pixels=max_pixels, source=source)
        check_fits(place, result)
        for folder, session, checkpoint in kept:
            check_belongs(session, result, checkpoint, folder)
        pasted = [(session, checkpoint) for _, session, checkpoint in kept]
        result = stages.render_faces(result, pasted, PasteSettings(mode=mode), debug=debug)
        report = write_photo(
            result,
            place,
            provenance=Provenance(),
            strip=strip,
            signing=signing,
            visible_label=label_visible,
            into=into,
        )
        warn((*result.warnings, *report.warnings), quiet=quiet)
        if not quiet:
            message(str(place if into is None else "stdout"))


def aligned(
    photo: Photo,
    model: str,
    face: str,
    box: Box | None,
    device: str,
    quality: Any,
    settings: InversionSettings,
) -> tuple[Session, checkpoints.Checkpoint]:
    """A session of the photo's face or box, and its model."""
    checkpoint = checkpoints.load(model, device=choose_device(device))
    session = stages.align(
        photo,
        checkpoint,
        photo_path=place_of(photo.path),
        face=face,
        box=box,
        settings=settings,
        quality=quality,
    )
    return replace(session, model=model_reference(model)), checkpoint


def _kept(folder: Path, device: str) -> tuple[Session, checkpoints.Checkpoint]:
    """The session of a folder, and its model."""
    session = Session.load(folder)
    checkpoint = checkpoints.load(session.model, device=choose_device(device))
    check_belongs(session, None, checkpoint, folder)
    return session, checkpoint
