"""The four stages by themselves: `align`, `invert`, `drag` and `paste`; `edit` is their sum."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

import checkpoints
from inversion import InversionSettings
from realedit import pipeline
from realedit.cli.options import (
    device_option,
    drag_options,
    model_options,
    path_option,
    photo_argument,
    set_up_logging,
    strip_gps_option,
    talk_options,
    warn,
)
from realedit.cli.progress import Watcher
from realedit.devices import choose_device
from realedit.drag import DragSettings
from realedit.editing import check_belongs, check_picture, drag_warnings, endings, model_reference
from realedit.errors import SessionError
from realedit.files import write_png
from realedit.masks import read_mask
from realedit.photos import Photo, Provenance, check_output, read_photo, write_photo
from realedit.pipeline import PasteSettings
from realedit.recipes import Use
from realedit.recipes.applying import drag
from realedit.session import Session, check_folder

dir_argument = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


@click.command("align")
@photo_argument
@path_option("-o", "--output", required=True, help="The aligned crop (PNG).")
@model_options
@talk_options
def align_command(
    photo: Path,
    output: Path,
    model: str,
    quality: Any,
    face: str,
    seed: int,
    label: str | None,
    device: str,
    verbose: bool,
    quiet: bool,
    log_file: Path | None,
) -> None:
    """Cut the aligned square of a face out of PHOTO, as the model sees it."""
    set_up_logging(verbose=verbose, quiet=quiet, log_file=log_file)
    check_picture(output, photo)
    settings = InversionSettings.preset(quality, seed=seed, label=label)
    session, _ = _aligned(photo, model, face, device, quality, settings)
    write_png(output, session.crop)
    if not quiet:
        click.echo(f"{output}  (face {session.face}, {session.alignment.side:.0f} px in the photo)")


@click.command("invert")
@photo_argument
@path_option("--keep", required=True, help="The folder for the session.")
@model_options
@talk_options
def invert_command(
    photo: Path,
    keep: Path,
    model: str,
    quality: Any,
    face: str,
    seed: int,
    label: str | None,
    device: str,
    verbose: bool,
    quiet: bool,
    log_file: Path | None,
) -> None:
    """Find the face of PHOTO in the model and keep the session in a folder."""
    set_up_logging(verbose=verbose, quiet=quiet, log_file=log_file)
    check_folder(keep)
    settings = InversionSettings.preset(quality, seed=seed, label=label)
    session, checkpoint = _aligned(photo, model, face, device, quality, settings)
    with Watcher(quiet=quiet) as watcher:
        session = pipeline.invert(session, checkpoint, settings, on_step=watcher)
    session.save(keep)
    if not quiet:
        click.echo(str(keep))


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
    reach: Any,
    settings: DragSettings,
    from_start: bool,
    device: str,
    verbose: bool,
    quiet: bool,
    log_file: Path | None,
) -> None:
    """Drag points of the session in DIR, going on from what was dragged before."""
    set_up_logging(verbose=verbose, quiet=quiet, log_file=log_file)
    session, checkpoint = _kept(folder, device)
    session = session.from_start() if from_start else session
    picture = None if mask is None else read_mask(mask, session.photo_size)
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
    warn(drag_warnings(session.history[done:]), quiet=quiet)
    if not quiet:
        click.echo(f"{folder}  ({endings(session.history[done:])})")


@click.command("paste")
@dir_argument
@path_option("-o", "--output", required=True, help="The edited photo; its extension says the format.")
@path_option("--photo", help="The photo, where it is no longer at the place the session remembers.")
@click.option("--paste", "mode", type=click.Choice(["detail", "plain"]), default="detail", show_default=True)
@strip_gps_option
@device_option
@talk_options
def paste_command(
    folder: Path,
    output: Path,
    photo: Path | None,
    mode: Any,
    strip_gps: bool,
    device: str,
    verbose: bool,
    quiet: bool,
    log_file: Path | None,
) -> None:
    """Put what was dragged in the session in DIR back into its photo."""
    set_up_logging(verbose=verbose, quiet=quiet, log_file=log_file)
    session, checkpoint = _kept(folder, device)
    path = photo or session.photo_path
    if photo is None and not path.exists():
        raise SessionError(f"the session's photo {path} is gone; say where it is with --photo")
    check_output(output, path)
    picture: Photo = read_photo(path)
    check_belongs(session, picture, checkpoint, folder)
    result = pipeline.render(picture, session, checkpoint, PasteSettings(mode=mode))
    report = write_photo(result, output, provenance=Provenance(), strip_gps=strip_gps)
    warn((*picture.warnings, *report.warnings), quiet=quiet)
    if not quiet:
        click.echo(str(output))


def _aligned(
    photo: Path, model: str, face: str, device: str, quality: Any, settings: InversionSettings
) -> tuple[Session, checkpoints.Checkpoint]:
    picture = read_photo(photo)
    checkpoint = checkpoints.load(model, device=choose_device(device))
    session = pipeline.align(
        picture,
        checkpoint,
        photo_path=photo.resolve(),
        face=face,
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
