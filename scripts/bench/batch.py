"""Throughput of `realedit batch`: photos per minute by workers and quality, seconds per stage, memory and
start-up of a worker, and how fast done photos are skipped.

    python scripts/bench batch --photos DIR [--count 4] [--quality draft] [--workers 1 2] [--together 4]
        [--megapixels 24]
    python scripts/bench batch --skip 20000

The first wants idle cores; one quality and one number of workers at a time take about a minute. What needs
none is in scripts/bench stages.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from commands import ROOT

from bench.shared.measuring import Row, report, row
from bench.stages import FILES, copied


def main() -> None:
    arguments = parse()
    table: list[Row] = []
    about = f"{os.cpu_count()} cores, {arguments.together} photos at once"
    if arguments.photos:
        for quality in arguments.quality:
            for workers in arguments.workers:
                table += measured(run(arguments, quality, workers), quality, workers)
    if arguments.skip:
        table.append(skipped(arguments.skip))
    report(table, about, arguments.json)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--quality", nargs="+", default=["draft", "standard"])
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--together", type=int, default=1, help="photos that a worker has at once")
    parser.add_argument("--megapixels", type=float, help="enlarge or reduce the photos to this size")
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
    """One batch. begun: when the first photo was begun, seconds from the start; ends: when each was done;
    timings: by photo and stage; processor: seconds that each worker computed, all its threads."""

    begun: float = 0.0
    ends: list[float] = field(default_factory=list)
    timings: list[dict[str, float]] = field(default_factory=list)
    memory: float = 0.0  # MB of the largest worker
    processor: dict[str, float] = field(default_factory=dict)


def run(arguments: argparse.Namespace, quality: str, workers: int) -> Run:
    """The command itself, on copies of the first photos."""
    found = Run()
    with tempfile.TemporaryDirectory(prefix="realedit-bench-") as folder:
        photos = Path(folder) / "in"
        photos.mkdir()
        for path in sorted(arguments.photos.glob("*.jpg"))[: arguments.count]:
            copied(path, photos / path.name, arguments.megapixels)
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
        command.append(f"--together={arguments.together}")
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
            if event["event"] == "stage" and not found.begun:
                found.begun = time.monotonic() - started
            if event["event"] == "done":
                found.ends.append(time.monotonic() - started)
                found.timings.append(event["timings"])
        process.wait()
        watcher.join()
    return found


def watch_memory(process: "subprocess.Popen[str]", found: Run) -> None:
    """The peak of the largest child and the seconds that each computed, several times a second."""
    tick = os.sysconf("SC_CLK_TCK")
    while process.poll() is None:
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                facts = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
                if facts.get("PPid", "").strip() != str(process.pid) or "VmHWM" not in facts:
                    continue
                words = (status.parent / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            found.memory = max(found.memory, int(facts["VmHWM"].split()[0]) / 1024)
            found.processor[status.parent.name] = (int(words[11]) + int(words[12])) / tick
        time.sleep(0.3)


def measured(run: Run, quality: str, workers: int) -> list[Row]:
    name = f"{quality}, {workers} worker{'s' if workers > 1 else ''}"
    if not run.ends:
        raise SystemExit(f"{name}: no photo came out; see what `realedit batch` says")
    seconds = run.ends[-1] - run.begun
    total = sum(sum(each.values()) for each in run.timings)
    share = {stage: sum(each.get(stage, 0) for each in run.timings) / total for stage in run.timings[0]}
    model = sum(value for stage, value in share.items() if stage not in FILES)
    computed = sum(run.processor.values()) / ((os.cpu_count() or 1) * run.ends[-1])
    rows = [
        row(f"{name}: photos per minute", 60 * len(run.ends) / seconds, "1/min"),
        row(f"{name}: seconds until the first photo begins", run.begun, "s"),
        row(f"{name}: peak memory of a worker", run.memory, "MB", digits=0),
        row(f"{name}: share of the time in which workers have a photo", total / (workers * seconds), "1"),
        row(f"{name}: share of the cores that workers use, from the start", computed, "1"),
        row(f"{name}: share of the stage time that is work on the picture", model, "1", 0.95, least=True),
    ]
    return rows + [row(f"{name}: share of {stage}", value, "1") for stage, value in share.items()]


def skipped(count: int) -> Row:
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
    return row(f"seconds to skip {count} done photos", seconds, "s", 10)
