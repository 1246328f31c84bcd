"""The file of the networks' weights, and the networks made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from checkpoints.bundled import bundled_file
from checkpoints.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from realedit.perception.network import DetailNet, ViewNet

FORMAT = "realedit-perception-1"
BUNDLED = "perception"


@dataclass(frozen=True, eq=False)
class Eyesight:
    """The networks in float32, ready to look.

    view, eye, mouth: of `realedit.perception.network`. shape `[478, 3]`: the mean face, looking straight
    ahead, in interocular distances. mirror `[478]`: which point each becomes in a mirrored picture.
    eye_points, mouth_points: which of the 478 points the close-ups tell; of the right eye their mirror.
    eye_shares, mouth_shares: how much a close-up's word counts, 0 to 1. metadata: where the weights are from.
    """

    view: ViewNet
    eye: DetailNet
    mouth: DetailNet
    shape: NDArray[np.float64]
    mirror: NDArray[np.int64]
    eye_points: NDArray[np.int64]
    mouth_points: NDArray[np.int64]
    eye_shares: NDArray[np.float64]
    mouth_shares: NDArray[np.float64]
    metadata: Mapping[str, str]


@lru_cache(maxsize=1)
def bundled() -> Eyesight:
    """The weights that come with the package; read once per process."""
    with bundled_file(BUNDLED) as path:
        return load(path)


def load(path: Path) -> Eyesight:
    """Read a file of weights. Raises CheckpointError where it is missing, damaged or something else."""
    from checkpoints.storage import read_tensors
    from realedit.perception.network import EYE_FACTS, EYE_SIZE, MOUTH_SIZE, DetailNet, ViewNet

    tensors, metadata = read_tensors(path)
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path} is no file of perception weights ({FORMAT}); use another file.")
    try:
        eye_points, mouth_points = (_whole(tensors[name]) for name in ("eye_points", "mouth_points"))
        sight = Eyesight(
            view=ViewNet(),
            eye=DetailNet(EYE_SIZE, len(eye_points), EYE_FACTS),
            mouth=DetailNet(MOUTH_SIZE, len(mouth_points)),
            shape=_real(tensors["shape"]),
            mirror=_whole(tensors["mirror"]),
            eye_points=eye_points,
            mouth_points=mouth_points,
            eye_shares=_real(tensors["eye_shares"]),
            mouth_shares=_real(tensors["mouth_shares"]),
            metadata=metadata,
        )
        for name in ("view", "eye", "mouth"):
            _fill(getattr(sight, name), name, tensors)
    except (KeyError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} does not hold the perception networks ({str(error)[:200]}); use another file."
        ) from error
    return sight


def _whole(tensor: Tensor) -> NDArray[np.int64]:
    return np.asarray(tensor.numpy(), np.int64)


def _real(tensor: Tensor) -> NDArray[np.float64]:
    return np.asarray(tensor.float().numpy(), np.float64)


def _fill(net: nn.Module, name: str, tensors: Mapping[str, Tensor]) -> None:
    """Put the tensors `name.*` into a network."""
    import torch

    start = f"{name}."
    own = {key.removeprefix(start): value.float() for key, value in tensors.items() if key.startswith(start)}
    net.load_state_dict(own)
    net.eval().requires_grad_(False).to(memory_format=torch.channels_last)
