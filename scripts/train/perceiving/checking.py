"""How networks in training do on people held out."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realedit.perception import frames
from realedit.perception import points as parts

from .copies import Copier
from .trainer import Networks, pictures


@dataclass(frozen=True)
class Check:
    """Mean distances from the teacher's points, in interocular distances, and the matte's IoU."""

    points: float
    eye: float
    lids: float
    mouth: float
    lips: float
    matte: float


def check(nets: Networks, copier: Copier, indices: list[int]) -> Check:
    """How the networks do on the chips' own views and close-ups (not one after the other)."""
    nets.eval()
    rows = []
    inner = parts.INNER_LIP_UPPER + parts.INNER_LIP_LOWER
    lips = [i for i, point in enumerate(nets.mouth_points) if point in inner]
    edges = parts.LEFT_EYE.upper + parts.LEFT_EYE.lower
    lids = [i for i, point in enumerate(nets.eye_points) if point in edges]
    for some in _batches(indices, 32):
        copies = [copier.plain(index) for index in some]
        with torch.inference_mode():
            seen = nets.view(pictures([copy.view for copy in copies]))
            eyes = nets.eye(pictures([eye for copy in copies for eye in copy.eyes]))[0].unflatten(0, (-1, 2))
            mouths, _ = nets.mouth(pictures([copy.mouth for copy in copies]))
        for i, copy in enumerate(copies):
            whole = _apart(seen.points[i, :, :2], copy.points[:, :2]) / copy.unit
            truth = np.stack(copy.eye_points)[:, nets.eye_points]
            eye = _apart(eyes[i], truth) * frames.EYE
            mouth = _apart(mouths[i], copy.mouth_points[nets.mouth_points]) * frames.MOUTH
            overlap = iou(seen.matte[i].numpy() > 0, copy.matte > 0.5, copy.known)
            rows.append(
                (whole.mean(), eye.mean(), eye[:, lids].mean(), mouth.mean(), mouth[lips].mean(), overlap)
            )
    return Check(*(float(value) for value in np.mean(rows, axis=0)))


def iou(mine: NDArray[np.bool_], theirs: NDArray[np.bool_], known: NDArray[np.bool_]) -> float:
    """Intersection over union of two mattes, where they are known."""
    return float((mine & theirs & known).sum() / max(1, ((mine | theirs) & known).sum()))


def _apart(seen: Tensor, truth: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(seen.numpy() - truth, axis=-1))


def _batches(items: list[int], size: int) -> Iterator[list[int]]:
    for i in range(0, len(items), size):
        yield items[i : i + size]
