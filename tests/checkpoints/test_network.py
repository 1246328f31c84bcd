"""What callers rely on: full, partial and windowed runs agree; determinism, gradients, dtypes."""

import pytest
import torch

from checkpoints import CheckpointError, synthesis
from checkpoints.testing import random_checkpoint

CKPT = random_checkpoint(64, seed=1)
G = CKPT.generator


def some_ws(n: int = 2, seed: int = 0) -> torch.Tensor:
    z = torch.randn(n, G.z_dim, generator=torch.Generator().manual_seed(seed))
    return G.mapping(z)


def test_shapes_and_names() -> None:
    assert (G.z_dim, G.w_dim, G.c_dim, G.num_ws, G.resolution) == (32, 32, 0, 10, 64)
    ws = some_ws(3)
    assert ws.shape == (3, 10, 32)
    assert G.synthesis(ws).shape == (3, 3, 64, 64)
    assert {r: tuple(x.shape) for r, x in G.features(ws).items()} == {
        r: (3, c, r, r) for r, c in G.channels.items()
    }
    assert G.w_avg.shape == (32,)


def test_truncation_runs_to_the_mean() -> None:
    z = torch.randn(2, 32)
    assert torch.equal(G.mapping(z, truncation=0.0)[0, 0], G.w_avg)
    half = (G.mapping(z) + G.w_avg) / 2
    assert torch.allclose(G.mapping(z, truncation=0.5), half, atol=1e-5)


def test_partial_features_equal_full_ones() -> None:
    ws = some_ws()
    full, part = G.features(ws), G.features(ws, upto=16)
    assert sorted(part) == [4, 8, 16]
    assert all(torch.equal(part[r], full[r]) for r in part)


def test_image_at_full_resolution_is_synthesis() -> None:
    ws = some_ws()
    assert torch.equal(G.image_at(ws, 64), G.synthesis(ws))
    assert G.image_at(ws, 16).shape == (2, 3, 16, 16)


def test_blocks_called_by_hand_give_the_same_image() -> None:
    ws = some_ws()
    x = img = None
    for resolution in sorted(G.channels):
        x, img = G.synthesis_network.block(resolution)(x, img, ws[:, G.block_ws(resolution)])
    assert img is not None
    assert torch.equal(img, G.synthesis(ws))


def test_blocks_share_the_style_of_the_next_one() -> None:
    slices = [G.block_ws(r) for r in sorted(G.channels)]
    assert [(s.start, s.stop) for s in slices] == [(0, 2), (1, 4), (3, 6), (5, 8), (7, 10)]


def test_a_window_is_exact_inside_its_halo() -> None:
    ws = some_ws(1)
    net = G.synthesis_network
    x32 = G.features(ws, upto=32)[32]
    img32 = G.image_at(ws, 32)
    block = net.block(64)
    noise = [layer.noise_const[None, None, 16:48, 20:56] for layer in (block.conv0, block.conv1)]
    x, img = block(x32[:, :, 8:24, 10:28], img32[:, :, 8:24, 10:28], ws[:, G.block_ws(64)], noise)
    full_x, full_img = G.features(ws)[64], G.synthesis(ws)
    inner = (..., slice(3, -3), slice(3, -3))
    assert torch.allclose(x[inner], full_x[..., 16:48, 20:56][inner], atol=1e-5)
    assert torch.allclose(img[inner], full_img[..., 16:48, 20:56][inner], atol=1e-5)


