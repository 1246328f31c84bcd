"""The same work on Ray: nodes that go away cost nothing but time."""

import dataclasses
import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from realedit.batch.cluster import RayPool
from realedit.batch.ledger import Ledger
from realedit.batch.ledger_file import FOLDER
from realedit.batch.settings import EngineSettings
from realedit.errors import CheckpointError
from tests.realedit.batch.fake import Bench, eventually, photo
from tests.realedit.batch.fakework import FakeWork, Unable

ray = pytest.importorskip("ray", reason="Ray is missing (pip install 'realedit[ray]')")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path, work=FakeWork(seconds=0.2), settings=EngineSettings(time_limit=5))
    (bench.output / FOLDER).mkdir()
    return bench


@pytest.fixture
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def test_photos_of_a_cluster_whose_node_is_killed_are_all_done_once(bench: Bench, cluster: Any) -> None:
    nodes = [cluster.add_node(num_cpus=1) for _ in range(3)]
    expected = {}
    for number in range(40):
        path = photo(bench.photos / f"{number}.jpg")
        expected[path.name] = b"edited " + path.read_bytes()
    photo(bench.photos / "crash.jpg", "crash it")

    def kill() -> None:
        while bench.kinds().count("done") < 8:
            time.sleep(0.05)
        cluster.remove_node(nodes[0], allow_graceful=False)

    shared = (bench.photos.resolve(), (bench.output / FOLDER).resolve())
    pool = RayPool(bench.work, address=cluster.address, workers=3, cores=1, shared=shared)
    killer = threading.Thread(target=kill, daemon=True)
    try:
        while pool.free < 3:
            assert not list(pool.wait(1.0))
        killer.start()
        counts = bench.run(pool=pool)
        killer.join(120)
        eventually(lambda: sum(node["Alive"] for node in ray.nodes()) == 3, 600)
    finally:
        pool.close()
    assert bench.kinds().count("started") == 40 + bench.settings.attempts + 1, "its photo is begun again"
    assert bench.outputs() == expected and bench.left_behind() == 0
    assert (counts.done, counts.quarantined) == (40, 1)
    ledger = Ledger(bench.output)
    attempts = {job.source.name: job.attempts for job in ledger.jobs()}
    ledger.close()
    assert attempts.pop("crash.jpg") == bench.settings.attempts
    assert set(attempts.values()) == {1}, "the node's end was put down to a photo"
    computed = [
        bench.computed.count(hashlib.sha256(content[7:]).hexdigest()) for content in expected.values()
    ]
    assert sum(computed) <= len(expected) + 1, "more was computed again than the node had in work"


def test_ray_on_one_machine_shows_the_error_with_which_actors_cannot_begin() -> None:
    pool = RayPool(Unable(False), workers=1, cores=1)
    try:
        with pytest.raises(CheckpointError, match="no such model"):
            for _ in range(600):
                list(pool.wait(0.2))
    finally:
        pool.close()
    assert not ray.is_initialized(), "Ray outlives the pool that started it"


def test_ray_on_one_machine_edits_photos_that_are_sent_as_bytes(bench: Bench) -> None:
    photo(bench.photos / "a.jpg")
    photo(bench.photos / "b/c.jpg")
    photo(bench.photos / "hang.jpg", "hang")
    (bench.photos / "cut.jpg").write_bytes(b"photo")
    bench.settings = dataclasses.replace(bench.settings, time_limit=1.0, attempts=2, together=3)
    pool = RayPool(bench.work, workers=1, cores=1)
    try:
        counts = bench.run(pool=pool)
    finally:
        pool.close()
    assert (counts.done, counts.quarantined) == (2, 2)
    expected = {name: b"edited " + (bench.photos / name).read_bytes() for name in ("a.jpg", "b/c.jpg")}
    assert bench.outputs() == expected and bench.left_behind() == 0
    assert not any("realedit-" in each.text for each in bench.happenings), "a temporary name was shown"
    assert (bench.log.with_suffix(".shared")).exists(), "nothing was done together"
