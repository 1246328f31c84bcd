"""Perceptual losses: what they see, what they must not see, and that LPIPS is wired as its package is."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor

from checkpoints.testing import random_checkpoint
from inversion import GanFeatures, Lpips, PerceptualLoss, Pyramid, choose
from inversion.perceptual import (
    LPIPS_NETS,
    LpipsNet,
    load_backbone,
    resize_valid,
    untrained_lpips,
    weighted_mean,
)

CKPT = random_checkpoint(64, seed=3)
NETWORKS: dict[LpipsNet, Callable[..., Any]] = {
    "vgg": torchvision.models.vgg16,
    "alex": torchvision.models.alexnet,
    "squeeze": torchvision.models.squeezenet1_1,
}


def _pictures(size: int = 64, count: int = 1) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(5)
    one, other = torch.rand(2, count, 3, size, size, generator=rng) * 2 - 1
    return one, other


def _left_half(size: int = 64) -> Tensor:
    valid = torch.zeros(1, 1, size, size)
    valid[..., : size // 2] = 1
    return valid


def _backbone(net: LpipsNet) -> dict[str, Tensor]:
    """Random weights as torchvision's file has them (of the features alone)."""
    torch.manual_seed(7)
    with torch.device("meta"):
        state = NETWORKS[net](weights=None).state_dict()
    shapes = {name: t.shape for name, t in state.items() if name.startswith("features.")}
    rng = torch.Generator().manual_seed(11)
    return {
        name: torch.randn(shape, generator=rng) * (2 / max(1, shape[1:].numel())) ** 0.5
        for name, shape in shapes.items()
    }


@pytest.fixture(scope="module")
def losses() -> list[PerceptualLoss]:
    alex = {"lpips-alex": _backbone("alex")}
    return [choose(name, CKPT, alex.get) for name in ("pyramid", "gan-features", "lpips-alex")]


def test_losses_are_zero_at_equality_and_grow_with_the_difference(losses: list[PerceptualLoss]) -> None:
    one, other = _pictures()
    valid = torch.ones(1, 1, 64, 64)
    for loss in losses:
        values = [float(loss(one.lerp(other, share), one, valid)) for share in (0, 0.1, 0.4)]
        assert values[0] == pytest.approx(0, abs=1e-6), loss.name
        assert values[0] < values[1] < values[2], loss.name


def test_pictures_differ_from_themselves_when_blurred(losses: list[PerceptualLoss]) -> None:
    one, _ = _pictures()
    blurred = torchvision.transforms.functional.gaussian_blur(one, [7, 7])
    for loss in losses:
        assert float(loss(blurred, one, torch.ones(1, 1, 64, 64))) > 0.01, loss.name


def test_what_is_not_in_the_photo_has_no_gradient_and_no_say(losses: list[PerceptualLoss]) -> None:
    one, other = _pictures()
    valid = torch.zeros(1, 1, 64, 64)
    valid[..., :27] = 1  # no multiple of any cell
    for loss in losses:
        image = one.clone().requires_grad_(True)
        value = loss(image, other, valid)
        value.backward()  # type: ignore[no-untyped-call]
        assert image.grad is not None
        assert not image.grad[..., 27:].any(), loss.name
        assert (image.grad[..., :27].abs() > 0).float().mean() > 0.9, loss.name
        changed = torch.where(valid > 0, one, 3.0)
        assert float(loss(changed, other, valid)) == pytest.approx(float(value.detach()), rel=1e-5), loss.name


def test_nothing_valid_is_a_loss_of_zero_and_finite_gradients(losses: list[PerceptualLoss]) -> None:
    one, other = _pictures()
    for loss in losses:
        image = one.clone().requires_grad_(True)
        value = loss(image, other, torch.zeros(1, 1, 64, 64))
        value.backward()  # type: ignore[no-untyped-call]
        assert float(value.detach()) == 0 and image.grad is not None and bool(image.grad.isfinite().all())


def test_the_pyramid_sees_structure_that_equal_colours_hide() -> None:
    flat = torch.zeros(1, 3, 64, 64)
    stripes = flat.clone()
    stripes[..., ::2], stripes[..., 1::2] = 0.5, -0.5
    coarse = flat.clone()
    coarse[..., :32], coarse[..., 32:] = 0.5, -0.5
    pyramid = Pyramid()
    valid = torch.ones(1, 1, 64, 64)
    with_gradients = float(pyramid(stripes, flat, valid))
    without = float(Pyramid(gradients=0.0)(stripes, flat, valid))
    assert with_gradients > 2 * without
    assert float(Pyramid(gradients=0.0)(coarse, flat, valid)) > 2 * without, (
        "misplaced areas weigh on every level"
    )


