"""The mistakes of a request that can be told before anything is computed."""

from pathlib import Path

from realedit.compare import (
    ComparisonSettings,
    check_comparison,
)
from realedit.compare.animation import check_encoder
from realedit.compositing import DEBUG_NAMES
from realedit.editing.request import EditRequest
from realedit.errors import UsageError
from realedit.photos import (
    check_format,
    check_output,
    check_place,
    check_signing,
)
from realedit.plumbing.files import make_folder
from realedit.plumbing.places import check_apart, check_ours
from realedit.sessions.folders import check_folder


def check_request(request: EditRequest) -> None:
    """The mistakes that can be told before anything is computed."""
    if not (request.drags or request.recipes):
        raise UsageError("there is nothing to do; say what to move with --drag or --recipe")
    if request.into is not None:
        check_format(request.output)
    else:
        check_output(request.output, request.photo)
    if request.compare is not None:
        check_comparison(request.compare, ComparisonSettings(), request.photo)
    if request.marked is not None:
        check_picture(request.marked, request.photo, what="the marked photo")
    if request.timelapse is not None:
        check_animation(request.timelapse, request.photo)
    _check_places(request)
    if request.signing is not None:
        check_signing(request.signing)
    check_folders(request)


def check_folders(request: EditRequest) -> None:
    """The mistakes of where the session and the pictures of the paste are kept."""
    if request.keep is not None:
        check_folder(request.keep)
    if request.debug is not None:
        check_debug(request.debug)


def check_debug(folder: Path) -> None:
    """Make the folder for the pictures of the paste; raise OutputError where it holds others by their
    names."""
    make_folder(folder)
    check_ours(*(folder / f"{name}.png" for name in DEBUG_NAMES))


def _check_places(request: EditRequest) -> None:
    """Raise OutputError where a file would be written that is read or written as another one."""
    compare, signing = request.compare, request.signing
    outputs = {
        "-o": request.output if request.into is None else None,
        "--compare": compare,
        "--marked": request.marked,
        "--timelapse": request.timelapse,
        "--debug": request.debug,
        "--keep": request.keep,
    }
    inputs = {
        "PHOTO": [request.photo] if request.source is None else [],
        "--mask": [] if request.mask is None else [request.mask],
        "--model": [Path(request.model)] if Path(request.model).is_file() else [],
        "the signature": [] if signing is None else [signing.certificate, signing.key],
    }
    check_apart(outputs, inputs)


def check_animation(path: Path, photo: Path) -> None:
    """Raise UsageError, OutputError where no animation of a photo can be written to `path`."""
    check_encoder(path)
    check_place(path, photo)
    check_ours(path)


def check_picture(path: Path, photo: Path, *, what: str = "a crop") -> None:
    """Raise for the name of a picture that is not a PNG, or cannot be written."""
    if path.suffix.lower() != ".png":
        raise UsageError(f"{what} is written as PNG; end {path} in .png")
    check_output(path, photo)
    check_ours(path)
