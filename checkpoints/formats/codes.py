"""Where a generator's codes lie in W: mean and principal axes of what its mapping network gives."""

from typing import Final

import torch
from torch import Tensor

from ..architecture import Architecture
from ..errors import DamagedFileError
from ..mapping import MappingNetwork

SAMPLES: Final = 8192
COMPONENTS: Final = 128
SEED: Final = 0


@torch.no_grad()
def sample_codes(arch: Architecture, generator: dict[str, Tensor]) -> dict[str, Tensor]:
    """mean [w_dim], components [K, w_dim] and std [K] of w over random z (and random classes), float32.

    generator: tensors under NVIDIA's names; a missing `mapping.w_avg` counts as zero. The same on every call.
    """
    with torch.device("meta"):
        network = MappingNetwork(arch)
    state = {n.removeprefix("mapping."): t.float() for n, t in generator.items() if n.startswith("mapping.")}
    state.setdefault("w_avg", torch.zeros(arch.w_dim))
    network.load_state_dict(state, assign=True)
    rng = torch.Generator().manual_seed(SEED)
    total = []
    for _ in range(SAMPLES // 1024):
        z = torch.randn(1024, arch.z_dim, generator=rng)
        label = None
        if arch.c_dim:
            classes = torch.randint(arch.c_dim, (1024,), generator=rng)
            label = torch.nn.functional.one_hot(classes, arch.c_dim).float()
        total.append(network(z, label))
    w = torch.cat(total).double()  # [SAMPLES, w_dim]
    if not bool(w.isfinite().all()):
        raise DamagedFileError("its mapping network gives no finite numbers; use another file")
    variances, axes = torch.linalg.eigh(torch.cov(w.t()))
    count = min(COMPONENTS, arch.w_dim)
    components = axes.flip(1).t()[:count].float()  # the largest first
    signs = components.gather(1, components.abs().argmax(dim=1, keepdim=True)).sign()
    std = variances.flip(0)[:count].clamp_min(0).sqrt().float()
    return {"mean": w.mean(dim=0).float(), "components": (components * signs).contiguous(), "std": std}
