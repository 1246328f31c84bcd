"""What doctor says of a device."""

import re

import torch

from realedit.plumbing.speed import convolution_rate, described


def test_a_device_is_described_with_its_dtype_and_speed() -> None:
    found = re.fullmatch(
        r"cpu \(.+, \d+ threads\), (float32|bfloat16) at (\d+) GFLOP/s", described(torch.device("cpu"))
    )
    assert found and int(found[2]) > 0


def test_a_rate_is_taken_of_two_runs_even_without_time() -> None:
    assert 0 < convolution_rate(torch.device("cpu"), torch.float32, limit=0) < 1e6
