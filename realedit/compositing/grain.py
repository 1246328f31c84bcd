"""The photo's grain, for generated pixels that are shown larger than they are.

Noise with the spectrum of a flat piece of the photo and random phases (Galerne, Gousseau and Morel 2011,
"Random phase textures"): as strong and as coarse as the photo's own, and without any picture in it.
"""

import numpy as np
from numpy.typing import NDArray

from realedit.compositing.flow import Array, blur

PATCH = 32
_ROBUST = 0.6745  # a normal distribution's median deviation, in standard deviations


def grain_of(pixels: NDArray[np.uint8] | NDArray[np.uint16], enlargement: float) -> Array | None:
    """Grain `[N, N, 3]` like that of `pixels` `[h, w, 3]`, in shares of white, that tiles seamlessly.

    enlargement: photo pixels per generated pixel; what is coarser than a generated pixel is no grain. Its
    spectrum is that of the flattest piece; it is as strong as there, and no stronger than the differences of
    single pixels, which edges hardly enter, are in the median piece. None for pictures smaller than a piece.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < PATCH:
        return None
    white = np.float32(np.iinfo(pixels.dtype).max)
    corners = [
        (int(y), int(x))
        for y in np.linspace(0, height - PATCH, min(20, height // PATCH)).astype(int)
        for x in np.linspace(0, width - PATCH, min(20, width // PATCH)).astype(int)
    ]
    pieces = [np.asarray(pixels[y : y + PATCH, x : x + PATCH] / white, np.float32) for y, x in corners]
    lit = [piece for piece in pieces if 0.02 < piece.mean() < 0.98] or pieces  # black and white hold no grain
    fine = [_fine(piece, enlargement) for piece in lit]
    flattest = fine[int(np.argmin([float(piece.std()) for piece in fine]))]
    return _random_phases(flattest, min(float(flattest.std()), float(np.median([*map(_noise, lit)]))))


def _noise(piece: Array) -> float:
    """Standard deviation of the noise in a piece: of its finest diagonal differences, robustly (Donoho and
    Johnstone 1994)."""
    diagonal = (piece[:-1:2, :-1:2] - piece[1::2, :-1:2] - piece[:-1:2, 1::2] + piece[1::2, 1::2]) / 2
    return float(np.median(np.abs(diagonal)) / _ROBUST)


def spread(grain: Array, box: tuple[int, int, int, int]) -> Array:
    """The grain `[h, w, 3]` of a rectangle of the photo; rectangles side by side fit."""
    left, top, right, bottom = box
    rows, columns = np.arange(top, bottom) % len(grain), np.arange(left, right) % len(grain)
    return np.ascontiguousarray(grain[rows[:, None], columns[None]])


def _fine(patch: NDArray[np.floating], enlargement: float) -> Array:
    """What of a patch is finer than a generated pixel."""
    patch = np.ascontiguousarray(patch, np.float32)
    return np.asarray(patch - blur(patch, min(max(0.6 * enlargement, 0.6), 3.0)), np.float32)


def _random_phases(piece: Array, strength: float) -> Array:
    """A periodic picture, four pieces wide, with the piece's spectrum; channels keep their correlation."""
    side = 4 * PATCH
    window = np.outer(*[np.hanning(PATCH)] * 2)[..., None]
    spectrum = np.fft.fft2(piece * window, (side, side), axes=(0, 1))
    noise = np.fft.fft2(np.random.default_rng(0).normal(size=(side, side)))
    phases = noise / np.maximum(np.abs(noise), 1e-12)
    texture = np.fft.ifft2(spectrum * phases[..., None], axes=(0, 1)).real
    texture -= texture.mean((0, 1))
    return np.asarray(texture * (strength / max(float(texture.std()), 1e-9)), np.float32)
