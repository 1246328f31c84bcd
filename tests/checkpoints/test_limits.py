"""Memory is asked for before it is needed; labels are what they should be."""

from pathlib import Path

import pytest
import torch

import checkpoints
from checkpoints import CapacityError, CheckpointError, memory, parse_label
from checkpoints.testing import random_checkpoint

from . import samples


def test_a_batch_that_does_not_fit_is_refused_before_it_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = random_checkpoint(32).generator
    ws = generator.mapping(torch.randn(1, 32)).expand(100_000, -1, -1)
    monkeypatch.setattr(memory, "available", lambda device: 1 << 30)
    with pytest.raises(CapacityError, match=r"batch of 100000 needs about .* GB of memory"):
        generator.synthesis(ws)
    with pytest.raises(CapacityError):
        generator.features(ws)


def test_a_model_that_does_not_fit_is_refused_before_it_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = random_checkpoint(8, w_dim=8).generator
    path = samples.write(tmp_path / "x.pkl", samples.nvidia_pickle(generator))
    monkeypatch.setattr(memory, "_WORTH_ASKING", 0)
    monkeypatch.setattr(memory, "available", lambda device: 1000)
    with pytest.raises(CapacityError, match=r"x\.pkl") as caught:
        checkpoints.load(path, cache=False)
    assert caught.value.exit_code == 7


def test_gradients_count(monkeypatch: pytest.MonkeyPatch) -> None:
    arch = random_checkpoint(32).generator.arch
    assert memory.synthesis_bytes(arch, 2) == 2 * memory.synthesis_bytes(arch, 1)
    assert memory.synthesis_bytes(arch, 1, gradients=True) > memory.synthesis_bytes(arch, 1)
    assert memory.synthesis_bytes(arch, 1, upto=8) < memory.synthesis_bytes(arch, 1)


def test_a_large_picture_in_bands_takes_less_than_its_features() -> None:
    small, large = (
        random_checkpoint(r, channel_base=r * 64, channel_max=64).generator.arch for r in (32, 512)
    )
    assert memory.synthesis_bytes(large, 1, picture=True) < 0.5 * memory.synthesis_bytes(large, 1)
    assert memory.synthesis_bytes(large, 1, picture=True) > 4 * 64 * 256**2, "what the last block reads"
    assert memory.synthesis_bytes(small, 1, picture=True) >= memory.synthesis_bytes(small, 1)
    graded = [memory.synthesis_bytes(large, 1, gradients=True, picture=p) for p in (False, True)]
    assert graded[0] == graded[1], "no bands where gradients are asked for"


def test_this_machine_says_how_much_it_has() -> None:
    free = memory.available(torch.device("cpu"))
    assert free is None or 1 << 20 < free < 1 << 50


def test_a_container_s_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("max", "1000000"),
        ("current", "900000"),
        ("stat", "inactive_file 50000\nactive_file 0"),
    ):
        (tmp_path / f"memory.{name}").write_text(value + "\n")
    paths = ((tmp_path / "memory.max", tmp_path / "memory.current"), (Path("/none"), Path("/none")))
    monkeypatch.setattr(memory, "_CGROUP_LIMITS", paths)
    assert memory.available(torch.device("cpu")) == 150_000
    (tmp_path / "memory.max").write_text("max\n")
    unlimited = memory.available(torch.device("cpu"))
    assert unlimited is None or unlimited > 1_000_000


def test_labels() -> None:
    assert torch.equal(parse_label("2", 4), torch.tensor([[0.0, 0.0, 1.0, 0.0]]))
    assert torch.equal(parse_label("0, 0.5,1", 3), torch.tensor([[0.0, 0.5, 1.0]]))
    assert torch.equal(parse_label("0.5", 1), torch.tensor([[0.5]]))


@pytest.mark.parametrize(
    ("text", "c_dim", "match"),
    [
        ("4", 4, "classes 0 to 3"),
        ("1,2", 4, "4 numbers"),
        ("cat", 4, "is no label"),
        ("nan,0", 2, "is no label"),
        ("", 2, "is no label"),
        ("1", 0, "takes no label"),
        ("9" * 5000, 4, "is no label"),
    ],
)
def test_labels_that_make_no_sense(text: str, c_dim: int, match: str) -> None:
    with pytest.raises(CheckpointError, match=match):
        parse_label(text, c_dim)
