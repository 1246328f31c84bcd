"""How much memory is left, asked before much of it is needed."""

from pathlib import Path
from typing import Final

import torch

from .architecture import Architecture
from .errors import CapacityError
from .files import megabytes
from .synthesis import BAND, HALO

# Copies of a block's output that are alive at once while it is computed: input, scaled input, convolved,
# filtered, result. With gradients, what every layer keeps for the way back adds up over all blocks.
_LIVE_COPIES: Final = 5
_KEPT_COPIES: Final = 4
_PICTURES: Final = 9  # three of three channels: the coarser one, enlarged, added to
_SCRATCH: Final = 1.75  # what convolutions take for themselves beside it; measured at 128 to 1024 px
_WORTH_ASKING: Final = 64 << 20

_CGROUP_LIMITS: Final = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


def synthesis_bytes(
    arch: Architecture, batch: int, *, upto: int | None = None, gradients: bool = False, picture: bool = False
) -> int:
    """An estimate of the memory that a run of the synthesis network needs besides the weights, in float32.

    picture: what `SynthesisNetwork.forward` draws; without gradients it goes through large blocks in bands.
    """
    wanted = {r: c for r, c in sorted(arch.channels.items()) if upto is None or r <= upto}
    sizes = [batch * c * r * r for r, c in wanted.items()]
    if gradients:
        return 4 * (_LIVE_COPIES * max(sizes) + _KEPT_COPIES * 2 * sum(sizes))
    if not picture:
        return 4 * _LIVE_COPIES * max(sizes)
    largest, before = 0, 0
    for (resolution, channels), size in zip(wanted.items(), sizes, strict=True):
        needed = _LIVE_COPIES * size
        if size > BAND:
            row = batch * channels * resolution
            band = max(BAND, 2 * row) + 4 * HALO * row
            needed = before + (0 if resolution == max(wanted) else size) + _LIVE_COPIES * band
        largest, before = max(largest, needed + _PICTURES * batch * resolution**2), size
    return int(4 * _SCRATCH * largest)


def require_memory(needed: int, device: torch.device, what: str) -> None:
    """Raise CapacityError where `needed` bytes are more than the device has left; small needs are not
    checked, and nothing is while a GPU's work is recorded, which ran before.
    """
    if needed < _WORTH_ASKING or (device.type == "cuda" and torch.cuda.is_current_stream_capturing()):
        return
    free = available(device)
    if free is not None and needed > free:
        raise CapacityError(
            f"{what} needs about {megabytes(needed)} of memory, but {device.type} has {megabytes(free)}; "
            f"close other programs or use a smaller model or batch."
        )


def available(device: torch.device) -> int | None:
    """Bytes of memory left on a device, within a container's limits; None where the system is silent."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    if device.type != "cpu":
        return None
    limits = [
        value
        for value in (_meminfo(), *map(_cgroup, *zip(*_CGROUP_LIMITS, strict=True)))
        if value is not None
    ]
    return min(limits, default=None)


def _meminfo() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _cgroup(limit: Path, usage: Path) -> int | None:
    """What a control group has left; its page cache can be reclaimed and does not count as used."""
    try:
        most, used = limit.read_text().strip(), int(usage.read_text())
        stat = dict(line.split() for line in (limit.parent / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    if not most.isdigit():
        return None
    reclaimable = int(stat.get("inactive_file", 0)) + int(stat.get("active_file", 0))
    return max(0, int(most) - used + reclaimable)
