"""Perceptual losses behind one protocol.

Every loss compares two pictures `[N, 3, H, W]` in [-1, 1] under a weight map `[N, 1, H, W]` in [0, 1] (1:
compare here) and returns one value per picture `[N]`. `gan-features` needs nothing but the checkpoint;
`lpips` needs a backbone's weights.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from checkpoints import Checkpoint

LpipsNet = Literal["vgg", "alex", "squeeze"]
LPIPS_NETS: tuple[LpipsNet, ...] = ("vgg", "alex", "squeeze")


class PerceptualLoss(Protocol):
    """A distance between pictures; `name` says which, for reports."""

    name: str

    def __call__(self, image: Tensor, target: Tensor, valid: Tensor) -> Tensor: ...


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of `[N, C, H, W]` values under a `[N, 1, H, W]` weight, of each picture `[N]`; 0 where nothing is
    weighed.
    """
    total = (values * weight).sum((1, 2, 3))
    return total / (weight.sum((1, 2, 3)) * values.shape[1]).clamp_min(1e-6)


def resize_valid(valid: Tensor, size: Sequence[int]) -> Tensor:
    """The weight map at another size, no larger: the least weight in each cell, so that what must not count
    never does.
    """
    return -F.adaptive_max_pool2d(-valid, (size[0], size[1]))


