"""What an inversion says about itself while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

StageName = Literal["project", "tune"]


@dataclass(frozen=True)
class Step:
    """One optimisation step of a stage, as it is handed to the caller.

    index counts from 1; total is the most there can be. terms holds the loss by part. latent is the current
    W+ `[1, num_ws, w_dim]`, detached.
    """

    stage: StageName
    index: int
    total: int
    loss: float
    terms: Mapping[str, float]
    latent: Tensor
