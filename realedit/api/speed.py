"""How fast this machine drags, told in a second."""

from __future__ import annotations

import statistics
import time

import torch

from checkpoints import fast_dtype
from inversion import CodeSpace
from realedit.api.models import Model
from realedit.drag import DragSettings, Editor
from realedit.plumbing.devices import choose_device, found_devices
from realedit.sessions.pictures import device_of

_WARM = 2  # steps that are not counted: what is made ready in them is there afterwards
_RECORDED = 16  # the same of a GPU, whose steps are recorded meanwhile


def drag_speed(model: Model, seconds: float = 1.0) -> tuple[float, str]:
    """Seconds per drag step of one point on the model's device, the median over about `seconds` (of a GPU the
    mean), and the dtype that its features are computed in. Nothing is read or written."""
    checkpoint, device = model.checkpoint, device_of(model.checkpoint)
    codes = CodeSpace.of(checkpoint)
    latent = codes.mean.to(device).expand(1, checkpoint.generator.num_ws, -1).contiguous()
    size = checkpoint.generator.resolution
    settings = DragSettings(max_steps=10_000, patience=10_000)
    editor = Editor(checkpoint.generator, latent, settings, codes, layers=checkpoint.drag_layers)
    editor.add([(0.4 * size, 0.6 * size)], [(0.9 * size, 0.1 * size)])  # farther than a second goes
    taken: list[float] = []
    began = last = time.perf_counter()
    for _ in editor.steps():
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        now = time.perf_counter()
        taken.append(now - last)
        last = now
        if now - began > seconds and len(taken) > (_RECORDED if device.type == "cuda" else _WARM):
            break
    dtype = str(fast_dtype(device)).removeprefix("torch.")
    if device.type == "cuda":  # several steps are told of at once
        return statistics.fmean(taken[_RECORDED:] or taken), dtype
    return statistics.median(taken[_WARM:] or taken), dtype


def devices() -> list[tuple[str, str]]:
    """(name as `device=` takes it, what it is) of every device here; the one that `auto` chooses is
    marked."""
    chosen = str(choose_device("auto"))
    return [
        (name, f"{what}; chosen by auto" if name.split(":")[0] == chosen.split(":")[0] else what)
        for name, what in found_devices()
    ]


def read_face_models() -> None:
    """Read dlib's landmarks and recogniser. Raises AlignmentError where a file is missing or damaged."""
    from alignment.models import FaceModels

    models = FaceModels()
    for name in ("landmarks", "recogniser"):
        getattr(models, name)
