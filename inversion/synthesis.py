"""Running a generator's blocks for optimisation: from any block on, in a fast dtype, with little memory."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint as recompute

from checkpoints import Generator, fast_dtype
from checkpoints.memory import require_memory, synthesis_bytes
from checkpoints.synthesis import Block
from inversion.settings import Precision

SEEN = 256  # pixels; the published projectors look at no more either
FULL = 0.1  # share of the steps at the full size, where that is more
PLENTY = 1 << 30  # bytes of activations above which they are computed again instead of kept

RunBlock = Callable[[Block, Tensor | None, Tensor | None, Tensor], tuple[Tensor, Tensor]]
"""How a block runs: block, features, image and codes -> features and image."""


def as_it_is(block: Block, x: Tensor | None, image: Tensor | None, ws: Tensor) -> tuple[Tensor, Tensor]:
    """The `RunBlock` that calls the block."""
    found: tuple[Tensor, Tensor] = block(x, image, ws)
    return found


def chosen_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """The dtype of activations: what was asked for, or bfloat16 where the device is faster in it."""
    if precision == "auto":
        return fast_dtype(device)
    return torch.float32 if precision == "float32" else torch.bfloat16


def seen_and_full(size: int, steps: int) -> list[tuple[int, int]]:
    """Resolutions and their steps: what is looked at, and the full size where that is more."""
    seen = min(size, SEEN)
    full = max(1, round(steps * FULL)) if size > seen and steps else 0
    return [(seen, steps - full), (size, full)]


def run_blocks(
    generator: Generator,
    ws: Tensor,
    *,
    dtype: torch.dtype,
    upto: int,
    above: int = 0,
    given: tuple[Tensor, Tensor] | None = None,
    run: RunBlock = as_it_is,
) -> tuple[Tensor, Tensor]:
    """Features and skip image `[N, 3, upto, upto]` float32 of the blocks in `above` < resolution <= `upto`.

    ws `[N, num_ws, w_dim]`; given: what the block of resolution `above` returned. The first block runs in
    float32, the others in `dtype`, each by `run`. Raises CapacityError where memory is short.
    """
    network = generator.synthesis_network
    gradients = torch.is_grad_enabled()
    kept = synthesis_bytes(generator.arch, len(ws), upto=upto, gradients=gradients)
    frugal = gradients and kept > PLENTY
    require_memory(kept // 3 if frugal else kept, ws.device, f"A batch of {len(ws)}")
    x, image = (given[0].to(dtype), given[1]) if given is not None else (None, None)
    for resolution in network.upto(upto):
        if resolution <= above:
            continue
        block, codes = network.block(resolution), ws[:, network.block_ws(resolution)]
        if frugal:
            # nothing in a block is random, and the state of what is cannot be kept in a recording
            x, image = recompute(run, block, x, image, codes, use_reentrant=False, preserve_rng_state=False)
        else:
            x, image = run(block, x, image, codes)
        assert x is not None
        x = x.to(dtype)
    return cast(Tensor, x), cast(Tensor, image)
