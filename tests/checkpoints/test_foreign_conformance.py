"""Files of the original projects load, and compute what the original code computes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import checkpoints

from .shared import CONFORMANCE, needs_conformance

pytestmark = needs_conformance

FILES = sorted(path.name for path in CONFORMANCE.glob("*.p[kt]*"))


@pytest.fixture(params=FILES or ["none"])
def case(request: pytest.FixtureRequest) -> tuple[checkpoints.Checkpoint, dict[str, Tensor]]:
    path: Path = CONFORMANCE / request.param
    with np.load(path.with_suffix(".expected.npz")) as arrays:
        expected = {name: torch.from_numpy(arrays[name]) for name in arrays}
    return checkpoints.load(path, cache=False), expected


def error(found: Tensor, expected: Tensor) -> float:
    assert found.shape == expected.shape
    return float((found - expected).abs().max())


def test_everything_that_was_recorded(case: tuple[checkpoints.Checkpoint, dict[str, Tensor]]) -> None:
    generator, expected = case[0].generator, case[1]
    z, label = expected["z"], expected.get("c")
    ws = generator.mapping(z, label)
    found = {
        "image_noise_const": generator.synthesis(ws),
        "image_noise_none": generator.synthesis(ws, "none"),
    }
    found |= {"ws": ws, "w": ws[:, 0], "latent_avg": generator.w_avg}
    found |= {f"block_{r}": x for r, x in generator.features(ws).items()}
    truncated = generator.mapping(z, label, truncation=0.7)
    found |= {"ws_psi07": truncated, "image_psi07": generator.synthesis(truncated)}
    errors = {name: error(found[name], array) for name, array in expected.items() if name not in ("z", "c")}
    assert len(errors) >= 4
    assert max(errors.values()) < 2e-4, errors


def test_bfloat16_is_near(case: tuple[checkpoints.Checkpoint, dict[str, Tensor]]) -> None:
    generator, expected = case[0].generator, case[1]
    reference = expected["image_noise_const"]
    image = generator.synthesis_network.cast_copy(torch.bfloat16)(
        generator.mapping(expected["z"], expected.get("c"))
    )
    assert float((image - reference).norm() / reference.norm()) < 2e-2


def test_codes_are_taken_from_the_mapping_network(
    case: tuple[checkpoints.Checkpoint, dict[str, Tensor]],
) -> None:
    checkpoint, _ = case
    assert checkpoint.codes is not None
    axes = checkpoint.codes.components
    assert torch.allclose(axes @ axes.t(), torch.eye(len(axes)), atol=1e-4)
    assert bool((checkpoint.codes.std.diff() <= 1e-6).all())
