"""A mode that forbids to ask the device: what would make the host wait for a GPU raises, on a CPU too."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

ASKING = ("_local_scalar_dense", "nonzero", "equal", "masked_select", "is_nonzero", "lift_fresh")


class Unasked(TorchDispatchMode):
    """Raises where the host would wait for the device's answer, or hands it data of its own (`lift_fresh`:
    `torch.tensor`): both stop a recording.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name in ASKING:
            raise AssertionError(f"{name} asks the device")
        if name in ("index", "index_put_") and any(i is not None and i.dtype == torch.bool for i in args[1]):
            raise AssertionError("an index by a mask asks the device")
        if name == "_to_copy" and (kwargs or {}).get("device") not in (None, args[0].device):
            raise AssertionError("a copy to another device asks it")
        return func(*args, **(kwargs or {}))