@pytest.mark.parametrize("band", [1, 5_000, 40_000])
@pytest.mark.parametrize("noise", ["const", "none"])
def test_a_picture_drawn_in_bands_is_the_same(
    band: int, noise: synthesis.NoiseMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = some_ws()
    moving = ws.clone().requires_grad_(True)  # with gradients nothing is drawn in bands
    whole, part = (G.image_at(moving, size, noise).detach() for size in (64, 32))
    monkeypatch.setattr(synthesis, "BAND", band)
    with torch.no_grad():
        assert torch.allclose(G.synthesis(ws, noise=noise), whole, atol=1e-5)
        assert torch.allclose(G.image_at(ws, 32, noise), part, atol=1e-5)
        assert not torch.equal(G.synthesis(ws, "random"), G.synthesis(ws, "random"))


def test_noise_modes() -> None:
    ws = some_ws(1)
    const, none = G.synthesis(ws), G.synthesis(ws, noise="none")
    assert torch.equal(const, G.synthesis(ws, noise="const"))
    assert torch.equal(none, G.synthesis(ws, noise="none"))
    assert not torch.equal(const, none)
    torch.manual_seed(5)
    first = G.synthesis(ws, noise="random")
    assert not torch.equal(first, G.synthesis(ws, noise="random"))
    torch.manual_seed(5)
    assert torch.equal(first, G.synthesis(ws, noise="random"))


def test_batch_entries_do_not_mix() -> None:
    ws = some_ws(3)
    assert torch.allclose(G.synthesis(ws)[1:2], G.synthesis(ws[1:2]), atol=1e-5)


def test_gradients_reach_ws_as_finite_differences_say() -> None:
    generator = random_checkpoint(16, w_dim=8, channel_base=64, channel_max=8, seed=2).generator.double()
    ws = generator.mapping(torch.randn(1, 8)).double().requires_grad_()
    (slope,) = torch.autograd.grad(generator.synthesis(ws).square().sum(), ws)
    direction = torch.randn_like(slope)
    step = 1e-3 * direction
    with torch.no_grad():
        values = [generator.synthesis(ws + s).square().sum().double() for s in (step, -step)]
    assert float((values[0] - values[1]) / 2e-3) == pytest.approx(float((slope * direction).sum()), rel=2e-2)


def test_gradients_reach_weights_that_ask_for_them() -> None:
    generator = random_checkpoint(16).generator.requires_grad_(True)
    generator.synthesis(generator.mapping(torch.randn(1, 32))).square().mean().backward()
    untouched = [name for name, p in generator.named_parameters() if p.grad is None or not p.grad.any()]
    assert untouched == []


def test_frozen_weights_get_no_gradient() -> None:
    assert not any(p.requires_grad for p in G.parameters())
    assert not G.training


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_cast_copy_is_near_and_independent(dtype: torch.dtype) -> None:
    ws = some_ws(1).requires_grad_()
    fast = G.synthesis_network.cast_copy(dtype)
    features = fast.features(ws, upto=32)
    assert features[32].dtype == dtype
    image, reference = fast(ws), G.synthesis(ws).detach()
    assert image.dtype == torch.float32
    error = (image - reference).detach().norm() / reference.norm()
    assert float(error) < 2e-2
    image.sum().backward()
    assert ws.grad is not None and ws.grad.dtype == torch.float32 and bool(ws.grad.isfinite().all())
    assert fast.block(8).conv1.weight is not G.synthesis_network.block(8).conv1.weight
    assert fast.block(8).conv1.affine is G.synthesis_network.block(8).conv1.affine


def test_labels() -> None:
    conditional = random_checkpoint(8, c_dim=4).generator
    z, label = torch.randn(2, 32), torch.eye(4)[:2]
    assert not torch.equal(conditional.mapping(z, label), conditional.mapping(z, label.flip(0)))
    means = [conditional.mean_w(label[i : i + 1]) for i in range(2)]
    assert means[0].shape == (32,) and not torch.allclose(means[0], means[1], atol=0.05)
    assert torch.equal(means[0], conditional.mean_w(label[:1]))
    with pytest.raises(CheckpointError, match="label of 4 numbers"):
        conditional.mapping(z)
    with pytest.raises(CheckpointError, match=r"\[2, 3\]"):
        conditional.mapping(z, torch.zeros(2, 3))
    with pytest.raises(CheckpointError, match="takes no label"):
        G.mapping(z, label)


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ValueError, match="ws has shape"):
        G.synthesis(torch.zeros(1, 9, 32))
    with pytest.raises(ValueError, match="z has shape"):
        G.mapping(torch.zeros(1, 31))
    with pytest.raises(ValueError, match="no block of resolution 128"):
        G.features(some_ws(), upto=128)


def test_conv_clamp_bounds_activations() -> None:
    clamped = random_checkpoint(16, conv_clamp=0.1).generator
    features = clamped.features(clamped.mapping(torch.randn(1, 32)))
    assert max(float(x.abs().max()) for x in features.values()) <= 0.1 * 2**0.5 + 1e-6


def test_encoder_gives_ws_and_features_with_gradients() -> None:
    assert CKPT.encoder is not None and CKPT.perceptual is not None
    crop = torch.rand(2, 3, 64, 64).mul(2).sub(1).requires_grad_()
    ws = CKPT.encoder(crop)
    assert ws.shape == (2, G.num_ws, G.w_dim)
    assert torch.equal(ws[:, 0], ws[:, -1])
    features = CKPT.perceptual(crop)
    assert [x.shape[-1] for x in features] == [64, 32, 16, 8, 4]
    sum(x.square().mean() for x in features).backward()  # type: ignore[union-attr]
    assert crop.grad is not None and bool(crop.grad.abs().sum(dim=(1, 2, 3)).gt(0).all())
    with pytest.raises(ValueError, match="crop has shape"):
        CKPT.encoder(torch.zeros(1, 3, 32, 32))


def test_random_checkpoints_are_reproducible_and_plausible() -> None:
    twin = random_checkpoint(64, seed=1).generator
    assert all(torch.equal(a, b) for a, b in zip(twin.parameters(), G.parameters(), strict=True))
    ws = some_ws(4)
    assert all(0.2 < float(x.std()) < 3 for x in G.features(ws).values())
    assert 0.2 < float(G.synthesis(ws).std()) < 1.5
