"""What training minimises."""

import torch
import torch.nn.functional as F
from torch import Tensor

from inversion.perceptual import Pyramid, within
from train.faces.augment import Batch, chips_of
from train.faces.recogniser import CHIP, Recogniser

_pyramid = Pyramid(levels=5, squared=False)


def pixel_loss(images: Tensor, batch: Batch) -> Tensor:
    """Multi-scale L1 of colours and gradients where the photo is."""
    return _pyramid(images, batch.crops, batch.valid).mean()


def moved_loss(images: Tensor, batch: Batch) -> Tensor:
    """The same where faces were moved, soft-edged; 0 for those that were not."""
    change = (batch.crops - batch.still).abs().amax(1, keepdim=True)
    size = images.shape[-1] // 16  # cells of the soft edge
    where = F.avg_pool2d((change > 0.1).float(), 2 * size + 1, 1, size) * batch.valid
    where = (where * 2).clamp_max(1)
    acted = where.sum((1, 2, 3)) > 1
    if not bool(acted.any()):
        return images.new_zeros(())
    found: Tensor = _pyramid(images[acted], batch.crops[acted], where[acted]).sum() / len(images)
    return found


def face_losses(
    recogniser: Recogniser, images: Tensor, batch: Batch, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """How far the faces are apart for the recognition network: its feature maps, its descriptors.

    -> the features' distance, the squared distance of the descriptors (means over the batch), and the
    distances of the descriptors `[N]`, detached.
    """
    images = within(images, batch.crops, batch.valid)
    ours, our_maps = recogniser(chips_of(images, batch.chips, CHIP).to(dtype))
    with torch.no_grad():
        theirs, their_maps = recogniser(chips_of(batch.crops, batch.chips, CHIP).to(dtype))
    features = images.new_zeros(())
    for a, b in zip(our_maps, their_maps, strict=True):
        # relative to the map's own size; positions without activations count little
        scale = b.float().square().mean((1, 2, 3), keepdim=True) + 1e-6
        features = features + ((a.float() - b.float()).square() / scale).mean() / len(our_maps)
    squared = (ours - theirs).square().sum(1)
    return features, squared.mean(), squared.detach().sqrt()


def spread_loss(ws: Tensor, scale: float) -> Tensor:
    """Mean squared distance of the layers' codes `[N, L, w_dim]` from their mean, in the codes' spread."""
    return ((ws - ws.mean(1, keepdim=True)) / scale).square().mean()


def psnr(images: Tensor, batch: Batch) -> Tensor:
    """`[N]` decibels where the photo is, for pictures in [-1, 1]."""
    error = ((images.clamp(-1, 1) - batch.crops) / 2).square() * batch.valid
    return -10 * (error.sum((1, 2, 3)) / (3 * batch.valid.sum((1, 2, 3)))).log10()


def gradient_penalty(scores: Tensor, pictures: Tensor) -> Tensor:
    """R1 (Mescheder et al. 2018, arXiv 1801.04406): squared gradient of the pictures' mean scores,
    of `[N, P]`, at real ones.
    """
    (gradient,) = torch.autograd.grad(scores.mean(1).sum(), pictures, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()


def path_lengths(images: Tensor, ws: Tensor, rng: torch.Generator) -> Tensor:
    """`[N]` path lengths (Karras et al. 2020, arXiv 1912.04958, section 3.2): movement per code."""
    noise = torch.randn(images.shape, generator=rng).to(images.device) / images.shape[-1]
    (gradient,) = torch.autograd.grad((images * noise).sum(), ws, create_graph=True)
    return gradient.square().sum(2).mean(1).sqrt()


def generator_loss(scores: Tensor) -> Tensor:
    """Non-saturating: the discriminator should take generated pictures for real."""
    return F.softplus(-scores).mean()


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Logistic: real above 0, generated below."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()
