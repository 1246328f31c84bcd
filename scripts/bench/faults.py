"""Faults around a watched folder, made to happen and counted: what is torn, lost, duplicated or changed.

The watching engine runs with processes as workers on a work of milliseconds (tests/realedit/batch), since the
model has no part in this; --real kills the real one. Full and read-only disks need the right to mount.

    python scripts/bench faults [--kills 200] [--burst 5000] [--only NAME] [--quick] [--json FILE]
    python scripts/bench faults --real 10 --photos DIR [--within 40]
"""

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from commands import ROOT


def main() -> None:
    arguments = parse()
    found = scenarios(arguments)
    if arguments.real:
        found = {"SIGKILL, real edits": lambda folder: real_kills(folder, arguments)}
    rows = []
    print(f"Python {platform.python_version()}, {platform.platform()}", flush=True)
    for name, scenario in found.items():
        if arguments.only and arguments.only not in name:
            continue
        with tempfile.TemporaryDirectory(prefix="realedit-faults-", dir=arguments.folder) as folder:
            started = time.monotonic()
            counts = scenario(Path(folder))
        print(f"{name} ({time.monotonic() - started:.0f} s)")
        for what, value in counts.items():
            goal = None if what.startswith("of ") else 0
            held = "" if goal is None else "  holds" if value == goal else "  MISSED"
            print(f"    {what:24} {value:>7}{held}", flush=True)
            holds = None if goal is None else value == goal
            rows.append({"what": f"{name}: {what}", "value": value, "unit": "", "goal": goal, "holds": holds})
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": rows}, indent=1))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--burst", type=int, default=5000)
    parser.add_argument("--real", type=int, default=0, help="kill the real edit so often, and nothing else")
    parser.add_argument("--photos", type=Path, help="portraits, for --real")
    parser.add_argument("--within", type=float, default=40, help="seconds in which a real edit is killed")
    parser.add_argument("--only", help="scenarios whose names hold this")
    parser.add_argument("--folder", type=Path, help="where to make the folders")
    parser.add_argument("--quick", action="store_true", help="few of each")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.kills, arguments.burst = 8, 200
    if arguments.real and not arguments.photos:
        parser.error("--real needs --photos DIR")
    return arguments


def scenarios(arguments: argparse.Namespace) -> dict[str, Callable[[Path], dict[str, int]]]:
    """By name; each gets an empty folder."""
    from tests.realedit.batch import disks, faults

    def watched(*words: str) -> Callable[[Path], faults.InProcess]:
        return lambda folder: faults.InProcess(folder, arguments=words)

    def running(
        scenario: Callable[..., dict[str, int]], *words: str, **more: object
    ) -> Callable[[Path], dict[str, int]]:
        def run(folder: Path) -> dict[str, int]:
            each = watched(*words)(folder)
            return while_running(each, lambda: scenario(each, **more))

        return run

    def full(folder: Path) -> dict[str, int]:
        each = watched()(folder)
        with disks.small_disk(each.output, "2m") as remount:
            return while_running(each, lambda: faults.full_disk(each, 100, lambda: remount("size=64m")))

    def forbidden(folder: Path) -> dict[str, int]:
        each = watched()(folder)
        (each.output / ".realedit").mkdir()
        with disks.forbidding(each.output, each.output / ".realedit") as forbid:
            return while_running(each, lambda: faults.read_only(each, 100, forbid))

    def while_running(each: faults.InProcess, scenario: Callable[[], dict[str, int]]) -> dict[str, int]:
        each.start()
        try:
            return scenario()
        finally:
            each.stop()

    many = 10 if arguments.quick else 100
    slow = ("--seconds", "0.1")
    return {
        "SIGKILL": lambda folder: faults.kills(watched(*slow)(folder), arguments.kills),
        "SIGKILL, --done delete": lambda folder: faults.kills(
            watched(*slow, "--delete")(folder), arguments.kills // 4, seed=1
        ),
        "SIGKILL, --together 3": lambda folder: faults.kills(
            watched(*slow, "--together", "3")(folder), arguments.kills // 4, seed=2
        ),
        "slow writers": running(faults.slow_writers, count=many, pauses=6, pause=1.0),
        "slow writers, no patience": running(
            faults.slow_writers, "--patience", "0.5", count=many, pauses=6, pause=1.0
        ),
        "burst": running(faults.burst, "--seconds", "0", count=arguments.burst),
        "rename storm": running(faults.rename_storm, "--settle", "0.5", settle=0.5, count=many, renames=30),
        "full disk": full,
        "read-only output": forbidden,
        "vanishing inputs": running(faults.vanishing, count=5 * many),
        "poison": running(faults.poison, "--time-limit", "2", count=99),
        "poison, --together 4": running(faults.poison, "--time-limit", "2", "--together", "4", count=99),
        "times of files": running(faults.times_of_files, count=many),
        "jumps of the wall clock": running(faults.burst, "--jump", count=many),
        "two daemons": running(faults.second_daemons, count=20),
    }


def real_kills(folder: Path, arguments: argparse.Namespace) -> dict[str, int]:
    """`realedit batch` with the bundled model, killed at random moments until it has been killed enough."""
    import hashlib
    import os
    import random
    import shutil
    import subprocess

    from realedit.batch.job import State
    from realedit.batch.ledger import Ledger
    from realedit.errors import PhotoError
    from realedit.photos import read_photo

    photos = folder / "in"
    photos.mkdir()
    for path in sorted(arguments.photos.glob("*.jpg"))[:8]:
        shutil.copyfile(path, photos / path.name)
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in photos.iterdir()}
    command = [sys.executable, "-m", "realedit", "batch", str(photos), str(folder / "out")]
    command += ["--recipe=smile", "--quality=draft", "--workers=1", "-q"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache")}
    random_, torn, kills, in_work = random.Random(0), 0, 0, 0

    def damaged() -> int:
        bad = 0
        for path in (folder / "out").glob("*.jpg"):
            try:
                read_photo(path)
            except PhotoError:
                bad += 1
        return bad

    def at_work() -> bool:
        if not (folder / "out" / ".realedit" / "ledger.sqlite").exists():
            return False
        ledger = Ledger(folder / "out")
        found = any(True for _ in ledger.jobs(State.RUNNING))
        ledger.close()
        return found

    for _ in range(arguments.real):
        process = subprocess.Popen(command, env=environment)
        try:
            process.wait(random_.uniform(2.0, arguments.within))
        except subprocess.TimeoutExpired:
            kills += 1
        process.kill()
        process.wait()
        torn += damaged()
        in_work += at_work()
    code = subprocess.run(command, env=environment, check=False).returncode
    after = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in photos.iterdir()}
    outputs = {path.name for path in (folder / "out").glob("*.jpg")}
    return {
        "torn": torn + damaged(),
        "lost": len(before.keys() - outputs),
        "duplicated": len(outputs - before.keys()),
        "originals changed": sum(after.get(name) != digest for name, digest in before.items()),
        "left behind": len([*(folder / "out").glob(".realedit-*")]),
        "exit code": code,
        "of kills": kills,
        "of kills with a photo in work": in_work,
        "of photos": len(before),
    }
