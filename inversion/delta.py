"""A tuned generator as the difference from the one it was tuned from: small enough to keep beside every
photo.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from checkpoints import Generator


def difference(tuned: Generator, original: Generator) -> dict[str, Tensor]:
    """float16 differences of the weights and noise maps that changed, by state-dict name.

    Raises ValueError for a change that is no number, or too large for float16.
    """
    before = original.state_dict()
    changes = {}
    for name, tensor in tuned.state_dict().items():
        change = (tensor - before[name]).detach().to(torch.float16)
        if not bool(change.isfinite().all()):
            raise ValueError(f"the tuning of {name} is too large to be stored")
        if bool((change != 0).any()):
            changes[name] = change.contiguous().cpu()
    return changes


@torch.no_grad()
def apply(generator: Generator, changes: Mapping[str, Tensor]) -> None:
    """Add stored differences to a fresh copy of the generator they belong to.

    Raises ValueError for a name or shape the generator does not have.
    """
    own = generator.state_dict()
    for name, change in changes.items():
        if name not in own or own[name].shape != change.shape:
            raise ValueError(f"the stored tuning does not fit this generator: {name}")
    for name, change in changes.items():
        own[name].add_(change.to(own[name].device, own[name].dtype))  # shares the generator's memory
