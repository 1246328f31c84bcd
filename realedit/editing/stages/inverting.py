"""The second stage: session -> session with a pivot, and the generator tuned to the photo."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

import checkpoints
import inversion
from checkpoints import Checkpoint
from inversion import InversionSettings, Step
from realedit.drag import OnStep, keep_going
from realedit.errors import UsageError
from realedit.sessions.pictures import (
    device_of,
    label_of,
)
from realedit.sessions.session import Session, to_tensor

log = logging.getLogger(__name__)


def invert(
    session: Session, checkpoint: Checkpoint, settings: InversionSettings, *, on_step: OnStep = keep_going
) -> Session:
    """Find the latent of the crop, and tune the generator to it where the settings say so."""
    return invert_together([session], checkpoint, settings, on_step=on_step)[0]


def invert_together(
    sessions: Sequence[Session],
    checkpoint: Checkpoint,
    settings: InversionSettings,
    *,
    on_step: OnStep = keep_going,
) -> list[Session]:
    """`invert` for several crops: their latents are searched for as one batch, which a GPU does in little
    more time than one; then the generator is tuned to one after the other.
    """
    device = device_of(checkpoint)
    crops = torch.cat([to_tensor(session.crop, device) for session in sessions])  # [N, 3, R, R]
    valid = torch.from_numpy(np.stack([session.valid for session in sessions]).astype(np.float32))
    valid = valid.to(device)[:, None]  # [N, 1, R, R]
    try:
        loss = inversion.choose(settings.perceptual, checkpoint, checkpoints.backbone)
    except ValueError as error:
        raise UsageError(f"{error}; fetch it with: realedit models pull {settings.perceptual}") from error
    log.info("inverting with the perceptual loss %s", loss.name)
    label = label_of(settings, checkpoint)
    pivots = inversion.starting_latent(checkpoint, crops, label)
    made: dict[str, int] = {}
    steps: Iterator[Step] = inversion.project(
        checkpoint, crops, valid, loss, settings.projection, start=pivots, precision=settings.precision
    )
    for step in steps:
        pivots = step.latent
        made[step.stage] = step.index
        if not on_step(step):
            break
    rows = [[part[i : i + 1] for part in (pivots, crops, valid)] for i in range(len(sessions))]
    return [
        _tuned(session, checkpoint, settings, row, loss, label, made, on_step)
        for session, row in zip(sessions, rows, strict=True)
    ]


def _tuned(
    session: Session,
    checkpoint: Checkpoint,
    settings: InversionSettings,
    row: Sequence[torch.Tensor],
    loss: inversion.PerceptualLoss,
    label: torch.Tensor | None,
    made: Mapping[str, int],
    on_step: OnStep,
) -> Session:
    """The session with its pivot, and the generator tuned to it. row: pivot, crop and valid."""
    pivot, crop, valid = row
    made = dict(made)
    tuning: Mapping[str, torch.Tensor] = {}
    if settings.tuning.steps:
        tuned = inversion.tuned_copy(checkpoint.generator)
        tuning_steps = inversion.tune(
            checkpoint, tuned, pivot, crop, valid, loss, settings.tuning,
            label=label, seed=settings.seed, precision=settings.precision,
        )  # fmt: skip
        for step in tuning_steps:
            made[step.stage] = step.index
            if not on_step(step):
                break
        tuning_steps.close()
        tuning = inversion.difference(tuned, checkpoint.generator)
    pivot = pivot.detach().cpu()
    return replace(
        session, pivot=pivot, current=pivot, tuning=tuning, history=(), masks={}, loss=loss.name, steps=made
    )
