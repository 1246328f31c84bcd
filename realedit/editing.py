"""One edit from file to file: what `realedit edit` does, for other programs too."""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import checkpoints
from alignment.identity import descriptor, distance
from checkpoints import Checkpoint
from inversion import Quality
from realedit import __version__, pipeline
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
from realedit.devices import choose_device
from realedit.drag import DragSettings, moving_layers
from realedit.errors import OutputError, UsageError
from realedit.files import make_folder, write_png
from realedit.inverting import inverted_session
from realedit.masks import Reach, edit_mask
from realedit.photos import (
    MAX_PIXELS,
    Box,
    Photo,
    Provenance,
    Signing,
    check_output,
    check_place,
    check_signing,
    read_photo,
    write_photo,
)
from realedit.pipeline import OnStep, PasteSettings, keep_going
from realedit.recipes import Use
from realedit.recipes.applying import drag
from realedit.session import Drag, Session, check_folder
from realedit.timing import Laps

log = logging.getLogger(__name__)

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class EditRequest:
    """What a person asks for: see `realedit edit --help`. Points are photo pixels, as displayed; there are
    drags, or recipes, or both (the drags come first)."""

    photo: Path
    output: Path
    drags: tuple[tuple[Point, Point], ...] = ()
    recipes: tuple[Use, ...] = ()
    mask: Path | None = None
    regions: tuple[Box, ...] = ()
    face: str = "auto"
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
    strip_gps: bool = False
    visible_label: bool = False
    signing: Signing | None = None
    max_pixels: int = MAX_PIXELS
    drag: DragSettings = field(default_factory=DragSettings)
    paste: PasteSettings = field(default_factory=PasteSettings)


@dataclass(frozen=True, kw_only=True)
class EditReport:
    """What came of it; `as_json` is what `--json` prints."""

    request: EditRequest
    session: Session
    seconds: float
    identity: float | None
    changed: tuple[int, int, int, int] | None
    warnings: tuple[str, ...]
    timings: Mapping[str, float] = field(default_factory=dict)  # seconds by stage

    def as_json(self) -> dict[str, Any]:
        """version, input, output, face, model, quality, seconds, handles, identity, changed_box, warnings."""
        handles = [
            {"start": list(start), "target": list(target), "reached": list(reached)}
            for entry in self.session.history
            for start, target, reached in zip(entry.handles, entry.targets, entry.reached, strict=True)
        ]
        return {
            "version": __version__,
            "input": str(self.request.photo),
            "output": str(self.request.output),
            "face": self.session.face,
            "model": self.session.model,
            "quality": self.session.quality,
            "seconds": round(self.seconds, 3),
            "handles": handles,
            "identity": None if self.identity is None else round(self.identity, 4),
            "changed_box": None if self.changed is None else list(self.changed),
            "warnings": list(self.warnings),
        }


def edit(
    request: EditRequest, *, checkpoint: Checkpoint | None = None, on_step: OnStep = keep_going
) -> EditReport:
    """Read, align, invert (or go on from a kept session), drag, paste, write.

    checkpoint: the request's model where it is loaded already, for many photos.
    """
    started, laps = time.perf_counter(), Laps()
    check_request(request)
    photo = read_photo(request.photo, max_pixels=request.max_pixels)
    laps("read")
    mask = edit_mask(request.mask, request.regions, (photo.width, photo.height))
    points = np.array(request.drags, float).reshape(-1, 2)
    checkpoint = checkpoint or checkpoints.load(request.model, device=choose_device(request.device))
    moving_layers(request.drag, checkpoint.generator)  # refused before the work begins
    laps("load")
    recorder = None if request.timelapse is None else Recorder(on_step)
    on_step = recorder or on_step
    session = inverted_session(request, photo, checkpoint, points, laps, on_step=on_step)
    session = drag(
        session,
        checkpoint,
        request.drags,
        request.recipes,
        mask=mask,
        reach=request.reach,
        settings=request.drag,
        on_step=on_step,
    )
    laps("drag")
    if request.keep is not None:
        session.save(request.keep)
    result = pipeline.render(photo, session, checkpoint, request.paste, debug=request.debug)
    laps("paste")
    warnings = [*result.warnings, *drag_warnings(session.history)]
    warnings += _written(result, request)
    if request.compare is not None:
        write_before_after(request.compare, photo, result, session)
    if request.timelapse is not None and recorder is not None:
        write_timelapse(request.timelapse, recorder.steps, session, checkpoint)
    laps("write")
    seconds = time.perf_counter() - started
    identity = identity_distance(photo, result, session)
    laps("identity")
    return EditReport(
        request=request,
        session=session,
        seconds=seconds,
        identity=identity,
        changed=result.changed,
        warnings=tuple(dict.fromkeys(warnings)),
        timings=laps.seconds,
    )


