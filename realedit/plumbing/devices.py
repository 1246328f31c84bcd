"""Which device to compute on."""

import torch

from realedit.errors import UsageError


def choose_device(name: str) -> torch.device:
    """`auto` (CUDA, then MPS, then the CPU), `cpu`, `cuda`, `cuda:N` or `mps`. Raises UsageError for one
    that is not there."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (number and (kind != "cuda" or not number.isdecimal())):
        raise UsageError(f"unknown device {name!r}; choose auto, cpu, cuda, cuda:N or mps")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise UsageError("this machine has no MPS device; use --device auto or cpu")
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(number or 0) >= count:
            found = f"it has {count}" if count else "PyTorch finds none here"
            raise UsageError(f"there is no device {name}: {found}; use --device auto or cpu")
    return torch.device(name)