def test_small_pictures_stop_the_pyramid_early() -> None:
    one, other = _pictures(8)
    assert float(Pyramid(levels=6)(one, other, torch.ones(1, 1, 8, 8))) > 0


def test_gan_features_without_weight_are_the_pyramid() -> None:
    one, other = _pictures()
    valid = _left_half()
    assert CKPT.perceptual is not None
    alone = GanFeatures(CKPT.perceptual, resolution=64, weight=0.0)(one, other, valid)
    assert torch.equal(alone, Pyramid()(one, other, valid))


def test_gan_features_compare_half_size_pictures_too() -> None:
    one, other = _pictures(32)
    loss = choose("gan-features", CKPT)
    assert float(loss(one, other, torch.ones(1, 1, 32, 32))) > 0


def test_means_are_taken_where_they_are_weighed() -> None:
    values = torch.tensor([[[[1.0, 2.0], [3.0, 100.0]]]])
    weight = torch.tensor([[[[1.0, 1.0], [0.5, 0.0]]]])
    assert float(weighted_mean(values, weight)) == pytest.approx(4.5 / 2.5)
    assert resize_valid(weight, (1, 1)).item() == 0 and resize_valid(weight, (1, 2)).tolist() == [
        [[[0.5, 0]]]
    ]


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("net", LPIPS_NETS)
def test_lpips_agrees_with_its_package_given_the_same_weights(net: LpipsNet, tmp_path: Any) -> None:
    backbone = _backbone(net)
    torch.save(backbone, tmp_path / "backbone.pth")
    stored = torch.load(tmp_path / "backbone.pth", weights_only=True)
    ours = choose(f"lpips-{net}", CKPT, {f"lpips-{net}": stored}.get)
    assert ours.name == f"lpips-{net}"

    reference = untrained_lpips(net, spatial=False).eval()
    layers = [layer for i in range(1, 8) for layer in _layers(reference.net, f"slice{i}")]
    with torch.device("meta"):
        features = NETWORKS[net](weights=None).features
    state = {name.removeprefix("features."): t for name, t in stored.items()}
    features.load_state_dict(state, assign=True)
    assert len([x for x in layers if list(x.parameters())]) == len(
        [x for x in features if list(x.parameters())]
    )
    for mine, theirs in zip(layers, features, strict=False):
        mine.load_state_dict(theirs.state_dict())

    one, other = _pictures(64)
    with torch.no_grad():
        expected = reference(one, other).mean()
        found = ours(one, other, torch.ones(1, 1, 64, 64))
    assert float(expected) > 0.01
    # the package averages each map before it is enlarged, we after: equal up to the border's interpolation
    assert float(found) == pytest.approx(float(expected), rel=0.05)
    reference.spatial = True
    with torch.no_grad():
        assert torch.allclose(found, reference(one, other).mean(), rtol=1e-4)


def _layers(network: Any, name: str) -> list[Any]:
    return list(getattr(network, name).children()) if hasattr(network, name) else []


@pytest.mark.usefixtures("no_network")
def test_lpips_takes_small_pictures() -> None:
    loss = Lpips("alex", _backbone("alex"))
    one, other = _pictures(16)
    assert float(loss(one, one, torch.ones(1, 1, 16, 16))) == pytest.approx(0, abs=1e-6)
    assert float(loss(one, other, torch.ones(1, 1, 16, 16))) > 0


def test_weights_that_do_not_fit_are_refused_by_name() -> None:
    model = untrained_lpips("alex", spatial=False)
    missing = _backbone("alex")
    del missing["features.3.weight"]
    with pytest.raises(ValueError, match=r"lpips-alex: features\.3\.weight is missing"):
        load_backbone(model.net, "alex", missing)
    with pytest.raises(ValueError, match="another shape"):
        load_backbone(model.net, "alex", _backbone("squeeze"))


def test_auto_takes_the_best_that_is_at_hand() -> None:
    bare = random_checkpoint(16, encoder=False)
    alex = {"lpips-alex": _backbone("alex")}
    assert choose("auto", CKPT).name == "pyramid"
    assert choose("auto", bare).name == "pyramid"
    assert choose("auto", bare, alex.get).name == "lpips-alex"
    assert choose("auto", CKPT, alex.get).name == "lpips-alex"
    assert choose("pyramid", CKPT, alex.get).name == "pyramid"


@pytest.mark.parametrize("name", ["gan-features", "lpips-vgg", "lpips", "ssim"])
def test_losses_that_cannot_be_had_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        choose(name, random_checkpoint(16, encoder=False))
