"""Which device to compute on."""

import os

import torch

from realedit.errors import UsageError


def gpus(device: str) -> tuple[str, ...]:
    """The GPUs that workers may share out among them, as `CUDA_VISIBLE_DEVICES` names them: those this
    process sees, where the device of that name is whichever there is. None for one that is meant, or the CPU.
    """
    if device not in ("auto", "cuda") or not torch.cuda.is_available():
        return ()
    count = torch.cuda.device_count()
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return tuple(named[:count]) if len(named) >= count else tuple(map(str, range(count)))


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


def found_devices() -> list[tuple[str, str]]:
    """(name as `choose_device` takes it, what it is) of every device here, the CPU last."""
    found = []
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            facts = torch.cuda.get_device_properties(number)
            found.append((f"cuda:{number}", f"{facts.name}, {facts.total_memory / 2**30:.0f} GB"))
    if torch.backends.mps.is_available():
        found.append(("mps", "Apple's GPU"))
    return [*found, ("cpu", f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}")]
