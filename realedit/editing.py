"""One edit from file to file: what `realedit edit` does, for other programs too."""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import checkpoints
from checkpoints import Checkpoint
from inversion import Quality
from realedit import pipeline
from realedit.compare import (
    ComparisonSettings,
    check_comparison,
    marked,
    max_side,
    pair_of,
    write_comparison,
)
from realedit.compare.animation import check_encoder
from realedit.compare.timelapse import Recorder, write_timelapse
from realedit.compositing import DEBUG_NAMES
from realedit.devices import choose_device
from realedit.drag import DragSettings, moving_layers
from realedit.errors import SessionError, UsageError
from realedit.files import make_folder, write_png
from realedit.inverting import FaceEdit, inversion_settings, invert_all, inverted, of_face, planned
from realedit.looks.faces import verdict_on
from realedit.masks import Reach, edit_mask
from realedit.outcome import (
    EditReport,
    FaceReport,
    face_warnings,
    identity_distance,
    result_warnings,
    seen_share,
)
from realedit.photos import (
    MAX_PIXELS,
    Box,
    Photo,
    Provenance,
    Signing,
    Strip,
    check_fits,
    check_format,
    check_output,
    check_place,
    check_signing,
    read_photo,
    write_photo,
)
from realedit.pipeline import OnStep, PasteSettings, keep_going
from realedit.places import check_apart, check_ours
from realedit.recipes import Use
from realedit.recipes.applying import drag, known_limits
from realedit.session import Session, check_folder
from realedit.timing import Laps

log = logging.getLogger(__name__)

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class EditRequest:
    """What a person asks for: see `realedit edit --help`. Points are photo pixels, as displayed; there are
    drags, or recipes, or both (the drags come first). faces: as `alignment.share_out` takes them; recipes go
    to each of them, a drag to the one it lies on. box: what to edit instead of a face, whatever it is.
    source: the photo's bytes where they came from stdin, and `photo` is `places.STDIN`. into: gets the edited
    photo's bytes instead of the file `output`, which then says the format alone."""

    photo: Path
    output: Path
    drags: tuple[tuple[Point, Point], ...] = ()
    recipes: tuple[Use, ...] = ()
    mask: Path | None = None
    regions: tuple[Box, ...] = ()
    faces: tuple[str, ...] = ("auto",)
    box: Box | None = None
    model: str = "face128"
    quality: Quality = "standard"
    seed: int = 0
    label: str | None = None
    device: str = "auto"
    compare: Path | None = None
    timelapse: Path | None = None
    keep: Path | None = None
    changes: tuple[tuple[str, str], ...] = ()
    cache: bool = True
    reach: Reach = "local"
    debug: Path | None = None
    strip: Strip = "none"
    visible_label: bool = False
    signing: Signing | None = None
    max_pixels: int = MAX_PIXELS
    source: bytes | None = field(default=None, repr=False)
    into: Callable[[bytes], object] | None = None
    drag: DragSettings = field(default_factory=DragSettings)
    paste: PasteSettings = field(default_factory=PasteSettings)


@dataclass(frozen=True, kw_only=True)
class Begun:
    """An edit whose photo is read and whose faces are found. edits: those that are meant, from left to right;
    laps: its seconds by stage so far."""

    request: EditRequest
    photo: Photo
    mask: NDArray[np.uint8] | None
    checkpoint: Checkpoint
    edits: tuple[FaceEdit, ...]
    laps: Laps


def edit(
    request: EditRequest,
    *,
    checkpoint: Checkpoint | None = None,
    on_step: OnStep = keep_going,
    laps: Laps | None = None,
) -> EditReport:
    """Read, align, invert (or go on from a kept session), drag, paste, write.

    checkpoint: the request's model where it is loaded already; laps: told of each stage.
    """
    return finish(begin(request, checkpoint=checkpoint, laps=laps), on_step=on_step)


def begin(request: EditRequest, *, checkpoint: Checkpoint | None = None, laps: Laps | None = None) -> Begun:
    """The beginning of `edit`: read and align."""
    laps = laps or Laps()
    laps("read")
    check_request(request)
    photo = read_photo(request.photo, max_pixels=request.max_pixels, source=request.source)
    check_fits(request.output, photo)
    laps("load")
    mask = edit_mask(request.mask, request.regions, (photo.width, photo.height))
    checkpoint = checkpoint or checkpoints.load(request.model, device=choose_device(request.device))
    moving_layers(request.drag, checkpoint.generator)  # refused before the work begins
    laps("align")
    edits = tuple(planned(request, photo, checkpoint))
    laps.end()
    return Begun(request=request, photo=photo, mask=mask, checkpoint=checkpoint, edits=edits, laps=laps)


def invert_begun(begun: Sequence[Begun], together: int, *, on_step: OnStep = keep_going) -> list[Begun]:
    """Edits that differ in photo and output alone, their faces inverted up to `together` at a time. `finish`
    inverts those of an edit that was not here, to other last bits: a batch is not computed like one picture.
    """
    started, first = time.perf_counter(), begun[0]
    sessions = [each.session for one in begun for each in one.edits]
    found = invert_all(
        sessions,
        first.checkpoint,
        inversion_settings(first.request),
        together=together,
        use_cache=first.request.cache,
        on_step=on_step,
    )
    rest = iter(found)
    done = [
        replace(one, edits=tuple(replace(each, session=next(rest)) for each in one.edits)) for one in begun
    ]
    for one in begun:
        one.laps.add("invert", (time.perf_counter() - started) * len(one.edits) / len(sessions))
    return done


