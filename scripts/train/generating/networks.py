"""The networks while they are trained: made or read, run in bfloat16 with float32 weights, and averaged."""

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import checkpoints
from checkpoints import Generator
from checkpoints.encoder import Encoder, EncoderBlock
from checkpoints.faces import FaceBranch
from checkpoints.layers import leaky_relu
from checkpoints.synthesis import NoiseMode
from checkpoints.testing import random_checkpoint
from train.faces.expressions import KIND_NAMES, KINDS


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Size of a generator to be made: channels at resolution r are min(channel_base / r, channel_max)."""

    resolution: int = 128
    channel_base: int = 5120
    channel_max: int = 256
    w_dim: int = 512
    mapping_layers: int = 4


class Networks(nn.Module):
    """Generator and encoder. The encoder gives a code for every layer.

    directions `[KINDS, num_ws, w_dim]`: where codes go when their faces move.
    """

    def __init__(self, generator: Generator, encoder: Encoder) -> None:
        super().__init__()
        self.generator = generator
        self.encoder = encoder
        self.directions = nn.Parameter(torch.zeros(KINDS, generator.num_ws, generator.w_dim))


def make(shape: Shape, init: Path | str | None, seed: int) -> Networks:
    """Networks of a shape, with random weights or those of a model.

    A model of another shape gives what fits: its blocks of the same width. New blocks then add nothing to the
    picture at first.
    """
    made = random_checkpoint(
        shape.resolution, w_dim=shape.w_dim, channel_base=shape.channel_base, channel_max=shape.channel_max,
        mapping_layers=shape.mapping_layers, seed=seed,
    )  # fmt: skip
    assert made.encoder is not None
    nets = Networks(made.generator, per_layer(made.encoder))
    with torch.no_grad():
        for name, tensor in nets.generator.state_dict().items():
            if name.endswith("noise_strength") or (name.endswith("bias") and "affine" not in name):
                tensor.zero_()
            if name.endswith("w_avg"):
                tensor.zero_()
    if init is not None:
        given = checkpoints.load(init)
        if given.encoder is None:
            raise SystemExit(f"{init} has no encoder, so it is no start for training.")
        _take(nets.generator, given.generator.state_dict())
        if given.encoder.face is not None:
            nets.encoder.face = FaceBranch(nets.encoder.fc.out_features)
        _take(nets.encoder, per_layer(given.encoder).state_dict())
        _take_directions(nets.directions, given)
    for parameter in nets.parameters():
        parameter.requires_grad_(True)
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return nets.train()


def _take(module: nn.Module, state: dict[str, Tensor]) -> None:
    own = module.state_dict()
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    if new := sorted(set(own) - set(fitting)):
        print(f"not in the weights to start from: {len(new)} tensors of {len(own)}, such as {new[0]}")
    for name in new:
        if ".torgb.weight" in name:
            own[name].zero_()
    module.load_state_dict(fitting, strict=False)


@torch.no_grad()
def _take_directions(directions: nn.Parameter, given: checkpoints.Checkpoint) -> None:
    """The ways of the motions that training teaches, where the model has them."""
    motions = None if given.codes is None else given.codes.motions
    for kind, name in enumerate(KIND_NAMES):
        if motions is not None and name in motions.names and motions.ways.shape[2] == directions.shape[2]:
            layers = min(motions.ways.shape[1], directions.shape[1])
            directions[kind, :layers] = motions.ways[motions.names.index(name)][:layers]


def per_layer(encoder: Encoder) -> Encoder:
    """An encoder that gives one w for all layers -> the same, with its last layer once per layer."""
    twin = copy.deepcopy(encoder)
    if twin.out.out_features == twin.w_dim:
        last = nn.Linear(twin.out.in_features, twin.num_ws * twin.w_dim)
        last.weight.data = encoder.out.weight.data.repeat(twin.num_ws, 1)
        last.bias.data = encoder.out.bias.data.repeat(twin.num_ws)
        twin.out = last
    return twin


def encode(encoder: Encoder, crops: Tensor, dtype: torch.dtype) -> Tensor:
    """crops `[N, 3, R, R]` -> ws `[N, num_ws, w_dim]` float32; the convolutions run in dtype."""
    with torch.autocast(crops.device.type, dtype, enabled=dtype != torch.float32):
        crops = crops.contiguous(memory_format=torch.channels_last)
        trunk = encoder.features(crops)[-1]
        face = None if encoder.face is None else encoder.face(crops)
    return encoder.codes(trunk.float(), None if face is None else face.float())


def synthesise(
    generator: Generator,
    ws: Tensor,
    dtype: torch.dtype,
    *,
    resolution: int | None = None,
    noise: NoiseMode = "const",
) -> Tensor:
    """ws `[N, num_ws, w_dim]` -> images `[N, 3, r, r]` float32; the convolutions run in dtype.

    The network runs in the dtype of its constant input; styles and the skip image stay float32.
    """
    network = generator.synthesis_network
    start = {"b4.const": network.block(4).const.to(dtype)}
    images: Tensor = torch.func.functional_call(network, start, (ws, noise, resolution))
    return images


class Discriminator(nn.Module):
    """Pictures `[N, 3, R, R]` -> scores `[N, 1]`.

    The encoder's trunk, deviation within groups, two layers.
    """

    def __init__(self, encoder: Encoder, group: int = 4) -> None:
        super().__init__()
        self.trunk = copy.deepcopy(encoder)
        del self.trunk.fc, self.trunk.out, self.trunk.face
        last = self.trunk.t[f"b{encoder.resolutions[-2]}"]
        assert isinstance(last, EncoderBlock)
        width, bottom = last.c1.out_channels, encoder.resolutions[-1]
        self.group = group
        self.conv = nn.Conv2d(width + 1, width, 3, padding=1)
        self.fc = nn.Linear(width * bottom * bottom, width)
        self.out = nn.Linear(width, 1)

    def forward(self, pictures: Tensor, dtype: torch.dtype) -> Tensor:
        with torch.autocast(pictures.device.type, dtype, enabled=dtype != torch.float32):
            x = self.trunk.features(pictures.contiguous(memory_format=torch.channels_last))[-1]
        x = torch.cat([x.float(), self._deviation(x.float())], 1)
        x = leaky_relu(self.conv(x)).flatten(1)
        scores: Tensor = self.out(leaky_relu(self.fc(x)))
        return scores

    def _deviation(self, x: Tensor) -> Tensor:
        """How much a group of pictures differs (Karras et al. 2018, arXiv 1710.10196): `[N, 1, H, W]`."""
        n, c, h, w = x.shape
        size = self.group if n % self.group == 0 else n
        y = x.reshape(size, -1, c, h, w)
        y = (y - y.mean(0)).square().mean(0).add(1e-8).sqrt().mean((1, 2, 3), keepdim=True)
        return y.repeat(size, 1, h, w)


class Details(nn.Module):
    """Pictures `[N, 3, R, R]` -> scores `[N, (R/4)^2]` of their patches of some 20 pixels (Isola et al. 2017,
    arXiv 1611.07004).

    What the eye calls soft is missing from the finest band, a small part of a picture's values: the network
    gets it apart and enlarged. It sees too little to know a picture again, so it needs no augmentation.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        layers = [
            nn.Conv2d(6, width, 3, padding=1),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1),
            nn.Conv2d(4 * width, 4 * width, 3, padding=1),
        ]
        for layer in layers:
            nn.init.kaiming_normal_(layer.weight, 0.2)
        self.layers = nn.ModuleList(layers)
        self.out = nn.Conv2d(4 * width, 1, 1)

    def forward(self, pictures: Tensor, dtype: torch.dtype) -> Tensor:
        coarse = F.interpolate(F.avg_pool2d(pictures, 2), scale_factor=2, mode="bilinear")
        x = torch.cat([pictures, 4 * (pictures - coarse)], 1).contiguous(memory_format=torch.channels_last)
        with torch.autocast(pictures.device.type, dtype, enabled=dtype != torch.float32):
            for layer in self.layers:
                x = F.leaky_relu(layer(x), 0.2)
            scores: Tensor = self.out(x)
        return scores.float().flatten(1)


def average(target: nn.Module, source: nn.Module, decay: float) -> None:
    """Move the averaged weights towards the present ones."""
    with torch.no_grad():
        for kept, new in zip(target.state_dict().values(), source.state_dict().values(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(new, 1 - decay)


def upsampled(images: Tensor, size: int) -> Tensor:
    """Images at the size that encoder and discriminator take."""
    if images.shape[-1] == size:
        return images
    return F.interpolate(images, size=size, mode="bilinear", align_corners=False)
