"""How soft a photo is: what is painted into it gets edges that are no harder."""

import cv2
import numpy as np

from realedit.compositing.eyes import LUMA, Floats
from realedit.compositing.flow import Array, blur
from realedit.photos import Photo

# A face's eyes and mouth have edges: the lids, the lashes, the line between the lips.
_AROUND = (33, 263, 61, 291)
_MARGIN = 0.4  # of their distances
_MOST = 1400  # pixels of a side in which edges are looked at
_AGAIN = 1.2  # pixels of the blur that tells how soft they were
_EDGES = (0.985, 0.999)  # the shares of places that have weaker edges than one, and than the strongest,
_STRONG = 0.7  # of which an edge has so much: what has less may be grain
_LEAST, _SOFTEST = 0.5, 12.0


def softness(photo: Photo, points: Floats) -> float:
    """The deviation, in photo pixels, of the Gaussian that made the edges around a face's eyes and mouth as
    soft as they are; at least half a pixel. points `[478, 2]` in photo pixels.

    A blur takes from an edge's slope what tells how soft the edge was: slopes go as 1 / sqrt(s^2 + blur^2).
    """
    ends = points[list(_AROUND)]
    span = np.ptp(ends, axis=0).max() * _MARGIN
    low = np.maximum(np.floor(ends.min(0) - span).astype(int), 0)
    high = np.minimum(np.ceil(ends.max(0) + span).astype(int), (photo.width, photo.height))
    if (high - low < 8).any():
        return _LEAST
    luma = photo.srgb((int(low[0]), int(low[1]), int(high[0]), int(high[1]))).astype(np.float32) @ LUMA
    scale = max(1.0, max(luma.shape) / _MOST)
    if scale > 1:
        size = (round(luma.shape[1] / scale), round(luma.shape[0] / scale))
        luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.float32)
    steep, less = _slopes(luma), _slopes(blur(luma, _AGAIN))
    sharp, sharpest = (float(each) for each in np.quantile(less, _EDGES))
    edges = less >= max(sharp, _STRONG * sharpest, 1e-3)
    if not edges.any():
        return _LEAST
    ratio = float(np.median(steep[edges] / less[edges]))
    return float(np.clip(scale * _AGAIN / np.sqrt(max(ratio**2 - 1, 1e-3)), _LEAST, _SOFTEST))


def _slopes(luma: Array) -> Array:
    down, across = np.gradient(luma)
    return np.asarray(np.hypot(down, across), np.float32)