def finish(begun: Begun, *, on_step: OnStep = keep_going) -> EditReport:
    """The rest of `edit`: invert what is not inverted, drag, paste, write."""
    request, photo, checkpoint, laps = begun.request, begun.photo, begun.checkpoint, begun.laps
    recorder = None if request.timelapse is None else Recorder(on_step)
    on_step = recorder or on_step
    done: list[Session] = []
    for each in begun.edits:
        if done and done[-1].history[-1].ending == "stopped":
            break
        with of_face(each.session, several=len(begun.edits) > 1):
            done.append(_dragged(each, request, checkpoint, begun.mask, laps, on_step))
    laps("paste")
    pasted = [(session, checkpoint) for session in done]
    result = pipeline.render_faces(photo, pasted, request.paste, debug=request.debug)
    laps("write")
    told = [
        said if len(done) == 1 else f"face {each.session.face}: {said}"
        for each in begun.edits[: len(done)]
        for said in each.warnings
    ]
    warnings = [*told, *known_limits(request.recipes, checkpoint), *result.warnings, *face_warnings(done)]
    if len(done) < len(begun.edits):
        warnings.append(f"stopped at face {done[-1].face}; the faces after it stay as they are")
    warnings += _written(result, request)
    if request.compare is not None:
        write_before_after(request.compare, photo, result, done)
    if request.timelapse is not None and recorder is not None:
        write_timelapse(request.timelapse, recorder.steps, done, checkpoint)
    laps.end()
    seconds = sum(laps.seconds.values())
    faces = [
        _seen(each, session, photo, result, request, laps)
        for each, session in zip(begun.edits, done, strict=False)
    ]
    warnings += [
        said if len(done) == 1 else f"face {each.face}: {said}"
        for each in faces
        for said in result_warnings(each)
    ]
    laps.end()
    return EditReport(
        photo=request.photo,
        output=request.output,
        faces=tuple(faces),
        seconds=seconds,
        changed=result.changed,
        warnings=tuple(dict.fromkeys(warnings)),
        timings=laps.seconds,
    )


def _seen(
    each: FaceEdit, session: Session, photo: Photo, result: Photo, request: EditRequest, laps: Laps
) -> FaceReport:
    """What the result shows of one face."""
    laps("identity")
    identity = identity_distance(photo, result, session)
    seen = seen_share(result, session)
    laps("look")
    looks = verdict_on(photo, result, session, each.drags, request.recipes, identity=identity)
    return FaceReport(session=session, identity=identity, seen=seen, certainty=each.certainty, looks=looks)


def _dragged(
    each: FaceEdit,
    request: EditRequest,
    checkpoint: Checkpoint,
    mask: NDArray[np.uint8] | None,
    laps: Laps,
    on_step: OnStep,
) -> Session:
    """One face inverted, where anything of what is asked is the generator's, and dragged, and kept where that
    is asked for."""

    def dragged(session: Session) -> Session:
        return drag(
            session, checkpoint, each.drags, request.recipes,
            mask=mask, reach=request.reach, settings=request.drag, on_step=on_step,
        )  # fmt: skip

    if each.keep is None and request.timelapse is None and each.session.pivot is None:
        laps("drag")
        with suppress(SessionError):  # lids and lips need no inversion, which takes most of the time
            return dragged(each.session)
    laps("invert")
    session = inverted(each, request, checkpoint, on_step=on_step)
    laps("drag")
    session = dragged(session)
    if each.keep is not None:
        session.save(each.keep)
    return session


def _written(photo: Photo, request: EditRequest) -> tuple[str, ...]:
    """Write the result; what the user should know of it."""
    report = write_photo(
        photo,
        request.output,
        provenance=Provenance(),
        strip=request.strip,
        signing=request.signing,
        visible_label=request.visible_label,
        into=request.into,
    )
    return report.warnings


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
    if request.timelapse is not None:
        check_encoder(request.timelapse)
        check_place(request.timelapse, request.photo)
        check_ours(request.timelapse)
    _check_places(request)
    if request.keep is not None:
        check_folder(request.keep)
    if request.signing is not None:
        check_signing(request.signing)
    if request.debug is not None:
        make_folder(request.debug)
        check_ours(*(request.debug / f"{name}.png" for name in DEBUG_NAMES))


def _check_places(request: EditRequest) -> None:
    """Raise OutputError where a file would be written that is read or written as another one."""
    compare, signing = request.compare, request.signing
    outputs = {
        "-o": request.output if request.into is None else None,
        "--compare": compare,
        "the marked copy of --compare": None if compare is None else marked_place(compare),
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
    if compare is not None:
        check_ours(marked_place(compare))


def check_picture(path: Path, photo: Path) -> None:
    """Raise for a crop's name that is not a PNG, or cannot be written."""
    if path.suffix.lower() != ".png":
        raise UsageError(f"a crop is written as PNG; end {path} in .png")
    check_output(path, photo)
    check_ours(path)


def marked_place(compare: Path) -> Path:
    """Where the marked photo of a comparison is."""
    return compare.with_suffix(".marked.png")


def write_before_after(path: Path, before: Photo, after: Photo, sessions: Sequence[Session]) -> None:
    """Before and after as the file's name says (PNG: side by side), and beside it `NAME.marked.png`, the
    photo with handles, targets and mask."""
    settings = ComparisonSettings()
    pair = pair_of(before, after, max_side=max_side(path, settings))
    write_comparison(path, pair, settings)
    shown = before.srgb()
    drags = [each for session in sessions for each in session.history]
    mask = sessions[0].masks.get(drags[0].mask) if drags[0].mask else None
    handles, targets, reached = (
        np.concatenate([getattr(each, key) for each in drags]) for key in ("handles", "targets", "reached")
    )
    drawn = marked(shown, handles, targets, mask=mask, reached=reached)
    write_png(marked_place(path), drawn)
