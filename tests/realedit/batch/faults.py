"""What can go wrong around a watched folder, made to happen, and counted.

Each scenario works on a `Watched`, the engine in a thread (tests) or in a process of its own
(`scripts/bench faults`), and returns what it counted by name; every count is wanted to be 0, but for those
that begin with `of`.
"""

import contextlib
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from realedit.batch.settings import EngineSettings
from tests.realedit.batch import daemon
from tests.realedit.batch.fake import Bench, eventually, photo

EXPECTED = b"edited "


class Watched(Protocol):
    """A folder that is being watched."""

    photos: Path
    output: Path

    def outputs(self) -> dict[str, bytes]: ...

    def quarantined(self) -> dict[str, bytes]: ...

    def kinds(self) -> list[str]: ...

    def left_behind(self) -> int: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


@dataclass
class InThread(Bench):
    """The engine in a thread of this process, with workers in it."""

    settings: EngineSettings = field(
        default_factory=lambda: EngineSettings(once=False, poll=0.05, patience=60, remake=False)
    )
    settle: float = 0.1

    def start(self) -> None:
        self._engine, self._thread = self.started()

    def stop(self) -> None:
        self._engine.stop()
        self._thread.join(120)
        assert not self._thread.is_alive()


@dataclass
class InProcess(Bench):
    """The engine in a process of its own, with processes as workers."""

    arguments: tuple[str, ...] = ()

    def start(self) -> None:
        """Forked from a process without threads, since a new Python takes seconds; workers are spawned."""
        words = [str(self.photos), str(self.output), "--log", str(self.log), *self.arguments]
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        self.process = context.Process(target=_daemon, args=(words, self.folder / "lines"))
        self.process.start()

    def kinds(self) -> list[str]:
        lines = (self.folder / "lines").read_text(errors="replace").splitlines()
        return [line.split(" ")[0] for line in lines]

    def stop(self) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGTERM)
        self.process.join(90)
        assert self.process.exitcode == 0, (
            self.process.exitcode,
            (self.folder / "lines").read_text()[-2000:],
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


def _daemon(words: list[str], lines: Path) -> None:
    with lines.open("ab") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
        daemon.main(words)


def wrong(watched: Watched, expected: dict[str, bytes], *, seconds: float = 60) -> dict[str, int]:
    """Outputs that are torn, missing, or there twice, and attempts that are still there after `seconds`."""
    with contextlib.suppress(AssertionError):  # the last photo's attempt is being cleared away
        eventually(lambda: watched.left_behind() == 0, seconds)
    found = watched.outputs()
    return {
        "torn": sum(name in found and found[name] != content for name, content in expected.items()),
        "lost": len(expected.keys() - found.keys()),
        "duplicated": len(found.keys() - expected.keys()),
        "left behind": watched.left_behind(),
    }


def _edited(contents: dict[str, bytes]) -> dict[str, bytes]:
    return {name: EXPECTED + content for name, content in contents.items()}


def kills(watched: InProcess, count: int, *, seed: int = 0, each: int = 8) -> dict[str, int]:
    """SIGKILL at random moments, before, while and after photos are worked on; more photos every time."""
    random_ = random.Random(seed)
    contents: dict[str, bytes] = {}
    deleting = "--delete" in watched.arguments
    torn = 0

    def add(number: int, k: int) -> None:
        path = photo(watched.photos / f"{number:04}-{k}.jpg", f"photo {number} {k} " + "x" * 20_000)
        contents[path.name] = path.read_bytes()

    for number in range(count):
        for k in range(each):
            add(number, k)
        watched.start()
        time.sleep(random_.uniform(0.0, 2.5))
        watched.kill()
        torn += sum(content != EXPECTED + contents[name] for name, content in watched.outputs().items())
    add(count, 0)  # so that the last one is at work, and listens to signals, before it is stopped
    watched.start()
    eventually(lambda: len(watched.outputs()) >= len(contents) and _idle(watched, deleting), 600)
    watched.stop()
    left = {path.name: path.read_bytes() for path in watched.photos.iterdir()}
    changed = sum(contents[name] != content for name, content in left.items())
    counted = wrong(watched, _edited(contents))
    return {
        **counted,
        "torn": counted["torn"] + torn,
        "originals changed": changed + (0 if deleting else len(contents) - len(left)),
        "quarantined": len(watched.quarantined()),
        "of kills": count,
        "of photos": len(contents),
        "of computed again": len(watched.computed) - len(contents),
    }


def _idle(watched: Watched, deleting: bool) -> bool:
    return not deleting or not any(watched.photos.iterdir())


def slow_writers(watched: Watched, count: int, *, pauses: int = 3, pause: float = 0.3) -> dict[str, int]:
    """Files that grow by a kilobyte and then pause for longer than they must rest."""
    contents = {
        f"slow-{n}.jpg": f"photo {n} ".encode() + b"s" * 1024 * pauses + b" END" for n in range(count)
    }
    early = 0
    for part in range(pauses + 1):
        for name, content in contents.items():
            with (watched.photos / name).open("ab") as file:
                file.write(
                    content[part * 1024 : (part + 1) * 1024] if part < pauses else content[pauses * 1024 :]
                )
        if part < pauses:
            time.sleep(pause)
            early += len(watched.outputs())
    eventually(lambda: len(watched.outputs()) == count, 120)
    return {**wrong(watched, _edited(contents)), "taken early": early, "of files": count}


def burst(watched: Watched, count: int) -> dict[str, int]:
    """Many files at once, half of them renamed from a temporary name."""
    contents = {}
    for number in range(count):
        path = watched.photos / f"d{number % 7}" / f"{number}.jpg"
        written = photo(path.with_suffix(".part") if number % 2 else path, f"photo {number}")
        contents[f"d{number % 7}/{number}.jpg"] = written.read_bytes()
        if number % 2:
            written.rename(path)
    eventually(lambda: watched.kinds().count("done") >= count, 60 + count / 5)
    return {**wrong(watched, _edited(contents)), "of files": count}


def rename_storm(watched: Watched, count: int, *, settle: float, renames: int = 15) -> dict[str, int]:
    """Files that are renamed again and again, faster than they may rest (`settle` seconds). Where the machine
    was too slow for that, a file may be edited under the name that it had for so long."""
    born = dict.fromkeys((watched.photos / f"{n}-0.jpg" for n in range(count)), time.monotonic())
    for number, path in enumerate(born):
        photo(path, f"photo {number}")
    rested: dict[str, bytes] = {}
    for turn in range(1, renames + 1):
        before, born = born, {}
        for path, since in before.items():
            now = time.monotonic()
            new = path.rename(path.with_name(f"{path.stem.split('-')[0]}-{turn}.jpg"))
            born[new] = now
            if time.monotonic() - since >= settle:
                rested[path.name] = new.read_bytes()
        time.sleep(0.02)
    contents = {path.name: path.read_bytes() for path in born}
    eventually(lambda: set(contents) <= set(watched.outputs()), 120)
    also = {name: content for name, content in rested.items() if name in watched.outputs()}
    return {**wrong(watched, _edited(contents | also)), "of renames": count * renames, "of rested": len(also)}


def full_disk(watched: Watched, count: int, grow: Callable[[], None]) -> dict[str, int]:
    """More photos than the output's disk holds; `grow` makes room."""
    contents = {}
    for number in range(count):
        path = photo(watched.photos / f"{number}.jpg", f"photo {number} " + "f" * 40_000)
        contents[path.name] = path.read_bytes()
    eventually(lambda: "paused" in watched.kinds(), 60)
    time.sleep(2.0)
    early = len(watched.outputs())
    grow()
    eventually(lambda: len(watched.outputs()) == count, 120)
    counted = wrong(watched, _edited(contents))
    said = [kind for kind in watched.kinds() if kind in ("paused", "resumed")]
    again = sum(one == other for one, other in pairwise(said))
    counted |= {"quarantined": len(watched.quarantined()), "pauses said again": again}
    return {**counted, "of photos": count, "of written before": early}


def read_only(watched: Watched, count: int, forbid: Callable[[bool], None]) -> dict[str, int]:
    """Nothing can be made in the output folder for a while."""
    contents = {}
    for number in range(count):
        path = photo(watched.photos / f"{number}.jpg", f"photo {number}")
        contents[path.name] = path.read_bytes()
        if number == count // 2:
            eventually(lambda: "done" in watched.kinds(), 60)
            forbid(True)
    eventually(lambda: "paused" in watched.kinds(), 60)
    time.sleep(1.0)
    forbid(False)
    eventually(lambda: len(watched.outputs()) == count, 120)
    counted = wrong(watched, _edited(contents))
    return {**counted, "quarantined": len(watched.quarantined()), "of photos": count}


def vanishing(watched: Watched, count: int, *, seed: int = 0) -> dict[str, int]:
    """Half of the files are removed at random moments after they came."""
    random_ = random.Random(seed)
    contents, doomed = {}, []
    for number in range(count):
        path = photo(watched.photos / f"{number}.jpg", f"photo {number}")
        if number % 2:
            doomed.append((time.monotonic() + random_.uniform(0, 0.5), path))
        else:
            contents[path.name] = path.read_bytes()
        for due, gone in list(doomed):
            if time.monotonic() >= due:
                gone.unlink()
                doomed.remove((due, gone))
    for _, gone in doomed:
        gone.unlink()
    eventually(lambda: set(contents) <= set(watched.outputs()), 120)
    time.sleep(0.3)
    found = watched.outputs()
    half = [name for name, content in found.items() if content[-4:] != b" END"]
    lost = len(contents.keys() - found.keys())
    return {"lost": lost, "torn": len(half), "quarantined": len(watched.quarantined()), "of files": count}


def poison(watched: Watched, count: int) -> dict[str, int]:
    """One poison file of each kind among good ones."""
    contents = {}
    for number in range(count):
        path = photo(watched.photos / f"{number}.jpg", f"photo {number}")
        contents[path.name] = path.read_bytes()
    words = ("crash", "hang", "memory", "bug")
    for word in words:
        photo(watched.photos / f"{word}.jpg", f"{word} it")
    (watched.photos / "empty.jpg").touch()
    (watched.photos / "folder.jpg").mkdir()
    os.mkfifo(watched.photos / "pipe.jpg")
    (watched.photos / "link.jpg").symlink_to("nowhere.jpg")
    eventually(lambda: watched.kinds().count("quarantined") == len(words) + 1, 240)
    eventually(lambda: len(watched.outputs()) == count, 120)
    copies = {name for name in watched.quarantined() if not name.endswith(".reason.json")}
    missing = {f"{word}.jpg" for word in (*words, "empty")} ^ copies
    return {**wrong(watched, _edited(contents)), "wrongly quarantined": len(missing), "of good files": count}


def times_of_files(watched: Watched, count: int, *, seed: int = 0) -> dict[str, int]:
    """Files from 1970, from 2106, and with times that change while they come."""
    random_ = random.Random(seed)
    contents = {}
    for number in range(count):
        path = photo(watched.photos / f"{number}.jpg", f"photo {number}")
        for _ in range(3):
            os.utime(path, (random_.uniform(0, 4.2e9), random_.uniform(0, 4.2e9)))
        contents[path.name] = path.read_bytes()
    eventually(lambda: len(watched.outputs()) == count, 120)
    return {**wrong(watched, _edited(contents)), "of files": count}


def second_daemons(watched: InProcess, count: int) -> dict[str, int]:
    """Others that want the same output folder."""
    eventually(lambda: (watched.output / ".realedit" / "holder").exists(), 60)
    accepted = 0
    for _ in range(count):
        (watched.folder / "other").mkdir(exist_ok=True)
        other = InProcess(watched.folder / "other", arguments=("--once",))
        other.photos, other.output = watched.photos, watched.output
        other.start()
        other.process.join(60)
        text = (other.folder / "lines").read_text()
        accepted += other.process.exitcode != 2 or "another realedit" not in text
    return {"accepted": accepted, "of tries": count}
