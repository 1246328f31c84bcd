"""What is measured of an inversion is right, and looks at the photo's own pixels alone."""

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from realedit.editing.report import psnr, ssim


def _pictures(noise: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    random = np.random.default_rng(0)
    one = random.random((48, 48, 3)).astype(np.float32)
    return one, np.clip(one + noise * random.standard_normal(one.shape), 0, 1).astype(np.float32)


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.5])
def test_figures_are_those_of_scikit_image(noise: float) -> None:
    one, other = _pictures(noise)
    everywhere = np.ones((48, 48), bool)
    assert psnr(one, other, everywhere) == pytest.approx(
        peak_signal_noise_ratio(one, other, data_range=1), abs=0.01
    )
    inner = np.zeros_like(everywhere)
    inner[5:-5, 5:-5] = True  # borders differ
    _, whole = structural_similarity(
        one, other, data_range=1, channel_axis=2, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, full=True,
    )  # fmt: skip
    assert ssim(one, other, inner) == pytest.approx(whole[inner].mean(), abs=1e-3)


def test_pixels_that_were_not_in_the_photo_do_not_count() -> None:
    one, other = _pictures(0.1)
    valid = np.zeros((48, 48), bool)
    valid[:, :30] = True
    broken = other.copy()
    broken[:, 40:] = 1 - broken[:, 40:]
    assert psnr(one, other, valid) == psnr(one, broken, valid)
    near = valid.copy()
    near[:, 24:] = False
    assert ssim(one, other, near) == ssim(one, broken, near)


def test_equal_pictures_are_perfect() -> None:
    one, _ = _pictures(0)
    everywhere = np.ones((48, 48), bool)
    assert psnr(one, one, everywhere) == np.inf and ssim(one, one, everywhere) == pytest.approx(1)
    assert psnr(one, one, ~everywhere) == np.inf and ssim(one, one, ~everywhere) == 1
