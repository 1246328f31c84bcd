"""Samples that keep away from the people who were trained on.

Some samples of any mapping network look like somebody by chance, or because the generator remembers. Here the
mapping network is taught, through the frozen generator and dlib's recognition network, to go round the
descriptors of people, while its codes stay distributed as those of people are.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from train.faces.augment import chips_of
from train.faces.recogniser import CHIP, Recogniser
from train.faces.source import Source
from train.generating.networks import Networks, synthesise
from train.generating.prior import PSI, energy_distance

MARGIN = 0.04  # farther than people are from each other: descriptors of another chip differ
HOLD = 2.0  # weight of the energy distance


@torch.no_grad()
def descriptors(
    source: Source, recogniser: Recogniser, size: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Of all pictures `[N, 128]`, and the mean affine `[1, 2, 3]` from chip to crop."""
    found, chips = [], []
    for chosen in torch.arange(len(source)).split(32):
        batch = source.batch(chosen, size, None, torch.Generator())
        found.append(recogniser(chips_of(batch.crops, batch.chips, CHIP).to(dtype))[0])
        chips.append(batch.chips)
    return torch.cat(found), torch.cat(chips).mean(0, keepdim=True)


def nearest_strangers(people: Tensor, names: Sequence[str]) -> Tensor:
    """`[N]` distance of each descriptor `[N, 128]` to the nearest that has another name."""
    order = {name: number for number, name in enumerate(sorted(set(names)))}
    numbers = torch.tensor([order[name] for name in names], device=people.device)
    apart = torch.cdist(people, people)
    return apart.masked_fill(numbers[:, None] == numbers[None], math.inf).amin(1)


def keep_away(
    nets: Networks,
    source: Source,
    names: Sequence[str],
    codes: Tensor,
    *,
    steps: int,
    seed: int = 0,
    batch: int = 8,
    dtype: torch.dtype = torch.bfloat16,
) -> tuple[float, float]:
    """Teach the mapping network samples that are no nearer to a person than people are to each other.

    names: of the source's pictures, the same for the same person; codes `[N, w_dim]`: what the network was
    fitted to and is held to. -> the share of samples that are nearer than the nearest 5 % of people, over the
    first and the last quarter of the steps.
    """
    rng = torch.Generator().manual_seed(seed)
    generator, mapping = nets.generator, nets.generator.mapping_network
    recogniser = Recogniser().to(codes.device).eval().requires_grad_(False)
    people, chip = descriptors(source, recogniser, generator.resolution, dtype)
    limit = float(nearest_strangers(people, names).quantile(0.05))
    unit = float(torch.pdist(codes[:512]).mean())
    nets.requires_grad_(False)
    mapping.requires_grad_(True)
    optimiser = torch.optim.Adam(mapping.parameters(), betas=(0.9, 0.99))
    shares = []
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 0.1 * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        z = torch.randn(256, generator.z_dim, generator=rng).to(codes.device)
        w = mapping(z)
        chosen = codes[torch.randint(len(codes), (256,), generator=rng)]
        drawn = mapping.w_avg.lerp(w[:batch], PSI)
        pictures = synthesise(generator, drawn[:, None].expand(-1, generator.num_ws, -1), dtype)
        seen = recogniser(chips_of(pictures, chip.expand(batch, -1, -1), CHIP).to(dtype))[0]
        nearest = torch.cdist(seen, people).amin(1)
        loss = (limit + MARGIN - nearest).relu().mean() / limit + HOLD * energy_distance(w, chosen) / unit
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        shares.append((nearest.detach() < limit).float().mean())
    mapping.requires_grad_(False)
    quarter = max(1, steps // 4)
    return float(torch.stack(shares[:quarter]).mean()), float(torch.stack(shares[-quarter:]).mean())
