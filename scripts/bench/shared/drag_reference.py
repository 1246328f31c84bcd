"""DragGAN's loop as people run it, for the benchmarks to compare with and for nobody else.

Written from the paper (Pan et al. 2023, arXiv 2305.10973, section 3.2): the whole generator in float32 with
per-sample weights (Karras et al. 2020, arXiv 1912.04958, section 2.2), features resized to the picture, a
picture at every step.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from checkpoints import Generator
from realedit.drag import feature_resolution


class Reference:
    """DragGAN's optimisation, plainly.

    plain: draw a picture at every step with per-sample weights and look at one handle after the other, as its
    users do. Otherwise the features come from the generator's own layers and handles are looked at together:
    the same numbers sooner, where speed is not the question.
    """

    def __init__(
        self, generator: Generator, latent: Tensor, mask: Tensor | None, *, plain: bool = True
    ) -> None:
        self.plain = plain
        self.generator, self.size = generator, generator.resolution
        self.scale = self.size / 512
        self.layers = max(1, round(generator.num_ws / 3))
        self.moving = latent[:, : self.layers].clone().requires_grad_(True)
        self.rest = latent[:, self.layers :]
        self.optimiser = torch.optim.Adam([self.moving], lr=2e-3)
        self.mask = mask
        self.first: Tensor | None = None

    def drag(self, handles: Tensor, targets: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """handles and targets `[K, 2]` (x, y) in pixels -> picture and handles after every step."""
        r1, r2 = max(1, round(3 * self.scale)), max(1, round(12 * self.scale))
        templates = None
        while True:
            picture, features = self.synthesis(torch.cat([self.moving, self.rest], 1))
            if self.first is None or templates is None:
                self.first = features.detach()
                templates = self.look(self.first, handles)
            else:
                handles = self.track(features.detach(), templates, handles, r2)
            yield picture, handles
            loss = self.loss(features, handles, targets, r1)
            self.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()

    def loss(self, features: Tensor, handles: Tensor, targets: Tensor, r1: int) -> Tensor:
        """Equation 1."""
        assert self.first is not None
        loss = features.new_zeros(())
        for some, goals in zip(self.groups(handles), self.groups(targets), strict=True):
            patches = some[:, None] + square(r1)  # [K, M, 2]
            directions = (goals - some) / (goals - some).norm(dim=1, keepdim=True).clamp_min(1e-8)
            here = self.look(features, patches).detach()
            there = self.look(features, patches + directions[:, None])
            loss = loss + len(some) * (there - here).abs().mean()
        if self.mask is not None:
            loss = loss + 20 * ((features - self.first) * (1 - self.mask)).abs().mean()
        return loss

    def track(self, features: Tensor, templates: Tensor, handles: Tensor, r2: int) -> Tensor:
        """Equation 2."""
        found = []
        for some, known in zip(self.groups(handles), self.groups(templates), strict=True):
            places = some[:, None] + square(r2)  # [K, M, 2]
            distance = (self.look(features, places) - known[:, None]).abs().sum(-1)
            found.append(places[torch.arange(len(some)), distance.argmin(1)])
        return torch.cat(found)

    def groups(self, of_handles: Tensor) -> tuple[Tensor, ...]:
        return of_handles.split(1 if self.plain else len(of_handles))

    def look(self, features: Tensor, points: Tensor) -> Tensor:
        """Bilinear samples `[..., C]` at pixels `[..., 2]`."""
        grid = (points / self.size * 2 - 1).reshape(1, 1, -1, 2)
        sampled = F.grid_sample(features, grid, align_corners=False, padding_mode="border")
        return sampled[0, :, 0].T.reshape(*points.shape[:-1], -1)

    def synthesis(self, ws: Tensor) -> tuple[Tensor, Tensor]:
        """The picture (none where it is not plain), and the features after the sixth block resized to it."""
        cells = feature_resolution(self.size)
        if not self.plain:
            found = self.generator.features(ws, upto=cells)[cells]
            return found[:, :0], self.resized(found)
        network = self.generator.synthesis_network
        x = network.block(4).const[None]
        image = features = None
        for resolution in network.resolutions:
            block = network.block(resolution)
            w = iter(ws[:, network.block_ws(resolution)].unbind(1))
            for layer in [block.conv1] if block.is_first else [block.conv0, block.conv1]:
                x = modulated(x, layer, next(w), layer.up, demodulate=True)
                x = x + layer.noise_const * layer.noise_strength + layer.bias[:, None, None]
                x = F.leaky_relu(x, 0.2) * math.sqrt(2)
            rgb = (
                modulated(x, block.torgb, next(w), False, demodulate=False) + block.torgb.bias[:, None, None]
            )
            image = rgb if image is None else rgb + upsampled(image, block.resample_filter)
            if resolution == cells:
                features = self.resized(x)
        assert image is not None and features is not None
        return image, features

    def resized(self, features: Tensor) -> Tensor:
        return F.interpolate(features, (self.size, self.size), mode="bilinear", align_corners=False)


def modulated(x: Tensor, layer: Any, w: Tensor, up: bool, *, demodulate: bool) -> Tensor:
    """StyleGAN2's convolution: the style scales the weights, which are then brought to unit norm."""
    style = layer.affine(w) if demodulate else layer.affine(w) * layer.gain
    weight = layer.weight * style[0][None, :, None, None]
    if demodulate:
        weight = weight * (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).rsqrt()
    if not up:
        return F.conv2d(x, weight, padding=weight.shape[-1] // 2)
    x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
    kernel = (layer.resample_filter * 4)[None, None].repeat(x.shape[1], 1, 1, 1)
    return F.conv2d(x, kernel, padding=1, groups=x.shape[1])


def upsampled(image: Tensor, fir: Tensor) -> Tensor:
    kernel = (fir * 4)[None, None].repeat(3, 1, 1, 1)
    return F.conv_transpose2d(image, kernel, stride=2, padding=1, groups=3)


def square(radius: int) -> Tensor:
    line = torch.arange(-radius, radius + 1.0)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y], -1).reshape(-1, 2)