def _written(photo: Photo, request: EditRequest) -> tuple[str, ...]:
    """Write the result; what the user should know of it."""
    report = write_photo(
        photo,
        request.output,
        provenance=Provenance(),
        strip_gps=request.strip_gps,
        signing=request.signing,
        visible_label=request.visible_label,
    )
    return report.warnings


def check_request(request: EditRequest) -> None:
    """The mistakes that can be told before anything is computed."""
    if not (request.drags or request.recipes):
        raise UsageError("there is nothing to do; say what to move with --drag or --recipe")
    check_output(request.output, request.photo)
    if request.compare is not None:
        check_comparison(request.compare, ComparisonSettings(), request.photo)
    if request.timelapse is not None:
        check_encoder(request.timelapse)
        check_place(request.timelapse, request.photo)
    outputs = {"-o": request.output, "--compare": request.compare, "--timelapse": request.timelapse}
    named: dict[Path, str] = {}
    for option, path in outputs.items():
        first = option if path is None else named.setdefault(path.resolve(), option)
        if first != option:
            raise OutputError(f"{path} is named by {first} already; give {option} another name")
    if request.keep is not None:
        check_folder(request.keep)
    if request.signing is not None:
        check_signing(request.signing)
    if request.debug is not None:
        make_folder(request.debug)


def check_picture(path: Path, photo: Path) -> None:
    """Raise for a crop's name that is not a PNG, or cannot be written."""
    if path.suffix.lower() != ".png":
        raise UsageError(f"a crop is written as PNG; end {path} in .png")
    check_output(path, photo)


def endings(drags: Sequence[Drag]) -> str:
    """How drags ended, in words: `arrived after 12 steps`."""
    return ", ".join(f"{each.ending} after {each.steps} steps" for each in drags)


def drag_warnings(drags: Sequence[Drag]) -> list[str]:
    """What the user should know of how these drags ended."""
    warnings = []
    for each in drags:
        missed = np.linalg.norm(np.subtract(each.targets, each.reached), axis=-1).max()
        if each.ending == "stalled":
            warnings.append(
                f"the drag stalled after {each.steps} steps, {missed:.1f} px from its target: the "
                "model cannot move this point there; the nearest it came was kept"
            )
        elif each.ending == "steps":
            warnings.append(f"the drag ended after {each.steps} steps, {missed:.1f} px from its target")
    return warnings


def write_before_after(path: Path, before: Photo, after: Photo, session: Session) -> None:
    """Before and after as the file's name says (PNG: side by side), and beside it `NAME.marked.png`, the
    photo with handles, targets and mask."""
    settings = ComparisonSettings()
    pair = pair_of(before, after, max_side=max_side(path, settings))
    write_comparison(path, pair, settings)
    shown = before.srgb()
    drags = session.history
    mask = session.masks.get(drags[0].mask) if drags[0].mask else None
    handles, targets, reached = (
        np.concatenate([getattr(each, key) for each in drags]) for key in ("handles", "targets", "reached")
    )
    drawn = marked(shown, handles, targets, mask=mask, reached=reached)
    write_png(path.with_suffix(".marked.png"), drawn)


def identity_distance(before: Photo, after: Photo, session: Session) -> float | None:
    """dlib descriptor distance between the face before and after, at the landmarks of the photo; None
    without a face."""
    if session.landmarks is None:
        return None
    if after.changed is None:
        return 0.0
    box, landmarks = _around_face(session)
    one, other = (descriptor(photo.srgb(box), landmarks) for photo in (before, after))
    return distance(one, other)


def _around_face(session: Session) -> tuple[tuple[int, int, int, int], NDArray[np.float64]]:
    """The photo's box around the aligned square, and the landmarks in it: a large photo is not converted
    whole."""
    corners = session.alignment.corners()
    width, height = session.photo_size
    left, top = (max(0, math.floor(value)) for value in corners.min(0))
    right, bottom = (math.ceil(value) for value in corners.max(0))
    assert session.landmarks is not None
    return (left, top, min(right, width), min(bottom, height)), session.landmarks - (left, top)
