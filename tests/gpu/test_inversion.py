"""Inversions on a GPU: recorded, and as good as the CPU's; batches that do not fit are halved."""

from typing import Any, cast

import pytest
import torch

import inversion
from checkpoints.testing import random_checkpoint
from inversion import ProjectionSettings, TuningSettings, journal
from realedit.drag import keep_going
from realedit.editing import kept, stages

SIZE = 64


def _losses(device: str, monkeypatch: pytest.MonkeyPatch) -> tuple[float, float]:
    """Of the projection and of the tuning, at their ends."""
    monkeypatch.setattr(journal, "AT_ONCE", 5)  # no divisor of the steps
    checkpoint = random_checkpoint(SIZE, channel_base=1024, channel_max=64, seed=1, encoder=False)
    checkpoint.generator.to(device)
    rng = torch.Generator().manual_seed(3)
    crop = torch.nn.functional.interpolate(
        torch.rand(1, 3, 8, 8, generator=rng) * 2 - 1, SIZE, mode="bicubic"
    )
    crop = crop.to(device)
    valid = torch.ones_like(crop[:, :1])
    loss = inversion.Pyramid()
    projected = list(
        inversion.project(checkpoint, crop, valid, loss, ProjectionSettings(steps=24, patience=100))
    )
    tuned = inversion.tuned_copy(checkpoint.generator)
    settings = TuningSettings(steps=24, first_resolution=16)
    tuning = list(inversion.tune(checkpoint, tuned, projected[-1].latent, crop, valid, loss, settings))
    assert [step.index for step in (*projected, *tuning)] == [*range(1, 25), *range(1, 25)]
    return min(step.loss for step in projected), min(step.loss for step in tuning)


def test_an_inversion_is_as_good_as_the_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    (cpu, cpu_tuned), (gpu, gpu_tuned) = (_losses(device, monkeypatch) for device in ("cpu", "cuda"))
    assert gpu == pytest.approx(cpu, rel=0.03)
    assert gpu_tuned < 1.1 * cpu_tuned  # a tenth is 0.4 dB of a loss; which way rounding goes is chance


def test_a_batch_without_room_is_halved_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    total = torch.cuda.get_device_properties(0).total_memory
    each = total // 64
    torch.cuda.empty_cache()

    def invert(sessions: list[Any], *_: Any, **__: Any) -> list[Any]:
        taken = torch.empty(len(sessions) * each, dtype=torch.uint8, device="cuda")
        return [taken.numel() // each for _ in sessions]

    monkeypatch.setattr(stages, "invert_together", invert)
    torch.cuda.set_per_process_memory_fraction(3.5 / 64)
    try:
        found = kept._side_by_side(cast(Any, list(range(8))), cast(Any, None), cast(Any, None), keep_going)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()
    assert cast(Any, found) == [2] * 8
    assert "8 faces side by side do not fit into memory: 4 at a time" in caplog.messages
