"""Networks in training: other precision, other shape, the same pictures."""

import pytest
import torch
from train.generating.networks import Discriminator, Shape, average, encode, make, per_layer, synthesise

import checkpoints
from checkpoints.testing import random_checkpoint
from tests.scripts.train.samples import SHAPE


def test_pictures_are_the_generators_own_and_nearly_so_in_bfloat16() -> None:
    generator = random_checkpoint(32).generator
    ws = torch.randn(2, generator.num_ws, generator.w_dim)
    with torch.no_grad():
        exact = generator.synthesis(ws)
        torch.testing.assert_close(synthesise(generator, ws, torch.float32), exact)
        rough = synthesise(generator, ws, torch.bfloat16)
    assert rough.dtype == torch.float32
    assert float((rough - exact).abs().mean()) < 0.05 * float(exact.abs().mean())


def test_an_encoder_of_one_code_starts_as_the_same_code_for_every_layer() -> None:
    encoder = random_checkpoint(32).encoder
    assert encoder is not None
    crop = torch.rand(2, 3, 32, 32)
    twin = per_layer(encoder)
    torch.testing.assert_close(twin(crop), encoder(crop))
    torch.testing.assert_close(encode(twin, crop, torch.float32), encoder(crop))
    assert twin.out.out_features == encoder.num_ws * encoder.w_dim


def test_the_bundled_model_is_a_start_that_draws_the_same() -> None:
    given = checkpoints.load()
    nets = make(Shape(), checkpoints.DEFAULT, 0)
    crop = torch.rand(1, 3, 128, 128)
    assert given.encoder is not None
    with torch.no_grad():
        ws = encode(nets.encoder, crop, torch.float32)
        torch.testing.assert_close(ws, given.encoder(crop), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(
            synthesise(nets.generator, ws, torch.float32), given.generator.synthesis(ws), atol=1e-4, rtol=1e-4
        )


def test_a_smaller_model_gives_a_larger_one_its_picture(capsys: pytest.CaptureFixture[str]) -> None:
    """Blocks that are new add nothing at first."""
    nets = make(Shape(resolution=256), checkpoints.DEFAULT, 0)
    given = checkpoints.load().generator
    ws = given.mapping(torch.randn(1, 512))
    wide = torch.cat([ws, ws[:, -2:]], 1)
    with torch.no_grad():
        large = synthesise(nets.generator, wide, torch.float32)
        small = given.synthesis(ws)
    down = torch.nn.functional.avg_pool2d(large, 2)
    assert float((down - small)[..., 4:-4, 4:-4].abs().mean()) < 0.02
    assert "not in the weights to start from" in capsys.readouterr().out


def test_the_discriminator_scores_every_picture_and_sees_that_all_are_alike() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(make(SHAPE, None, 0).encoder)
    pictures = torch.rand(4, 3, 32, 32)
    scores = discriminator(pictures, torch.float32)
    assert scores.shape == (4, 1)
    alike = discriminator(pictures[:1].repeat(4, 1, 1, 1), torch.float32)
    assert abs(float((alike[0, 0] - scores[0, 0]).detach())) > 1e-6


def test_averaged_weights_follow() -> None:
    one, two = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    before = one.weight.detach().clone()
    average(one, two, 0.75)
    torch.testing.assert_close(one.weight, before * 0.75 + two.weight * 0.25)
