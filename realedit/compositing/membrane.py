"""Filling a hole in a picture with the smoothest values that meet its border."""

import cv2
import numpy as np
from numpy.typing import NDArray

from realedit.compositing.flow import Array

_SMALLEST = 8
_SWEEPS = 24
_NEIGHBOURS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4


def membrane(values: Array, hole: NDArray[np.bool_]) -> Array:
    """`values` `[S, S, C]` with a solution of Laplace's equation inside of `hole` `[S, S]`.

    Added to a picture it changes none of its gradients' structure, which is gradient-domain pasting (Perez et
    al. 2003, "Poisson image editing", eq. 7 for the correction alone). Coarse to fine: each level starts from
    the coarser one's solution, so that a few sweeps do.
    """
    if not hole.any() or hole.all():
        return values
    size = values.shape[0]
    start = values
    if size > _SMALLEST:
        half = (size + 1) // 2
        weight = cv2.resize((~hole).astype(np.float32), (half, half), interpolation=cv2.INTER_AREA)
        known = np.where(hole[..., None], 0, values).astype(np.float32)
        mean = cv2.resize(known, (half, half), interpolation=cv2.INTER_AREA).reshape(half, half, -1)
        coarse = membrane(np.asarray(mean / np.maximum(weight, 1e-6)[..., None], np.float32), weight < 1e-6)
        enlarged = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR)
        start = np.asarray(enlarged, np.float32).reshape(values.shape)
    filled = np.where(hole[..., None], start, values).astype(np.float32)
    for _ in range(_SWEEPS):
        around = cv2.filter2D(filled, -1, _NEIGHBOURS, borderType=cv2.BORDER_REPLICATE).reshape(values.shape)
        filled[hole] = around[hole]
    return filled
