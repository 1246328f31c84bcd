#!/usr/bin/env python
"""Throughput of `realedit batch`: photos per minute by workers and quality, seconds per stage, memory and
start-up of a worker, and how fast a queue of done photos is skipped.

    scripts/bench_batch.py --photos DIR [--count 4] [--quality draft] [--workers 1 2] [--quick] [--json FILE]
    scripts/bench_batch.py --skip 20000
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
MODEL = ("align", "invert", "drag", "paste", "identity")  # all but files: reading, writing, comparing


def main() -> None:
    arguments = parse()
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    rows = []
    if arguments.photos:
        for quality in arguments.quality:
            for workers in arguments.workers:
                rows += measured(run(arguments, quality, workers), quality, workers)
    if arguments.skip:
        rows.append(skipped(arguments.skip))
    for each in rows:
        held = "" if each["goal"] is None else f"  (goal {each['goal']}, {held_or_not(each)})"
        print(f"{each['what']:60} {each['value']:>9} {each['unit']}{held}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": rows}, indent=1))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--quality", nargs="+", default=["draft", "standard"])
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--recipe", default="smile")
    parser.add_argument("--skip", type=int, default=0, help="photos that are done already")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.count, arguments.quality, arguments.skip = 2, ["draft"], 2000
    if not (arguments.photos or arguments.skip):
        parser.error("name --photos DIR, or a number to --skip")
    return arguments


@dataclass
class Run:
    """One batch. ends: when each photo was done, seconds from the start; timings: by photo and stage."""

    ends: list[float] = field(default_factory=list)
    timings: list[dict[str, float]] = field(default_factory=list)
    memory: float = 0.0  # MB of the largest worker


def run(arguments: argparse.Namespace, quality: str, workers: int) -> Run:
    """The command itself, on copies of the first photos."""
    found = Run()
    with tempfile.TemporaryDirectory(prefix="realedit-bench-") as folder:
        photos = Path(folder) / "in"
        photos.mkdir()
        for path in sorted(arguments.photos.glob("*.jpg"))[: arguments.count]:
            shutil.copyfile(path, photos / path.name)
        command = [
            sys.executable,
            "-m",
            "realedit",
            "batch",
            str(photos),
            f"{folder}/out",
            "--json",
            "--no-cache",
        ]
        command += [f"--recipe={arguments.recipe}", f"--quality={quality}", f"--workers={workers}"]
        environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
        started = time.monotonic()
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**environment, "PYTHONPATH": str(ROOT)}
        )
        watcher = threading.Thread(target=watch_memory, args=(process, found), daemon=True)
        watcher.start()
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "done":
                found.ends.append(time.monotonic() - started)
                found.timings.append(event["timings"])
        process.wait()
        watcher.join()
    return found


def watch_memory(process: "subprocess.Popen[str]", found: Run) -> None:
    """The peak of the largest child, several times a second."""
    while process.poll() is None:
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                facts = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            except OSError:
                continue
            if facts.get("PPid", "").strip() == str(process.pid) and "VmHWM" in facts:
                found.memory = max(found.memory, int(facts["VmHWM"].split()[0]) / 1024)
        time.sleep(0.3)


def measured(run: Run, quality: str, workers: int) -> list[dict[str, object]]:
    name = f"{quality}, {workers} worker{'s' if workers > 1 else ''}"
    start = run.ends[0] - sum(run.timings[0].values())
    total = sum(sum(each.values()) for each in run.timings)
    share = {stage: sum(each.get(stage, 0) for each in run.timings) / total for stage in run.timings[0]}
    model = sum(share[stage] for stage in MODEL)
    busy = total / (workers * (run.ends[-1] - start))
    rows = [
        row(f"{name}: photos per minute", 60 * len(run.ends) / (run.ends[-1] - start), "1/min"),
        row(f"{name}: seconds until the first photo begins", start, "s"),
        row(f"{name}: peak memory of a worker", run.memory, "MB"),
        row(f"{name}: share of the time in which workers are busy", busy, "1"),
        row(f"{name}: share of the stage time that is model work", model, "1", 0.95, model >= 0.95),
    ]
    return rows + [row(f"{name}: share of {stage}", value, "1") for stage, value in share.items()]


def skipped(count: int) -> dict[str, object]:
    """Seconds in which the engine passes over photos that the ledger calls done."""
    from realedit.batch.intake import walk
    from realedit.batch.job import State
    from realedit.batch.ledger import Ledger
    from realedit.batch.local import LocalPool
    from realedit.batch.running import FolderRequest, run_folder
    from tests.realedit.batch.fakework import FakeWork

    work = FakeWork()
    with tempfile.TemporaryDirectory(prefix="realedit-bench-") as folder:
        photos, output = Path(folder).resolve() / "in", Path(folder).resolve() / "out"
        output.mkdir()
        for number in range(count):
            for path in (photos, output):
                place = path / f"{number % 100:02}" / f"{number}.jpg"
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(b"%d" % number)
        ledger = Ledger(output)
        ledger._base.execute("PRAGMA synchronous=OFF")
        for number, seen in enumerate(walk(photos, recursive=True)):
            job, _ = ledger.add(seen.path, seen.relative, seen.signature, str(number), work.key)
            ledger.set(job, state=State.DONE, output_sha256="")
        ledger.close()
        started = time.monotonic()
        request = FolderRequest(folder=photos, output=output, recursive=True)
        counts = run_folder(request, work, lambda work: LocalPool(work, 2, threads=1), lambda _: None)
        seconds = time.monotonic() - started
        assert counts.skipped == count
    return row(f"seconds to skip {count} done photos", seconds, "s", 10, seconds < 10)


def held_or_not(each: dict[str, object]) -> str:
    return "holds" if each["holds"] else "MISSED"


def row(
    what: str, value: float, unit: str, goal: float | None = None, holds: bool | None = None
) -> dict[str, object]:
    return {"what": what, "value": round(value, 3), "unit": unit, "goal": goal, "holds": holds}


if __name__ == "__main__":
    main()
