"""One edit from file to file.

Align the face of a photo to a square, find that square in the latent space, drag points there, and move the
photo's own pixels the way the picture of the generator moved.

`edit` is `begin` and `finish`. Between the two, `editing.begun` inverts the
faces of several photos side by side.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import checkpoints
from alignment import Face
from checkpoints import Checkpoint
from realedit.compare.timelapse import Recorder, write_timelapse
from realedit.drag import OnStep, keep_going, moving_layers
from realedit.editing import stages
from realedit.editing.arriving import arrived
from realedit.editing.begun import Begun
from realedit.editing.comparing import write_before_after, write_marked
from realedit.editing.face import dragged, of_face
from realedit.editing.outcome import EditReport, Made, edit_warnings, report_on
from realedit.editing.plan import planned
from realedit.editing.request import EditRequest
from realedit.geometry.masks import edit_mask
from realedit.photos import Photo, Provenance, write_photo
from realedit.plumbing.devices import choose_device
from realedit.plumbing.timing import Laps
from realedit.sessions.session import Session


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


def begin(
    request: EditRequest,
    *,
    checkpoint: Checkpoint | None = None,
    laps: Laps | None = None,
) -> Begun:
    """The beginning of `edit`: read and align."""
    laps = laps or Laps()
    return begin_read(request, arrived(request, laps), checkpoint=checkpoint, laps=laps)


def begin_read(
    request: EditRequest,
    photo: Photo,
    *,
    checkpoint: Checkpoint | None = None,
    faces: Sequence[Face] | None = None,
    laps: Laps | None = None,
) -> Begun:
    """`begin` where the photo is read. faces: all of the photo's, where they were found."""
    laps = laps or Laps()
    laps("load")
    mask = edit_mask(request.mask, request.regions, (photo.width, photo.height))
    checkpoint = checkpoint or checkpoints.load(request.model, device=choose_device(request.device))
    return begin_with(request, photo, mask, checkpoint, faces=faces, laps=laps)


def begin_with(
    request: EditRequest,
    photo: Photo,
    mask: NDArray[np.uint8] | None,
    checkpoint: Checkpoint,
    *,
    faces: Sequence[Face] | None = None,
    laps: Laps | None = None,
) -> Begun:
    """`begin` where photo, mask and model are at hand. faces: all of the photo's, where they were found."""
    laps = laps or Laps()
    moving_layers(request.drag, checkpoint.generator)  # refused before the work begins
    laps("align")
    edits = tuple(planned(request, photo, checkpoint, found=faces))
    laps.end()
    return Begun(request=request, photo=photo, mask=mask, checkpoint=checkpoint, edits=edits, laps=laps)


def finish(begun: Begun, *, on_step: OnStep = keep_going) -> EditReport:
    """The rest of `edit`: invert what is not inverted, drag, paste, write."""
    request = begun.request
    done = made(begun, on_step=on_step, record=request.timelapse is not None)
    done.laps("write")
    said = _write(done.result, request)
    if request.compare is not None:
        write_before_after(request.compare, done.photo, done.result)
    if request.marked is not None:
        write_marked(request.marked, done.photo, done.sessions)
    if request.timelapse is not None:
        write_timelapse(request.timelapse, list(done.steps), done.sessions, done.checkpoint)
    done.laps.end()
    return report_on(done).written(request.output, said)


def made(begun: Begun, *, on_step: OnStep = keep_going, record: bool = False) -> Made:
    """The edited photo, before it is written. record: keep the steps of the drags, for a time-lapse."""
    request, photo, checkpoint, laps = begun.request, begun.photo, begun.checkpoint, begun.laps
    recorder = Recorder(on_step) if record else None
    done: list[Session] = []
    for each in begun.edits:
        if done and done[-1].history[-1].ending == "stopped":
            break
        with of_face(each.session, several=len(begun.edits) > 1):
            session = dragged(
                each, request, checkpoint, begun.mask, laps, recorder or on_step, inverting=record
            )
            done.append(session)
    laps("paste")
    pasted = [(session, checkpoint) for session in done]
    result = stages.render_faces(photo, pasted, request.paste, debug=request.debug)
    laps.end()
    return Made(
        photo=photo,
        result=result,
        checkpoint=checkpoint,
        sessions=tuple(done),
        certainties=tuple(each.certainty for each in begun.edits[: len(done)]),
        warnings=edit_warnings(request, result, begun.edits, done, checkpoint),
        laps=laps,
        steps=() if recorder is None else tuple(recorder.steps),
        recipes=(tuple(request.recipes),) * len(done),
    )


def _write(photo: Photo, request: EditRequest) -> tuple[str, ...]:
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
