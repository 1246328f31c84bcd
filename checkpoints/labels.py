"""Labels of conditional generators, as people write them."""

import torch
from torch import Tensor

from .errors import CheckpointError, brief


def parse_label(text: str, c_dim: int) -> Tensor:
    """A class number ("3") or c_dim numbers ("0,0.5,1") -> label [1, c_dim]. Raises CheckpointError."""
    if not c_dim:
        raise CheckpointError(f"This generator takes no label; leave {brief(text)} out.")
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 1 and c_dim > 1 and parts[0].isascii() and parts[0].isdigit() and len(parts[0]) < 10:
        index = int(parts[0])
        if index >= c_dim:
            raise CheckpointError(f"There is no class {index}; this generator has classes 0 to {c_dim - 1}.")
        return torch.nn.functional.one_hot(torch.tensor([index]), c_dim).float()
    try:
        values = [float(part) for part in parts]
    except ValueError:
        values = []
    if len(values) != c_dim or not torch.tensor(values).isfinite().all():
        raise CheckpointError(
            f"{brief(text)} is no label of this generator; give a class from 0 to {c_dim - 1}, "
            f"or {c_dim} numbers separated by commas."
        )
    return torch.tensor([values])
