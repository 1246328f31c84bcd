"""The codes of real pictures: their statistics, and a mapping network whose samples are like them."""

import math

import torch
from torch import Tensor

from checkpoints.mapping import MappingNetwork
from train.faces.source import Source
from train.generating.networks import Networks, encode

COMPONENTS = 128

PSI = 0.7
"""Samples are drawn there, for sheets and figures."""

SPREAD = 1.7
"""Samples are spread so many times as far as the codes. They are drawn at PSI, and an encoder's guesses
at people are nearer to the mean than people are: there, at 1.2 times the codes, descriptors of samples are
nearest to those of people (docs/benchmarks/tried.md).
"""


@torch.no_grad()
def codes_of(nets: Networks, source: Source, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    """The codes `[2N, num_ws, w_dim]` of all pictures and their mirror images; convolutions run in dtype."""
    found = []
    size = nets.generator.resolution
    for chosen in torch.arange(len(source)).split(32):
        crops = source.batch(chosen, size, None, torch.Generator()).crops
        for pictures in (crops, crops.flip(3)):
            found.append(encode(nets.encoder, pictures, dtype).cpu())
    return torch.cat(found)


def statistics(codes: Tensor, count: int = COMPONENTS) -> dict[str, Tensor]:
    """mean `[w_dim]`, components `[count, w_dim]` (largest first) and std of codes `[N, w_dim]`."""
    mean = codes.mean(0)
    values, axes = torch.linalg.eigh(torch.cov(codes.double().T))
    order = values.argsort(descending=True)[: min(count, codes.shape[1])]
    return {
        "mean": mean,
        "components": axes[:, order].T.float().contiguous(),
        "std": values[order].clamp_min(0).sqrt().float(),
    }


def spread_out(codes: Tensor, times: float = SPREAD) -> Tensor:
    """Codes `[N, w_dim]`, `times` as far from their mean."""
    mean = codes.mean(0)
    return mean + times * (codes - mean)


def fit_samples(nets: Networks, source: Source, *, steps: int, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    """Fit the generator's mapping network to the codes of all pictures; says how well. -> those codes."""
    codes = codes_of(nets, source, dtype)
    mapping = nets.generator.mapping_network
    wanted = spread_out(codes.mean(1)).to(mapping.w_avg.device)
    before, after = fit_mapping(mapping, wanted, steps=steps, seed=0)
    print(
        f"mapping network: energy distance to the codes {before:.4f} -> {after:.4f} (of their mean distance)"
    )
    return codes


def fit_mapping(mapping: MappingNetwork, codes: Tensor, *, steps: int, seed: int) -> tuple[float, float]:
    """Train the mapping network until its samples are distributed as codes `[N, w_dim]`.

    First towards the Gaussian of the codes (a regression: the first numbers of z along the principal axes),
    then by the energy distance (Szekely and Rizzo 2013) between samples and codes, which also sees what is
    not Gaussian. -> the energy distance before and after, over the codes' mean distance from each other.
    """
    rng = torch.Generator().manual_seed(seed)
    found = statistics(codes)
    mapping.requires_grad_(True)
    mapping.w_avg.copy_(found["mean"])
    optimiser = torch.optim.Adam(mapping.parameters(), betas=(0.9, 0.99))
    count, width = len(found["std"]), mapping.get_submodule("fc0").weight.shape[1]
    unit = float(torch.pdist(codes[:512]).mean())
    before = _against(mapping, codes, width, unit, rng)
    for step in range(steps):
        regress = step < steps // 2
        done = step / steps * 2 % 1  # of this half
        for group in optimiser.param_groups:
            group["lr"] = (2.0 if regress else 0.2) * (0.5 + 0.5 * math.cos(math.pi * done))
        z = torch.randn(512, width, generator=rng).to(codes.device)
        w = mapping(z)
        if regress:
            target = found["mean"] + (z[:, :count] * found["std"]) @ found["components"]
            loss = (w - target).square().sum(1).mean() / unit**2
        else:
            chosen = codes[torch.randint(len(codes), (256,), generator=rng)]
            loss = energy_distance(w[:256], chosen) / unit
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    after = _against(mapping, codes, width, unit, rng)
    mapping.requires_grad_(False)
    return before, after


def energy_distance(a: Tensor, b: Tensor) -> Tensor:
    """2 E|a - b| - E|a - a'| - E|b - b'| over rows of `[N, D]`, without a row's distance to itself."""
    return 2 * torch.cdist(a, b).mean() - torch.pdist(a).mean() - torch.pdist(b).mean()


@torch.no_grad()
def _against(mapping: MappingNetwork, codes: Tensor, width: int, unit: float, rng: torch.Generator) -> float:
    w = mapping(torch.randn(min(2048, len(codes)), width, generator=rng).to(codes.device))
    return float(energy_distance(w, codes[torch.randperm(len(codes), generator=rng)[: len(w)]])) / unit
