"""StyleGAN2's mapping network: z (and a label) to w."""

import torch
from torch import Tensor, nn

from .architecture import Architecture
from .layers import FullyConnected, normalise_second_moment


class MappingNetwork(nn.Module):
    """z [N, z_dim] and, where conditional, a label [N, c_dim] -> w [N, w_dim], float32."""

    w_avg: Tensor

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.num_layers = len(arch.mapping_widths)
        embed = 0
        if arch.c_dim:
            embed = arch.w_dim
            self.embed = FullyConnected(arch.c_dim, embed)
        widths = [arch.z_dim + embed, *arch.mapping_widths]
        for i in range(self.num_layers):
            layer = FullyConnected(widths[i], widths[i + 1], "lrelu", arch.mapping_lr_multiplier)
            self.add_module(f"fc{i}", layer)
        self.register_buffer("w_avg", torch.empty(arch.w_dim))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = normalise_second_moment(z.float())
        if label is not None:
            x = torch.cat([x, normalise_second_moment(self.embed(label))], dim=1)
        for i in range(self.num_layers):
            x = self.get_submodule(f"fc{i}")(x)
        return x
