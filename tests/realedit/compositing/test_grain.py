"""Grain: as strong as the photo's, without any picture in it, and without seams."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realedit.compositing.grain import grain_of, spread


def _noisy(strength: float, blurred: float = 0.0, dtype: type = np.uint8) -> NDArray[np.uint8]:
    """A smooth picture with an edge and grain."""
    noise = np.random.default_rng(0).normal(size=(256, 256, 3)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), blurred) if blurred else noise
    ramp = np.linspace(0.3, 0.6, 256, dtype=np.float32)[:, None, None] + np.zeros((1, 256, 3), np.float32)
    ramp[:, 128:] += 0.2
    white = np.iinfo(dtype).max
    return np.asarray(np.clip((ramp + noise / noise.std() * strength) * white, 0, white), dtype)


@pytest.mark.parametrize("strength", [0.01, 0.03])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grain_is_as_strong_as_the_photos(strength: float, dtype: type) -> None:
    grain = grain_of(_noisy(strength, dtype=dtype), 8.0)
    assert grain is not None
    assert grain.std() == pytest.approx(strength, rel=0.2)
    assert abs(grain.mean()) < 1e-4


def test_coarse_grain_stays_coarse() -> None:
    def neighbours(grain: NDArray[np.float32]) -> float:
        return float((grain[:, 1:] * grain[:, :-1]).mean() / (grain**2).mean())

    fine, coarse = (grain_of(_noisy(0.03, blurred), 8.0) for blurred in (0.0, 1.0))
    assert fine is not None and coarse is not None
    assert neighbours(fine) < 0.2 < 0.5 < neighbours(coarse)


def test_edges_and_structure_are_no_grain() -> None:
    stripes = np.tile((np.arange(256) // 8 % 2 * 120 + 60).astype(np.uint8)[None, :, None], (256, 1, 3))
    grain = grain_of(np.ascontiguousarray(stripes), 8.0)
    assert grain is not None and grain.std() < 0.005


def test_neighbouring_rectangles_fit() -> None:
    grain = grain_of(_noisy(0.02), 8.0)
    assert grain is not None
    whole = spread(grain, (30, 40, 400, 300))
    assert np.array_equal(whole[100:, 70:], spread(grain, (100, 140, 400, 300)))
    assert grain_of(np.zeros((20, 90, 3), np.uint8), 8.0) is None
