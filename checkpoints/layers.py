"""The arithmetic of StyleGAN2's layers, as functions on tensors and two small modules.

Parameters are kept raw, as the public checkpoints store them: unit-variance weights that are scaled at run
time ("equalised learning rate", Karras et al. 2018, arXiv 1710.10196) and demodulated convolutions (Karras et
al. 2020, arXiv 1912.04958, section 2.2). Style vectors and demodulation factors are float32 whatever the
dtype of the activations; weights are cast to the dtype of the activations, which costs nothing when they have
it already.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAK = 0.2
GAIN = math.sqrt(2.0)
EPSILON = 1e-8

Activation = Literal["linear", "lrelu"]


def normalise_second_moment(x: Tensor) -> Tensor:
    """Scale every row of x [N, C] to a mean square of one."""
    return x * (x.square().mean(dim=1, keepdim=True) + EPSILON).rsqrt()


def leaky_relu(x: Tensor) -> Tensor:
    """The networks' non-linearity: leaky ReLU with slope 0.2, scaled by sqrt(2) to keep the variance."""
    return F.leaky_relu(x, LEAK) * GAIN


class FullyConnected(nn.Module):
    """Linear layer with equalised learning rate; computed and returned in float32.

    weight [out, in] is used times `lr_multiplier / sqrt(in)`, bias [out] times `lr_multiplier`.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        activation: Activation = "linear",
        lr_multiplier: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.bias = nn.Parameter(torch.empty(out_features))
        self.activation = activation
        self.weight_gain = lr_multiplier / math.sqrt(in_features)
        self.bias_gain = lr_multiplier

    def forward(self, x: Tensor) -> Tensor:  # [N, in] -> [N, out]
        bias = self.bias.float() if self.bias_gain == 1 else self.bias.float() * self.bias_gain
        y = F.linear(x.float() * self.weight_gain, self.weight.float(), bias)
        return leaky_relu(y) if self.activation == "lrelu" else y


class ModulatedConv(nn.Module):
    """Weight and style of a modulated convolution; base of the synthesis and the toRGB layer.

    The style scales the input channels and, with demodulation, the output channels are scaled back to unit
    variance. Both act on the activations, so one convolution with shared weights serves the whole batch.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, w_dim: int) -> None:
        super().__init__()
        self.affine = FullyConnected(w_dim, in_channels)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(out_channels))
        self._ready: tuple[object, Tensor, tuple[Tensor, Tensor]] | None = None

    def prepared(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """The weight for convolving in `dtype`, and its squares summed over the kernel [out, in], float32.

        Both are remembered while the weight stays as it is, unless gradients are asked for.
        """
        if self.weight.requires_grad or self.weight.is_inference():
            return self._prepare(dtype)
        key = (self.weight.data_ptr(), self.weight._version, dtype)
        if self._ready is None or self._ready[0] != key:
            with torch.no_grad():
                # Holding on to the weight's memory keeps its address from being given to another one.
                self._ready = (key, self.weight.detach(), self._prepare(dtype))
        return self._ready[2]

    @property
    def held(self) -> object:
        """What was prepared last: whoever keeps it keeps its memory."""
        return self._ready

    def _prepare(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        return self.weight.to(dtype), self.weight.float().square().sum(dim=(2, 3))

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_ready": None}  # copies prepare their own


def demodulation(style: Tensor, power: Tensor) -> Tensor:
    """Factors [N, out] that undo the change of variance which style [N, in] makes; power [out, in]."""
    return (style.square() @ power.t() + EPSILON).rsqrt()


def scale_channels(x: Tensor, factors: Tensor) -> Tensor:
    """x [N, C, H, W] times factors [N, C] in the dtype of x."""
    return x * factors.to(x.dtype)[:, :, None, None]


def upsample_convolve(x: Tensor, weight: Tensor, fir: Tensor) -> Tensor:
    """Double the size of x [N, I, H, W] with weight [I, O, 3, 3], then low-pass with fir [4, 4] (sum one).

    A transposed convolution of stride 2 followed by a depthwise filter; on CPUs this beat both one 6x6
    transposed convolution and its polyphase form (four times the multiplications) from 32 px up.
    """
    y = F.conv_transpose2d(x, weight, stride=2)  # [N, O, 2H+1, 2W+1]
    channels = y.shape[1]
    kernel = (fir.flip((0, 1)) * 4).to(y.dtype).expand(channels, 1, -1, -1)
    return F.conv2d(y, kernel, padding=1, groups=channels)  # [N, O, 2H, 2W]


def upsample_image(image: Tensor, fir: Tensor) -> Tensor:
    """Double the size of image [N, C, H, W] by zero insertion and fir [4, 4] (sum one)."""
    n, c, h, w = image.shape
    kernel = (fir * 4).to(image.dtype)[None, None]
    y = F.conv_transpose2d(image.reshape(n * c, 1, h, w), kernel, stride=2, padding=1)
    return y.reshape(n, c, 2 * h, 2 * w)
