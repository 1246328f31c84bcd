"""Tiny random checkpoints for tests: right in shape, plausible in activations, made in milliseconds."""

import torch
from torch import Tensor

from .architecture import Architecture
from .checkpoint import Checkpoint, Codes, Motions
from .domains import Alignment
from .encoder import Encoder
from .network import Generator


def random_checkpoint(
    resolution: int = 32,
    *,
    w_dim: int = 32,
    c_dim: int = 0,
    channel_base: int = 512,
    channel_max: int = 32,
    mapping_layers: int = 2,
    seed: int = 0,
    encoder: bool = True,
    codes: bool = True,
    motions: int = 0,
    conv_clamp: float | None = None,
    domain: str = "face",
    alignment: Alignment = "ffhq",
) -> Checkpoint:
    """A checkpoint of `resolution` x `resolution` pixels with random weights, the same for the same
    arguments.

    Channels at resolution r: min(channel_base / r, channel_max), at least 4. Images have a deviation of about
    0.5, features of about 1. `encoder` adds an untrained encoder (so `.perceptual` works too), `codes` a
    random orthonormal basis of W, `motions` so many random ways in all layers but the last.
    """
    if resolution < 8 or resolution & (resolution - 1):
        raise ValueError(f"resolution {resolution} is not a power of two of at least 8")
    rng = torch.Generator().manual_seed(seed)
    steps = range(resolution.bit_length() - 2)
    channels = {4 << i: max(4, min(channel_base // (4 << i), channel_max)) for i in steps}
    arch = Architecture(w_dim, w_dim, c_dim, (w_dim,) * mapping_layers, channels, conv_clamp=conv_clamp)
    generator = Generator(arch)
    _randomise_generator(generator, rng)
    network = Encoder(channels, w_dim, w_dim, arch.num_ws, w_dim) if encoder else None
    if network is not None:
        _randomise_encoder(network, rng)
    return Checkpoint(
        name=f"random{resolution}",
        generator=generator.eval().requires_grad_(False),
        encoder=None if network is None else network.eval().requires_grad_(False),
        codes=_random_codes(w_dim, motions, arch.num_ws, rng) if codes else None,
        domain=domain,
        alignment=alignment,
        licence="none",
        sha256=f"{seed:064x}",
    )


def _randomise_generator(generator: Generator, rng: torch.Generator) -> None:
    fir = torch.tensor([1.0, 3.0, 3.0, 1.0])
    fir = torch.outer(fir, fir) / 64
    with torch.no_grad():
        for name, tensor in generator.state_dict().items():
            leaf = name.rsplit(".", 1)[-1]
            if leaf == "resample_filter":
                tensor.copy_(fir)
            elif name.endswith("affine.bias"):
                tensor.fill_(1.0)
            elif leaf in ("bias", "w_avg"):
                tensor.copy_(_normal(tensor, rng) * 0.1)
            elif leaf == "noise_strength":
                tensor.fill_(0.1)
            elif name.startswith("mapping_network.fc"):
                tensor.copy_(_normal(tensor, rng) * 100)  # lr_multiplier 0.01 at run time
            elif ".torgb.weight" in name:
                tensor.copy_(_normal(tensor, rng) * 0.2)
            else:
                tensor.copy_(_normal(tensor, rng))


def _randomise_encoder(encoder: Encoder, rng: torch.Generator) -> None:
    with torch.no_grad():
        for parameter in encoder.parameters():
            fan_in = parameter[0].numel() if parameter.ndim > 1 else 100
            parameter.copy_(_normal(parameter, rng) / fan_in**0.5)


def _random_codes(w_dim: int, motions: int, num_ws: int, rng: torch.Generator) -> Codes:
    count = max(1, w_dim // 2)
    axes, _ = torch.linalg.qr(torch.randn(w_dim, count, generator=rng))
    known = None
    if motions:
        ways = 0.5 * torch.randn(motions, num_ws - 1, w_dim, generator=rng)
        known = Motions(
            tuple(f"way {i}" for i in range(motions)), ways, torch.tensor([-1.0, 1.0]).repeat(motions, 1)
        )
    return Codes(torch.zeros(w_dim), axes.t().contiguous(), torch.linspace(1.0, 0.2, count), known)


def _normal(like: Tensor, rng: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=rng)
