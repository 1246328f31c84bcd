"""Conditional generators: the label is asked for, checked, and decides where the inversion starts."""

import dataclasses

import pytest
import torch

from checkpoints import CheckpointError
from checkpoints.testing import random_checkpoint
from inversion import InversionSettings, starting_latent
from realedit.errors import UsageError
from realedit.sessions.pictures import label_of

CONDITIONAL = random_checkpoint(16, c_dim=3, encoder=False)
SETTINGS = InversionSettings.preset("draft")


def test_a_missing_label_is_asked_for() -> None:
    with pytest.raises(UsageError, match="draws 3 classes; say which with --label, 0 to 2"):
        label_of(SETTINGS, CONDITIONAL)


def test_a_label_that_does_not_fit_is_refused() -> None:
    with pytest.raises(CheckpointError, match="no class 7"):
        label_of(dataclasses.replace(SETTINGS, label="7"), CONDITIONAL)
    with pytest.raises(CheckpointError, match="takes no label"):
        label_of(dataclasses.replace(SETTINGS, label="1"), random_checkpoint(16))


def test_without_an_encoder_the_search_starts_at_the_mean_of_the_label() -> None:
    crop = torch.zeros(1, 3, 16, 16)
    starts = []
    for text in ("0", "2"):
        label = label_of(dataclasses.replace(SETTINGS, label=text), CONDITIONAL)
        start = starting_latent(CONDITIONAL, crop, label)
        assert torch.equal(start[0, 0], CONDITIONAL.generator.mean_w(label))
        starts.append(start)
    assert not torch.allclose(starts[0], starts[1])
