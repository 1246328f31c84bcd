"""The copies that training sees."""

import numpy as np
import torch
import torch.nn.functional as F
from train.faces.augment import Jitter, chips_of, compose, crop_batch, diff_augment, invert
from train.faces.expressions import Expressions
from train.faces.seeing import close_ups as close_ups_of
from train.faces.source import Source

from tests.scripts.train.samples import CPU, faces, landmarks


def _tensors(size: int = 72) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    given = faces(4, size=size)
    chips = torch.tensor([[[0.5, 0.05, 0.0], [-0.05, 0.5, 0.1]]]).repeat(4, 1, 1)
    return torch.from_numpy(given.pixels), torch.from_numpy(given.valid), chips


def close_ups() -> torch.Tensor:
    return close_ups_of(np.repeat(landmarks()[None], 4, 0))


def test_without_jitter_the_crop_is_the_middle_of_the_square() -> None:
    pixels, valid, chips = _tensors()
    batch = crop_batch(pixels, valid, chips, close_ups(), 64, None, torch.Generator())
    middle = pixels[:, 4:-4, 4:-4].permute(0, 3, 1, 2) / 127.5 - 1
    torch.testing.assert_close(batch.crops, middle, atol=2e-3, rtol=0)
    assert bool((batch.valid == 1).all())


def test_a_chip_shows_the_same_whatever_the_jitter() -> None:
    pixels, valid, chips = _tensors(144)
    smooth = F.avg_pool2d(pixels.permute(0, 3, 1, 2).float(), 9, 1, 4).permute(0, 2, 3, 1).byte()
    jitter = Jitter(colour=0, tint=0)
    batch = crop_batch(smooth, valid, chips, close_ups(), 128, jitter, torch.Generator().manual_seed(3))
    direct = chips_of(smooth.permute(0, 3, 1, 2).float() / 127.5 - 1, chips, 60)
    torch.testing.assert_close(chips_of(batch.crops, batch.chips, 60), direct, atol=0.06, rtol=0)


def test_the_same_seed_gives_the_same_copies_and_another_one_others() -> None:
    pixels, valid, chips = _tensors()
    one, two, three = (
        crop_batch(pixels, valid, chips, close_ups(), 64, Jitter(), torch.Generator().manual_seed(seed)).crops
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, three)


def test_what_was_outside_of_the_photo_is_not_valid() -> None:
    pixels, valid, chips = _tensors()
    valid[:, :, :36] = False
    batch = crop_batch(pixels, valid, chips, close_ups(), 64, None, torch.Generator())
    assert bool((batch.valid[..., :31] == 0).all())
    assert bool((batch.valid[..., 34:] == 1).all())


def test_grey_pictures_get_a_colour_cast_and_colour_ones_none() -> None:
    pixels, valid, chips = _tensors()
    pixels[0] = pixels[0].float().mean(-1, keepdim=True).byte()
    jitter = Jitter(shift=0, scale=0, turn=0, colour=0, tint=1)
    batch = crop_batch(pixels, valid, chips, close_ups(), 64, jitter, torch.Generator().manual_seed(0))
    plain = crop_batch(pixels, valid, chips, close_ups(), 64, None, torch.Generator()).crops
    assert float((batch.crops[0, 0] - batch.crops[0, 2]).abs().mean()) > 0.02
    for one, other in zip(batch.crops[1:], plain[1:], strict=True):
        torch.testing.assert_close(one.mean((1, 2)), other.mean((1, 2)), atol=0.02, rtol=0)


def test_a_face_that_moves_comes_with_its_still_picture_in_the_same_colours() -> None:
    source = Source.of(faces(4, size=72), held_out=False, device=CPU)
    chosen = torch.arange(3)
    batches = [
        source.batch(chosen, 64, Jitter(), torch.Generator().manual_seed(2), Expressions(share=share))
        for share in (0.0, 1.0)
    ]
    still, moved = batches
    assert torch.equal(still.crops, still.still)
    assert not still.amounts.any()
    assert bool((moved.amounts.abs().sum(1) > 0).any())
    same = (moved.crops - moved.still).abs().amax(1) < 1e-4
    assert 0.05 < float(same.float().mean()) < 0.98


def test_affines_are_inverted() -> None:
    affine = torch.tensor([[[0.9, -0.2, 0.1], [0.2, 0.9, -0.3]]])
    torch.testing.assert_close(compose(affine, invert(affine)), torch.eye(2, 3)[None])


def test_diff_augment_changes_pictures_and_passes_gradients() -> None:
    pictures = torch.rand(4, 3, 32, 32, requires_grad=True)
    changed = diff_augment(pictures, torch.Generator().manual_seed(0))
    assert changed.shape == pictures.shape
    cut = (changed == 0).all(1).float().mean((1, 2))
    assert bool((cut > 0).all())
    assert bool((cut < 0.6).all())
    changed.sum().backward()
    assert pictures.grad is not None
    assert bool((pictures.grad.abs().sum((1, 2, 3)) > 0).all())


def test_diff_augment_has_second_derivatives() -> None:
    pictures = torch.rand(2, 3, 16, 16, requires_grad=True)
    scale = torch.ones((), requires_grad=True)
    changed = diff_augment(pictures, torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad((changed.square() * scale).sum(), pictures, create_graph=True)
    gradient.square().sum().backward()
    assert scale.grad is not None
    assert float(scale.grad) > 0