def within(image: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """The image where `valid` is 1 and the target elsewhere: networks look over the border of what is
    compared.
    """
    return target + (image - target) * valid


class Pyramid:
    """Multi-scale differences of colours and of gradients: no network, sees blur and misplaced edges.

    Squares by default, because the search is quasi-Newton and wants a smooth loss; training takes absolute
    differences (`squared=False`), whose best guess is no blur.
    """

    name = "pyramid"

    def __init__(self, *, levels: int = 3, gradients: float = 2.0, squared: bool = True) -> None:
        self.levels = levels
        self.gradients = gradients
        self._size = torch.square if squared else torch.abs

    def __call__(self, image: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        total = image.new_zeros(len(image))
        for level in range(self.levels):
            if level:
                if min(image.shape[-2:]) < 8:
                    break
                image, target = F.avg_pool2d(image, 2), F.avg_pool2d(target, 2)
                valid = resize_valid(valid, image.shape[-2:])
            difference = image - target
            total = total + weighted_mean(self._size(difference), valid)
            total = total + self.gradients * self._gradients(difference, valid)
        return total / self.levels

    def _gradients(self, difference: Tensor, valid: Tensor) -> Tensor:
        across = self._size(difference[..., :, 1:] - difference[..., :, :-1])
        down = self._size(difference[..., 1:, :] - difference[..., :-1, :])
        return weighted_mean(across, torch.minimum(valid[..., :, 1:], valid[..., :, :-1])) + weighted_mean(
            down, torch.minimum(valid[..., 1:, :], valid[..., :-1, :])
        )


class GanFeatures:
    """The checkpoint's own trunk as a feature distance, added to the pyramid loss.

    Features are normalised per position over channels and compared by squared distance, as LPIPS does without
    its learned weights (Zhang et al. 2018, arXiv 1801.03924).
    """

    name = "gan-features"

    def __init__(
        self, features: Callable[[Tensor], Sequence[Tensor]], *, resolution: int, weight: float = 0.1
    ) -> None:
        self.features = features
        self.resolution = resolution
        self.weight = weight
        self.pyramid = Pyramid()
        self._seen: tuple[Tensor, list[Tensor]] | None = None

    def __call__(self, image: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        total = self.pyramid(image, target, valid)
        if self.weight == 0:
            return total
        ours = self.features(self._at_resolution(within(image, target, valid)))
        for a, b in zip(ours, self._of_target(target), strict=True):
            squared = (_unit(a) - b).square().sum(1, keepdim=True)
            total = total + self.weight * weighted_mean(squared, resize_valid(valid, a.shape[-2:])) / len(
                ours
            )
        return total

    @torch.no_grad()
    def _of_target(self, target: Tensor) -> list[Tensor]:
        """The target's normalised features; remembered, because every step has the same target."""
        if self._seen is None or self._seen[0] is not target:
            self._seen = target, [_unit(map_) for map_ in self.features(self._at_resolution(target))]
        return self._seen[1]

    def _at_resolution(self, image: Tensor) -> Tensor:
        if image.shape[-1] == self.resolution:
            return image
        size = [self.resolution, self.resolution]
        return F.interpolate(image, size=size, mode="bilinear", align_corners=False, antialias=True)


class Lpips:
    """LPIPS through the lpips package, on a backbone whose weights the caller read from a file.

    backbone: torchvision's state dict of the whole network (`features.0.weight`, ...).
    """

    def __init__(self, net: LpipsNet, backbone: Mapping[str, Tensor], *, device: str = "cpu") -> None:
        self.name = f"lpips-{net}"
        self.model = untrained_lpips(net, spatial=True)
        load_backbone(self.model.net, net, backbone)
        self.model.eval().requires_grad_(False).to(device)

    def __call__(self, image: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        if image.shape[-1] < 64:  # the backbones' deepest maps vanish below this
            image, target, valid = (
                F.interpolate(x, size=[64, 64], mode="bilinear", align_corners=False)
                for x in (image, target, valid)
            )
        distance: Tensor = self.model(within(image, target, valid), target)  # [N, 1, H, W]
        return weighted_mean(distance, valid)


def untrained_lpips(net: LpipsNet, *, spatial: bool) -> Any:
    """The lpips package's network on a backbone of random weights. spatial: its result is a map.

    With a trained backbone lpips would download it. The weights that lpips learned come with it. lpips hands
    `pretrained` to torchvision, which calls that deprecated, and lpips takes no other word for it.
    The two warnings are not for the user.
    """
    import lpips  # imported here: it pulls in torchvision and scipy, which most runs do not need

    with warnings.catch_warnings():
        for said in ("The parameter 'pretrained' is deprecated", "Arguments other than a weight enum"):
            warnings.filterwarnings("ignore", said, UserWarning, r"torchvision\.models\._utils")
        return lpips.LPIPS(net=net, pnet_rand=True, spatial=spatial, verbose=False)


def load_backbone(network: torch.nn.Module, net: LpipsNet, weights: Mapping[str, Tensor]) -> None:
    """Copy torchvision's weights into the slices lpips cuts a backbone into; the slices keep torchvision's
    indices.

    Raises ValueError when a weight is missing or has another shape.
    """
    own = dict(network.state_dict())
    loaded = {}
    for name, tensor in own.items():
        if not name.startswith("slice"):
            continue
        source = "features." + name.split(".", 1)[1]
        if source not in weights or weights[source].shape != tensor.shape:
            raise ValueError(f"the weights do not fit lpips-{net}: {source} is missing or has another shape")
        loaded[name] = weights[source]
    network.load_state_dict(loaded, strict=False)


Backbones = Callable[[str], Mapping[str, Tensor] | None]
"""The weights of `lpips-vgg`, `lpips-alex` or `lpips-squeeze`, or None where they are not at hand."""


def no_backbones(name: str) -> None:
    """The `Backbones` that has none."""


def choose(name: str, checkpoint: Checkpoint, backbones: Backbones = no_backbones) -> PerceptualLoss:
    """The loss called `name` (`auto`, `pyramid`, `gan-features`, `lpips-vgg`, `lpips-alex`, `lpips-squeeze`).

    `auto` takes LPIPS (vgg, alex, squeeze in this order) where its weights are, else the pyramid: the
    checkpoint's trunk costs twice the time and finds no better likeness (docs/benchmarks/tried.md). Raises
    ValueError for a name that cannot be had.
    """
    wanted = [f"lpips-{net}" for net in LPIPS_NETS] + ["pyramid"] if name == "auto" else [name]
    for each in wanted:
        loss = _loss(each, checkpoint, backbones)
        if loss is not None:
            return loss
    raise ValueError(f"the perceptual loss {name!r} is not at hand")


def _loss(name: str, checkpoint: Checkpoint, backbones: Backbones) -> PerceptualLoss | None:
    """The loss called `name`, None where it is unknown or lacks what it needs."""
    if name == "pyramid":
        return Pyramid()
    if name == "gan-features" and checkpoint.perceptual is not None:
        # half the size costs a quarter and finds the person nearly as well (docs/benchmarks/tried.md)
        return GanFeatures(checkpoint.perceptual, resolution=checkpoint.generator.resolution // 2)
    for net in LPIPS_NETS:
        if name == f"lpips-{net}":
            weights = backbones(name)
            device = str(checkpoint.generator.w_avg.device)
            return None if weights is None else Lpips(net, weights, device=device)
    return None


def _unit(features: Tensor) -> Tensor:
    return F.normalize(features, dim=1, eps=1e-6)  # [N, C, H, W]
