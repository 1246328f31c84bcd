"""The encoder that some checkpoints have: picture -> latent, and its trunk as perceptual features."""

import re
from collections.abc import Mapping
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .architecture import MAX_WIDTH
from .errors import CheckpointError
from .faces import FaceBranch
from .layers import leaky_relu
from .network import check_tensors, own_copy

_BLOCK = re.compile(r"t\.b(\d{1,4})\.c0\.weight")


class EncoderBlock(nn.Module):
    """Residual block that halves the resolution."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.c0 = nn.Conv2d(in_channels, in_channels, 3, padding=1)
        self.c1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.sk = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x [N, I, H, W] -> the first convolution's output [N, I, H, W], the block's [N, O, H/2, W/2]."""
        seen = leaky_relu(self.c0(x))
        y = leaky_relu(self.c1(F.avg_pool2d(seen, 2)))
        return seen, (y + self.sk(F.avg_pool2d(x, 2))) * 0.5**0.5


class Encoder(nn.Module):
    """crop [N, 3, R, R] in [-1, 1] -> ws [N, num_ws, w_dim], float32.

    Gains are folded into the weights, so every layer is a plain convolution or linear layer. The last layer
    gives one w, which is repeated, or all num_ws of them. What a face branch knows is added before the hidden
    layer's activation.
    """

    def __init__(
        self,
        channels: Mapping[int, int],
        hidden: int,
        out: int,
        num_ws: int,
        w_dim: int,
        *,
        face: bool = False,
    ) -> None:
        super().__init__()
        self.resolutions = sorted(channels, reverse=True)  # R, R/2, ..., 4
        self.num_ws, self.w_dim = num_ws, w_dim
        top, bottom = self.resolutions[0], self.resolutions[-1]
        self.t = nn.ModuleDict()
        for resolution in self.resolutions[:-1]:
            block = EncoderBlock(channels[resolution], channels[resolution // 2])
            if resolution == top:
                block.rgb = nn.Conv2d(3, channels[top], 1)
            self.t[f"b{resolution}"] = block
        self.fc = nn.Linear(channels[bottom] * bottom * bottom, hidden)
        self.out = nn.Linear(hidden, out)
        self.face = FaceBranch(hidden) if face else None

    @property
    def resolution(self) -> int:
        """Height and width of the crop it takes."""
        return self.resolutions[0]

    def forward(self, crop: Tensor) -> Tensor:
        """crop [N, 3, R, R] in [-1, 1] -> ws [N, num_ws, w_dim]; ValueError for another size."""
        if crop.ndim != 4 or crop.shape[1:] != (3, self.resolution, self.resolution):
            raise ValueError(
                f"crop has shape {list(crop.shape)}, not [N, 3, {self.resolution}, {self.resolution}]"
            )
        return self.codes(self.features(crop)[-1], None if self.face is None else self.face(crop))

    def codes(self, trunk: Tensor, face: Tensor | None) -> Tensor:
        """The trunk's output [N, C, 4, 4] and the face branch's [N, hidden] -> ws [N, num_ws, w_dim]."""
        hidden = self.fc(trunk.flatten(1))
        w = self.out(leaky_relu(hidden if face is None else hidden + face))  # one w, or num_ws of them
        w = w.reshape(len(trunk), -1, self.w_dim)
        return cast(Tensor, w.expand(-1, self.num_ws, -1).contiguous())

    def features(self, image: Tensor) -> list[Tensor]:
        """image [N, 3, H, W] in [-1, 1] -> feature maps at H, H/2, ..., and the trunk's output; finest first.

        The trunk is convolutional: H and W may be any multiples of 2 to the number of its blocks.
        """
        first = cast(nn.Conv2d, self.t[f"b{self.resolution}"].rgb)
        x = leaky_relu(first(image))
        found = []
        for resolution in self.resolutions[:-1]:
            seen, x = self.t[f"b{resolution}"](x)
            found.append(seen)
        return [*found, x]


def build_encoder(tensors: Mapping[str, Tensor], num_ws: int, w_dim: int, source: str) -> Encoder:
    """A frozen encoder in eval mode from tensors named `t.bR.c0.weight`, ..., `fc.weight`, `out.weight`."""
    shapes = {name: tuple(t.shape) for name, t in tensors.items()}
    widths = {
        int(m.group(1)): shapes[name][0] for name in shapes if shapes[name] and (m := _BLOCK.fullmatch(name))
    }
    needed = [f"t.b{min(widths, default=8)}.c1.weight", "fc.weight", "out.weight"]
    absent = [name for name in needed if not shapes.get(name)]
    if absent:
        raise CheckpointError(f"{source} has an encoder without the tensor {absent[0]}; use a complete file.")
    widths[min(widths) // 2] = shapes[needed[0]][0]
    sizes = (*widths.values(), *shapes["fc.weight"], *shapes["out.weight"])
    if not 0 < min(sizes) <= max(sizes) <= MAX_WIDTH:
        raise CheckpointError(f"{source} has an encoder of impossible widths; use another file.")
    hidden, out = shapes["fc.weight"][0], shapes["out.weight"][0]
    if sorted(widths) != [4 << i for i in range(len(widths))] or out not in (w_dim, num_ws * w_dim):
        raise CheckpointError(
            f"{source} has an encoder with blocks {sorted(widths)} and {out} outputs, which does not fit its "
            f"generator; use a file whose encoder was trained with it."
        )
    with torch.device("meta"):
        encoder = Encoder(widths, hidden, out, num_ws, w_dim, face="face.window" in shapes)
    check_tensors(shapes, {name: tuple(t.shape) for name, t in encoder.state_dict().items()}, source)
    encoder.load_state_dict({name: own_copy(t) for name, t in tensors.items()}, assign=True)
    return encoder.eval().requires_grad_(False)
