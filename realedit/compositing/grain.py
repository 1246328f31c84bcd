"""The photo's grain, for generated pixels that are shown larger than they are.

Noise with the spectrum of a flat piece of the photo and random phases (Galerne, Gousseau and Morel 2011,
"Random phase textures"): as strong and as coarse as the photo's own, and without any picture in it.
"""

import numpy as np
from numpy.typing import NDArray

from realedit.compositing.flow import Array, blur

PATCH = 64
_FLAT = 0.2  # of the patches, from the flattest: below lie black and burnt-out ones, above textures


def grain_of(pixels: NDArray[np.uint8] | NDArray[np.uint16], enlargement: float) -> Array | None:
    """Grain `[PATCH, PATCH, 3]` like that of `pixels` `[h, w, 3]`, in shares of white, that tiles seamlessly.

    enlargement: photo pixels per generated pixel; what is coarser than a generated pixel is no grain. None
    for pieces smaller than a patch.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < PATCH:
        return None
    white = np.float32(np.iinfo(pixels.dtype).max)
    rows, columns = (np.arange(0, length - PATCH + 1, PATCH) for length in (height, width))
    step = max(1, len(rows) * len(columns) // 400)
    corners = [(int(y), int(x)) for y in rows for x in columns][::step]
    fine = [_fine(pixels[y : y + PATCH, x : x + PATCH] / white, enlargement) for y, x in corners]
    order = np.argsort([float(np.abs(patch).mean()) for patch in fine], kind="stable")
    return _random_phases(fine[int(order[int(_FLAT * len(order))])])


def spread(grain: Array, box: tuple[int, int, int, int]) -> Array:
    """The grain `[h, w, 3]` of a rectangle of the photo; rectangles side by side fit."""
    left, top, right, bottom = box
    rows, columns = np.arange(top, bottom) % PATCH, np.arange(left, right) % PATCH
    return np.ascontiguousarray(grain[rows[:, None], columns[None]])


def _fine(patch: NDArray[np.floating], enlargement: float) -> Array:
    """What of a patch is finer than a generated pixel."""
    patch = np.ascontiguousarray(patch, np.float32)
    return np.asarray(patch - blur(patch, min(max(0.6 * enlargement, 0.6), 3.0)), np.float32)


def _random_phases(patch: Array) -> Array:
    """A periodic patch with the same spectrum; channels keep their correlation."""
    window = np.sqrt(np.outer(*[np.hanning(PATCH)] * 2))[..., None]
    spectrum = np.fft.fft2(patch * window, axes=(0, 1))
    noise = np.fft.fft2(np.random.default_rng(0).normal(size=(PATCH, PATCH)))
    phases = noise / np.maximum(np.abs(noise), 1e-12)
    texture = np.fft.ifft2(spectrum * phases[..., None], axes=(0, 1)).real
    texture -= texture.mean((0, 1))
    strength = patch.std((0, 1)) / np.maximum(texture.std((0, 1)), 1e-9)
    return np.asarray(texture * strength, np.float32)
