"""The generator computes what the original code computes (recorded reference outputs)."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import checkpoints

from .shared import CASES, CONFORMANCE, needs_conformance

pytestmark = needs_conformance

Expected = dict[str, Tensor]


@pytest.fixture(params=CASES or ["none"])
def case(request: pytest.FixtureRequest) -> tuple[checkpoints.Generator, Expected]:
    path: Path = CONFORMANCE / f"{request.param}.safetensors"
    with np.load(CONFORMANCE / f"{request.param}.expected.npz") as arrays:
        expected = {name: torch.from_numpy(arrays[name]) for name in arrays}
    return checkpoints.load(path).generator, expected


def close(found: Tensor, expected: Tensor) -> bool:
    return found.shape == expected.shape and float((found - expected).abs().max()) < 1e-4


def test_mapping_and_truncation(case: tuple[checkpoints.Generator, Expected]) -> None:
    generator, expected = case
    label = expected.get("c")
    assert close(generator.mapping(expected["z"], label), expected["ws"])
    assert close(generator.mapping(expected["z"], label, truncation=0.7), expected["ws_psi07"])


def test_images(case: tuple[checkpoints.Generator, Expected]) -> None:
    generator, expected = case
    assert close(generator.synthesis(expected["ws"]), expected["image_noise_const"])
    assert close(generator.synthesis(expected["ws"], noise="none"), expected["image_noise_none"])


def test_block_features(case: tuple[checkpoints.Generator, Expected]) -> None:
    generator, expected = case
    features = generator.features(expected["ws"])
    assert sorted(features) == sorted(generator.channels)
    for resolution, x in features.items():
        assert close(x, expected[f"block_{resolution}"])


def test_bfloat16_is_near(case: tuple[checkpoints.Generator, Expected]) -> None:
    generator, expected = case
    reference = expected["image_noise_const"]
    image = generator.synthesis_network.cast_copy(torch.bfloat16)(expected["ws"])
    assert float((image - reference).norm() / reference.norm()) < 2e-2
