"""How fast a device is at what realedit does most: 3x3 convolutions."""

import time

import torch
import torch.nn.functional as F

from checkpoints import fast_dtype

LIMIT = 0.5  # seconds that a figure may take
_CHANNELS, _SIZE = 256, 64


def convolution_rate(device: torch.device, dtype: torch.dtype, *, limit: float = LIMIT) -> float:
    """GFLOP/s of a plain 3x3 convolution, 256 channels at 64 x 64: the best of as many as `limit` seconds
    have time for, and of two at least.
    """
    x = torch.randn(1, _CHANNELS, _SIZE, _SIZE).to(device, dtype, memory_format=torch.channels_last)
    weight = torch.randn(_CHANNELS, _CHANNELS, 3, 3).to(device, dtype, memory_format=torch.channels_last)
    begun, best, runs = time.perf_counter(), float("inf"), 0
    with torch.no_grad():
        while runs < 3 or time.perf_counter() - begun < limit:
            started = time.perf_counter()
            F.conv2d(x, weight, padding=1)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            elif device.type == "mps":
                torch.mps.synchronize()
            if runs:  # the first one loads kernels
                best = min(best, time.perf_counter() - started)
            runs += 1
    return 2 * 9 * _CHANNELS**2 * _SIZE**2 / best / 1e9


def described(device: torch.device) -> str:
    """The device, its name, the dtype that features are computed in there, and how fast it convolves in it."""
    name = f"{device}"
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        name += f" ({torch.cuda.get_device_name(device)}, {free >> 20} of {total >> 20} MB free)"
    elif device.type == "cpu":
        name += f" ({torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads)"
    dtype = fast_dtype(device)
    rate = convolution_rate(device, dtype)
    return f"{name}, {str(dtype).removeprefix('torch.')} at {rate:.0f} GFLOP/s"
