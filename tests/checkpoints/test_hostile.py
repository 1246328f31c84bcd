"""Nothing that a checkpoint says is ever done: hostile files are read under an audit hook, mutated ones by
hypothesis.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .hostile import hostile_files

LOADS = {"generator", "rosinality", "tensorflow"}
SECONDS = 15.0  # for one file, on a busy machine; the slowest take about one


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("hostile")
    files = folder / "files"
    files.mkdir()
    for name, data in hostile_files().items():
        (files / name).write_bytes(data)
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-m", "tests.checkpoints.guarded", str(files)],
        cwd=folder,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    found: dict[str, Any] = json.loads(run.stdout)
    found["left behind"] = [path.name for path in folder.iterdir() if path != files]
    return found


def test_there_are_enough_of_them() -> None:
    assert len(hostile_files()) >= 100


def test_nothing_is_executed(report: dict[str, Any]) -> None:
    events = {name: row["events"] for name, row in report["files"].items() if row["events"]}
    assert events == {}
    assert report["left behind"] == []


def test_nothing_crashes(report: dict[str, Any]) -> None:
    crashes = {
        n: row["outcome"] for n, row in report["files"].items() if row["outcome"].startswith("crashed")
    }
    assert crashes == {}


def test_nothing_hangs(report: dict[str, Any]) -> None:
    slow = {name: row["seconds"] for name, row in report["files"].items() if row["seconds"] > SECONDS}
    assert slow == {}


def test_memory_stays_bounded(report: dict[str, Any]) -> None:
    greedy = {name: row["megabytes"] for name, row in report["files"].items() if row["megabytes"] > 500}
    assert greedy == {}


def test_only_complete_generators_load(report: dict[str, Any]) -> None:
    for name, row in report["files"].items():
        expected = name.split("-")[0] in LOADS or name == "state-dictionary-with-a-call"
        assert row["outcome"].startswith("loaded" if expected else "refused"), (name, row["outcome"])


def test_every_refusal_is_one_sentence_that_names_the_file(report: dict[str, Any]) -> None:
    for name, row in report["files"].items():
        if row["outcome"].startswith("refused"):
            assert name in row["outcome"] and row["outcome"].endswith("."), row["outcome"]
            assert len(row["outcome"]) < 600 and "\n" not in row["outcome"], row["outcome"]
