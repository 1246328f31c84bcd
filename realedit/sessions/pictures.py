"""What a session's latents show: the generator as tuned to the photo, and its pictures before and after."""

import numpy as np
import torch
from numpy.typing import NDArray

import checkpoints
import inversion
from alignment import Alignment
from alignment.landmarks import landmarks_in
from alignment.names import REGIONS, region_of
from checkpoints import Checkpoint, Generator
from inversion import InversionSettings
from realedit.compositing.features import Features
from realedit.errors import SessionError, UsageError
from realedit.sessions.session import Session, to_picture


def pictures(session: Session, checkpoint: Checkpoint) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Before and after: the pivot and the current latent, `[R, R, 3]` sRGB in [0, 1], from the same
    generator."""
    pivot, current = latents_of(session)
    generator = generator_of(session, checkpoint)
    device = device_of(checkpoint)
    with torch.no_grad():
        before = to_picture(generator.synthesis(pivot.to(device)))
        after = before if torch.equal(pivot, current) else to_picture(generator.synthesis(current.to(device)))
    return before, after


def moved_landmarks(
    session: Session, before: NDArray[np.float32], after: NDArray[np.float32]
) -> NDArray[np.float64]:
    """The landmarks of a session's photo, moved as dlib sees them move from before to after, photo
    pixels `[68, 2]`."""
    assert session.landmarks is not None
    size = before.shape[0]
    whole = Alignment(centre=(size / 2, size / 2), side=size, angle=0)
    drawn = (np.asarray(picture * 255 + 0.5, np.uint8) for picture in (before, after))
    seen = [session.alignment.to_photo(landmarks_in(each, whole), size) for each in drawn]
    return np.asarray(session.landmarks + seen[1] - seen[0])


def moved_so_far(
    session: Session, checkpoint: Checkpoint, points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far the generator has moved what points `[K, 2]` of the current result lie on, photo pixels: as
    far as the parts of the face, by the landmarks nearest to them."""
    if session.landmarks is None or session.pivot is None or torch.equal(*latents_of(session)):
        return np.zeros_like(points)
    new = moved_landmarks(session, *pictures(session, checkpoint))
    nearest = [int(np.linalg.norm(new - point, axis=1).argmin()) for point in points]
    return np.array([(new - session.landmarks)[list(REGIONS[region_of(i)])].mean(0) for i in nearest])


def features_of(session: Session) -> Features | None:
    """The parts of the session's face that slide; None without a face, or where they fall together."""
    return None if session.points is None else Features.of(session.points)


def generator_of(session: Session, checkpoint: Checkpoint) -> Generator:
    """The generator as tuned to the session's photo."""
    if not session.tuning:
        return checkpoint.generator
    tuned = inversion.tuned_copy(checkpoint.generator)
    try:
        inversion.apply(tuned, session.tuning)
    except ValueError as error:
        raise SessionError(f"{error}; delete the session and invert again") from error
    return tuned


def latents_of(session: Session) -> tuple[torch.Tensor, torch.Tensor]:
    """Pivot and current latent. Raises SessionError before the inversion."""
    if session.pivot is None or session.current is None:
        raise SessionError("the session holds no inversion yet; run: realedit invert PHOTO --keep DIR")
    return session.pivot, session.current


def label_of(settings: InversionSettings, checkpoint: Checkpoint) -> torch.Tensor | None:
    """The settings' label `[1, c_dim]`, None for a generator that takes none.

    Raises UsageError where a label is missing, CheckpointError for one that does not fit.
    """
    c_dim = checkpoint.generator.c_dim
    if settings.label is None:
        if c_dim:
            raise UsageError(
                f"the model {checkpoint.name} draws {c_dim} classes; say which with --label, 0 to {c_dim - 1}"
            )
        return None
    return checkpoints.parse_label(settings.label, c_dim).to(device_of(checkpoint))


def device_of(checkpoint: Checkpoint) -> torch.device:
    """Where the checkpoint's weights are."""
    return next(checkpoint.generator.parameters()).device
