"""Likeness: what the face branch sees, of each picture by itself, where the photo has pixels."""

from dataclasses import replace

import numpy as np
import pytest
import skimage.data
import torch
import torch.nn.functional as F
from torch import Tensor

import checkpoints
from alignment import extract_crop, find_faces
from checkpoints import Checkpoint
from checkpoints.testing import random_checkpoint
from inversion import InversionSettings, Pyramid, project
from inversion.likeness import Likeness


@pytest.fixture(scope="module")
def bundled() -> Checkpoint:
    return checkpoints.load("face128")


@pytest.fixture(scope="module")
def crop() -> Tensor:
    photo = np.ascontiguousarray(skimage.data.astronaut())
    pixels = extract_crop(photo, find_faces(photo)[0].alignment, 128).pixels
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1


def _to(checkpoint: Checkpoint, target: Tensor, valid: Tensor | None = None) -> Likeness:
    found = Likeness.to(
        checkpoint, target, torch.ones_like(target[:, :1]) if valid is None else valid, torch.float32
    )
    assert found is not None
    return found


def test_the_same_face_is_at_nought_another_further_than_a_blurred_one(
    bundled: Checkpoint, crop: Tensor
) -> None:
    blurred = F.interpolate(F.avg_pool2d(crop, 2), scale_factor=2, mode="bilinear")
    other = bundled.generator.synthesis(bundled.generator.w_avg.expand(1, bundled.generator.num_ws, -1))
    likeness = _to(bundled, crop)
    same, near, far = (float(likeness(each).detach()) for each in (crop, blurred, other))
    assert same == pytest.approx(0, abs=1e-6) and 0.01 < near < 0.7 * far


def test_every_picture_of_a_batch_has_its_own(bundled: Checkpoint, crop: Tensor) -> None:
    target, image = torch.cat([crop, crop.flip(3)]), torch.cat([crop.flip(3), crop * 0.5])
    together = _to(bundled, target)(image)
    alone = [float(_to(bundled, t[None])(i[None])) for t, i in zip(target, image, strict=True)]
    assert together.tolist() == pytest.approx(alone, rel=1e-3)


def test_pixels_the_photo_has_not_do_not_count(bundled: Checkpoint, crop: Tensor) -> None:
    valid = torch.ones(1, 1, 128, 128)
    valid[..., 64:, :] = 0
    changed = crop.clone()
    changed[..., 64:, :] *= -1
    likeness = _to(bundled, crop, valid)
    assert float(likeness(changed)) == pytest.approx(0, abs=1e-6)
    assert float(_to(bundled, crop)(changed)) > 0.1


def test_there_is_none_without_a_face_branch(crop: Tensor) -> None:
    for checkpoint in (random_checkpoint(128), random_checkpoint(128, encoder=False)):
        assert Likeness.to(checkpoint, crop, crop[:, :1], torch.float32) is None


def test_a_projection_with_it_finds_the_person_better_and_tells_the_term(
    bundled: Checkpoint, crop: Tensor
) -> None:
    settings = replace(InversionSettings().projection, steps=8)
    valid, far = torch.ones_like(crop[:, :1]), []
    for weight in (0.0, settings.likeness):
        *_, last = project(bundled, crop, valid, Pyramid(), replace(settings, likeness=weight))
        with torch.no_grad():
            far.append(float(_to(bundled, crop)(bundled.generator.synthesis(last.latent))))
        assert ("likeness" in last.terms) == (weight > 0)
    assert far[1] < 0.9 * far[0]
