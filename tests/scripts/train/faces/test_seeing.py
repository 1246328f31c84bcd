"""Eyes and mouths are looked at where they are, whatever the copy; gradients say how to open them."""

import dataclasses

import numpy as np
import pytest
import skimage.data
import torch
from train.faces.augment import Batch, Jitter
from train.faces.dataset import MARGIN
from train.faces.expressions import Expressions
from train.faces.kinds import NAMES
from train.faces.seeing import Onlooker
from train.faces.source import Source

from alignment import extract_crop, find_faces
from tests.scripts.train.samples import CPU, faces


@pytest.fixture(scope="module")
def source() -> Source:
    """One real face, twice."""
    photo = np.ascontiguousarray(skimage.data.astronaut())
    (face,) = find_faces(photo)
    square = dataclasses.replace(face.alignment, side=face.alignment.side * MARGIN)
    pixels = np.asarray(extract_crop(photo, square, 144).pixels, np.uint8)
    landmarks = square.to_crop(face.landmarks, 1).astype(np.float32)
    given = dataclasses.replace(
        faces(3, size=144), pixels=np.stack([pixels] * 3), landmarks=np.stack([landmarks] * 3)
    )
    return Source.of(given, held_out=False, device=CPU)


def _batch(source: Source, jitter: Jitter | None, share: float | None = None) -> Batch:
    acting = None if share is None else Expressions(share=share, lids=(1.0, 1.0))
    return source.batch(torch.arange(2), 128, jitter, torch.Generator().manual_seed(5), acting)


def test_points_of_a_copy_are_those_of_the_face_in_its_close_ups(source: Source) -> None:
    onlooker = Onlooker().eval()
    still, copy = _batch(source, None), _batch(source, Jitter(colour=0, tint=0))
    one = onlooker.points(still.crops, still, torch.float32)
    other = onlooker.points(copy.crops, copy, torch.float32)
    for a, b in zip(one, other, strict=True):
        assert float((a - b).abs().mean()) < 0.012


def test_a_face_differs_from_itself_in_nothing_and_moved_it_differs(source: Source) -> None:
    onlooker = Onlooker().eval()
    batch = _batch(source, None, share=1.0)
    same = onlooker.loss(batch.crops, batch, torch.float32)
    moved = onlooker.loss(batch.still, batch, torch.float32)
    assert float(same) < 1e-3
    assert float(moved) > 0.008


def test_gradients_reach_the_pictures_at_eyes_and_mouth_alone(source: Source) -> None:
    onlooker = Onlooker().eval()
    batch = _batch(source, None, share=1.0)
    pictures = batch.still.clone().requires_grad_(True)
    onlooker.loss(pictures, batch, torch.float32).backward()
    assert pictures.grad is not None
    reached = pictures.grad.abs().amax((0, 1)) > 0
    assert bool(reached[50:60, 40:90].any())
    assert not bool(reached[:20].any())


def test_rare_faces_are_drawn_more_often() -> None:
    given = faces(5)
    kinds = np.zeros((5, len(NAMES)), np.bool_)
    kinds[1, 0] = kinds[2, :2] = True
    source = Source.of(dataclasses.replace(given, kinds=kinds), held_out=False, device=CPU)
    drawn = source.draw(9000, 3.0, torch.Generator().manual_seed(0)).bincount(minlength=4) / 9000
    torch.testing.assert_close(drawn, torch.tensor([3, 5, 1, 1]) / 10, atol=0.02, rtol=0)
