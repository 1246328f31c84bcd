"""Stages by themselves: `align`, `drag` and `paste`; with `invert`, `edit` is their sum."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

import checkpoints
from inversion import InversionSettings
from realedit import pipeline
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
from realedit.cli.photo_options import max_pixels_option, writing_options
from realedit.cli.progress import Watcher
from realedit.compositing import MODES
from realedit.devices import choose_device
from realedit.drag import DragSettings
from realedit.editing import check_picture
from realedit.errors import SessionError
from realedit.files import make_folder, write_png
from realedit.inverting import check_belongs, model_reference
from realedit.masks import edit_mask
from realedit.outcome import drag_warnings, endings
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
from realedit.pipeline import PasteSettings
from realedit.recipes import Use
from realedit.recipes.applying import drag, known_limits
from realedit.session import Session

dir_argument = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


@click.command("align")
@photo_argument
@max_pixels_option
@path_option("-o", "--output", required=True, help="The aligned crop (PNG).")
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
    check_picture(output, photo)
    settings = InversionSettings.preset(quality, seed=seed, label=label)
    picture = read_photo(photo, max_pixels=max_pixels)
    session, _ = aligned(picture, model, face, box, device, quality, settings)
    write_png(output, session.crop)
    if not quiet:
        what = "box" if session.face is None else f"face {session.face}"
        click.echo(f"{output}  ({what}, {session.alignment.side:.0f} px in the photo)")


@click.command("drag")
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
    warn((*known_limits(recipes, checkpoint), *drag_warnings(session.history[done:])), quiet=quiet)
    if not quiet:
        click.echo(f"{folder}  ({endings(session.history[done:])})")


@click.command("paste")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@path_option("-o", "--output", required=True, help="The edited photo; its extension says the format.")
@path_option("--photo", help="The photo, where it is no longer at the place the session remembers.")
@click.option("--paste", "mode", type=click.Choice(MODES), default="detail", show_default=True)
@path_option("--debug", help="Write the pictures the paste is made of into this folder.")
@writing_options
@max_pixels_option
@device_option
@talk_options
def paste_command(
    folders: tuple[Path, ...],
    output: Path,
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
    if photo is None and not path.exists():
        raise SessionError(f"the session's photo {path} is gone; say where it is with --photo")
    check_output(output, path)
    if debug is not None:
        make_folder(debug)
    if signing is not None:
        check_signing(signing)
    result: Photo = read_photo(path, max_pixels=max_pixels)
    check_fits(output, result)
    for folder, session, checkpoint in kept:
        check_belongs(session, result, checkpoint, folder)
    pasted = [(session, checkpoint) for _, session, checkpoint in kept]
    result = pipeline.render_faces(result, pasted, PasteSettings(mode=mode), debug=debug)
    report = write_photo(
        result,
        output,
        provenance=Provenance(),
        strip=strip,
        signing=signing,
        visible_label=label_visible,
    )
    warn((*result.warnings, *report.warnings), quiet=quiet)
    if not quiet:
        click.echo(str(output))


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
    session = pipeline.align(
        photo,
        checkpoint,
        photo_path=photo.path.resolve(),
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
