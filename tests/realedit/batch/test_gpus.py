"""Workers and GPUs: who sees which, how many faces at once, what an actor asks Ray for. No GPU is needed."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from realedit.batch import local
from realedit.batch.cluster import shares
from realedit.batch.local import LocalPool
from realedit.batch.work import Task
from realedit.editing.kept import faces_in
from realedit.plumbing.devices import gpus

NODES: list[dict[str, float]] = [{"CPU": 16, "GPU": 2}, {"CPU": 8, "GPU": 1}]


@pytest.mark.parametrize(
    ("workers", "each", "count"), [(None, 1.0, 3), (3, 1.0, 3), (2, 1.0, 2), (4, 0.5, 4), (7, 1 / 3, 7)]
)
def test_actors_share_gpus_evenly(workers: int | None, each: float, count: int) -> None:
    asked, found = shares(NODES, cores=None, workers=workers, gpus=True)
    assert asked["num_gpus"] == pytest.approx(each) and found == count
    per_gpu = int(1 / asked["num_gpus"] + 1e-9)
    assert 3 * per_gpu >= count, "all of them find a place"


def test_actors_that_compute_on_cpus_ask_for_no_gpu() -> None:
    assert shares(NODES, cores=None, workers=None, gpus=False) == ({"num_cpus": 4}, 6)
    assert shares([{"CPU": 2}], cores=None, workers=5, gpus=True) == ({"num_cpus": 2}, 5)


@pytest.mark.parametrize(("free", "found"), [(0, 1), (500, 1), (1000, 2), (10**9, 8)])
def test_as_many_faces_at_once_as_memory_holds(free: int, found: int) -> None:
    assert faces_in(free, 300, 8) == found


def test_gpus_are_shared_out_unless_one_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpus("auto") == gpus("cuda") == ("0", "1")
    assert gpus("cuda:1") == gpus("cpu") == ()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-5f2")
    assert gpus("auto") == ("3", "GPU-5f2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpus("auto") == ()


@dataclass
class _Process:
    """Notes what its child would see."""

    seen: list[str | None]
    pid: int | None = 1
    pipes: list[Any] = field(default_factory=list)

    def start(self) -> None:
        self.seen.append(os.environ.get(local.SEEN))

    def kill(self) -> None: ...

    def join(self, seconds: float) -> None: ...


@pytest.mark.parametrize("before", [None, "0,1"])
def test_every_worker_sees_a_gpu_of_its_own_also_the_one_in_its_place(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before is None:
        monkeypatch.delenv(local.SEEN, raising=False)
    else:
        monkeypatch.setenv(local.SEEN, before)
    seen: list[str | None] = []
    pool = LocalPool(None, 3, threads=1, gpus=("0", "1"))  # type: ignore[arg-type]
    monkeypatch.setattr(pool._context, "Process", lambda **_: _Process(seen), raising=False)
    for number in range(3):
        pool.submit([Task(id=number, photo=Path("a"), output=Path("b"), seconds=1)])
    pool._replace(1)
    assert seen == ["0", "1", "0", "1"]
    assert os.environ.get(local.SEEN) == before, "this process sees what it saw"
    pool.close()
