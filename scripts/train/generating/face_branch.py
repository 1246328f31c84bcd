"""A face branch for an encoder: dlib's convolutions, looking where faces usually are."""

import torch

from checkpoints.encoder import Encoder
from checkpoints.faces import FaceBranch
from checkpoints.recogniser import CHIP
from train.faces.augment import chips_of
from train.faces.source import Source


@torch.no_grad()
def face_branch(encoder: Encoder, source: Source, count: int = 512) -> FaceBranch:
    """A branch that adds nothing yet, for crops like those of `source`."""
    branch = FaceBranch(encoder.fc.out_features)
    branch.fc.weight.zero_()
    branch.to(source.pixels.device)
    chosen = torch.arange(len(source))[:: max(1, len(source) // count)]
    batch = source.batch(chosen, encoder.resolution, None, torch.Generator())
    branch.window.copy_(batch.chips.mean(0))
    branch.centre.zero_()
    branch.spread.fill_(1)
    window = branch.window.expand(len(batch.crops), 2, 3)
    means = torch.cat([branch.standardised(part) for part in chips_of(batch.crops, window, CHIP).split(32)])
    branch.centre.copy_(means.mean(0))
    branch.spread.copy_(means.std(0, correction=0) + 1e-3)
    return branch
