"""Choosing a device: what is there is taken, what is not there is named."""

import pytest
import torch

from realedit.errors import UsageError
from realedit.plumbing.devices import choose_device


def test_auto_is_a_device_that_computes() -> None:
    device = choose_device("auto")
    assert torch.ones(1, device=device).item() == 1


def test_the_cpu_is_always_there() -> None:
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    "name", ["gpu", "cuda:x", "cpu:1", "mps:0", "cuda:-1", "", "CUDA", "cuda:1.5", "xla"]
)
def test_unknown_names_are_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(UsageError, match="choose auto, cpu, cuda") as error:
        choose_device(name)
    assert repr(name) in str(error.value)


def test_a_cuda_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="there is no device cuda: PyTorch finds none here; use --device"):
        choose_device("cuda")


def test_a_cuda_number_beyond_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("cuda:1") == torch.device("cuda:1")
    assert choose_device("auto") == torch.device("cuda")
    with pytest.raises(UsageError, match="no device cuda:2: it has 2"):
        choose_device("cuda:2")


def test_a_machine_without_mps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no MPS device"):
        choose_device("mps")
