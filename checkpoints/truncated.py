"""The synthesis network up to one block, frozen and made ready for being run many times.

For optimising a latent against features: weights are cast and laid out once, styles that do not move are
folded into them, gradients go to the latent alone, and the last layers may run in windows (`windows`).
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .frozen import Cut, FrozenLayer, Kept, Modulation, Styles, laid_out
from .local import Part
from .memory import require_memory, synthesis_bytes
from .network import Generator
from .windows import Boxes, Plan, make_plan


def fast_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device multiplies it faster than float32, else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float32
    if device.type != "cpu":
        return torch.float32
    ask: Callable[[], dict[str, object]] = getattr(torch.cpu, "get_capabilities", dict)  # absent before 2.11
    found = ask() if _may_use_bfloat16() else {}
    return torch.bfloat16 if found.get("avx512_bf16") or found.get("amx_bf16") else torch.float32


def _may_use_bfloat16() -> bool:
    """Whether oneDNN was not told to use less than the processor has: then it would only imitate bfloat16."""
    most = os.environ.get("ONEDNN_MAX_CPU_ISA", os.environ.get("DNNL_MAX_CPU_ISA", "DEFAULT")).upper()
    return most in ("ALL", "DEFAULT") or any(name in most for name in ("BF16", "FP16", "AMX", "AVX10"))


@dataclass(frozen=True)
class Features:
    """What one run gave: windows [N, C, h, w] of the last block's features, where the plan has them.

    held [1, C, r, r]: the features that were asked to be kept on the way, or None.
    """

    plan: Plan
    windows: Tensor
    held: Tensor | None


@dataclass(frozen=True)
class Trace:
    """A run whose way back can be gone. hold: the block whose features were asked for."""

    features: Features
    modulation: Modulation
    kept: tuple[Kept, ...]
    hold: int | None


class TruncatedSynthesis:
    """ws -> features of the block `upto`, on whole maps or in windows; without noise.

    Noise sticks to its place, so a point that moves would leave a part of its features behind.

    Of the style vectors only the first `moving` may later differ from ws [1, num_ws, w_dim]: the others'
    styles are part of the weights. The generator must not change meanwhile.
    Raises CapacityError where its activations would not fit into memory.
    """

    def __init__(
        self, generator: Generator, ws: Tensor, *, upto: int, moving: int, dtype: torch.dtype = torch.float32
    ) -> None:
        needed = synthesis_bytes(generator.arch, 1, upto=upto, gradients=True)
        require_memory(needed, ws.device, "A drag")
        network = generator.synthesis_network
        self.size = upto
        self.const = laid_out(network.block(4).const.detach()[None], dtype)
        self.layers: list[FrozenLayer] = []
        self.ends: dict[int, int] = {}  # resolution -> how many layers lead to the end of its block
        with torch.no_grad():
            moved = []
            for resolution in network.upto(upto):
                block = network.block(resolution)
                for layer in [block.conv1] if block.is_first else [block.conv0, block.conv1]:
                    index = len(self.layers)
                    style = None if index < moving else layer.affine(ws[:, index])
                    moved += [layer] if style is None else []
                    self.layers.append(FrozenLayer(layer, resolution, style, dtype))
                self.ends[resolution] = len(self.layers)
            self.styles = Styles(moved, ws.shape[-1], dtype)
        self.moving = len(moved)
        self.shapes = [layer.shape for layer in self.layers]
        self._ready: tuple[Plan, list[Cut]] | None = None

    def plan(self, boxes: Boxes | None = None, *, hold: int = 4) -> Plan:
        """The cheapest plan that covers boxes [N, 4] of the last block (None: all of it), with whole maps up
        to the block `hold`.
        """
        end = len(self.layers)
        if boxes is None:
            return make_plan(self.shapes, np.array([[0, 0, self.size, self.size]]), splits=[end])
        return make_plan(self.shapes, boxes, splits=range(self.ends[hold], end + 1))

    def __call__(self, ws: Tensor, plan: Plan, *, hold: int | None = None) -> Features:
        """ws [1, >= moving, w_dim] -> features; hold: a block on whole maps whose features are wanted too.

        Gradients flow to ws by autograd; who wants them without it takes `run` and `back`.
        """
        if not (torch.is_grad_enabled() and ws.requires_grad):
            return self.run(ws, plan, hold=hold).features
        windows, held = _Traced.apply(ws, self, plan, hold)
        return Features(plan, windows, None if hold is None else held)

    @torch.no_grad()
    def run(self, ws: Tensor, plan: Plan, *, hold: int | None = None) -> Trace:
        """`__call__`, and what its way back needs."""
        found = self.styles(ws[0, : self.moving, None].float())
        x, held, kept = self.const, None, []
        cuts = self._cuts(plan)
        for index, layer in enumerate(self.layers):
            modulation = found.of(index, layer.shape) if layer.moving else None
            if index < plan.split:
                kept.append(layer.whole(x, modulation))
            else:
                cut = cuts[index - plan.split]
                kept.append(layer.in_windows(cut.taken(x), modulation, cut))
            x = kept[-1].y
            if hold is not None and index + 1 == self.ends[hold]:
                held = x
        return Trace(Features(plan, x, held), found, tuple(kept), hold)

    @torch.no_grad()
    def back(
        self, trace: Trace, gradient: Tensor, *, held: Tensor | None = None, part: Part | None = None
    ) -> Tensor:
        """The gradient [1, moving, w_dim], float32, of a run's codes, from that of its windows [N, C, h, w]
        and of what it held. part: where in the windows theirs is not zero (None: anywhere).
        """
        split, found = trace.features.plan.split, trace.modulation
        cuts = self._cuts(trace.features.plan)
        of_style, of_factors = torch.zeros_like(found.style), torch.zeros_like(found.factors)
        for index in reversed(range(len(self.layers))):
            layer, kept = self.layers[index], trace.kept[index]
            if held is not None and trace.hold is not None and index + 1 == self.ends[trace.hold]:
                gradient = gradient + held
            modulation = found.of(index, layer.shape) if layer.moving else None
            cut = cuts[index - split] if index >= split else None
            gradient, part, slopes = layer.back(gradient, kept, modulation, cut, part)
            if slopes is not None:
                of_style[index, 0, : len(slopes[0])] = slopes[0]
                of_factors[index, 0, : len(slopes[1])] = slopes[1]
            if index == split and cut is not None:
                below = trace.kept[index - 1].y if index else self.const
                gradient, part = cut.given_back(gradient, below), None
        return self.styles.back(found, of_style, of_factors).transpose(0, 1)

    def _cuts(self, plan: Plan) -> list[Cut]:
        """What the windowed layers read, from first to last; remembered while the windows stay."""
        if self._ready is None or self._ready[0] != plan:
            origins, shape = np.array(plan.origins, np.int64), plan.shape
            cuts: list[Cut] = []
            for index in reversed(range(plan.split, len(self.layers))):
                layer = self.layers[index]
                cuts.insert(0, Cut(layer, origins, shape, first=index == plan.split))
                origins, shape = layer.shape.input_origins(origins), layer.shape.input_shape(shape)
            self._ready = plan, cuts
        return self._ready[1]


class _Traced(torch.autograd.Function):
    """A run as a step of autograd's."""

    @staticmethod
    def forward(
        ctx: Any, ws: Tensor, synthesis: TruncatedSynthesis, plan: Plan, hold: int | None
    ) -> tuple[Tensor, Tensor]:
        ctx.synthesis, ctx.trace, ctx.shape = synthesis, synthesis.run(ws, plan, hold=hold), ws.shape
        features: Features = ctx.trace.features
        held = features.held if features.held is not None else ws.new_zeros(())
        return features.windows.clone(), held.clone()

    @staticmethod
    def backward(ctx: Any, *above: Tensor) -> tuple[Tensor | None, ...]:
        synthesis, trace = ctx.synthesis, ctx.trace
        held = None if trace.hold is None else above[1]
        slope = above[0].new_zeros(ctx.shape, dtype=torch.float32)
        slope[:, : synthesis.moving] = synthesis.back(trace, above[0], held=held)
        return slope, None, None, None
