"""The engine on `fakework` in this process, and what its tests share."""

import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from realedit.batch.engine import Engine
from realedit.batch.events import Counts, Happening
from realedit.batch.ledger import Ledger
from realedit.batch.outputs import Outputs
from realedit.batch.running import FolderRequest
from realedit.batch.settings import EngineSettings
from realedit.batch.wake import Wake
from realedit.batch.work import Event, Stopped, Task, Trouble, Work, attempts
from tests.realedit.batch.fakework import CrashError, FakeWork


def photo(path: Path, text: str = "") -> Path:
    """A whole photo; its own name makes it different from others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(f"{text or 'photo ' + path.name} END".encode("utf-8", "surrogateescape"))
    return path


class InlinePool:
    """A `Pool` without processes: a task is done when somebody waits for it."""

    def __init__(self, work: Work, slots: int = 2) -> None:
        self._run, self._slots = work.open(1), slots
        self._tasks: deque[list[Task]] = deque()
        self.closed = False

    @property
    def workers(self) -> int:
        return self._slots

    @property
    def free(self) -> int:
        return self._slots - len(self._tasks)

    def submit(self, tasks: Sequence[Task]) -> None:
        assert self.free and tasks
        self._tasks.append(list(tasks))

    def wait(self, seconds: float, wake: int | None = None) -> Iterator[Event]:
        if not self._tasks:
            time.sleep(min(seconds, 0.01))
            return
        tasks = self._tasks.popleft()
        left = {task.id for task in tasks}
        try:
            for event in attempts(self._run, tasks, lambda _: lambda *_: None):
                left.remove(event.id)
                yield event
        except CrashError as error:
            trouble = Trouble.CRASHED if str(error) == "crash" else Trouble.HUNG
            for number in left:
                yield Stopped(number, trouble, f"the worker {error}ed")

    def renew(self, work: Work) -> None:
        self._run = work.open(1)

    def close(self) -> None:
        self.closed = True
        self._tasks.clear()


@dataclass
class Bench:
    """The engine on a folder `in` and an output `out` below `folder`."""

    folder: Path
    work: FakeWork = field(default_factory=lambda: FakeWork(inline=True))
    settings: EngineSettings = field(default_factory=EngineSettings)
    settle: float = 0.0
    happenings: list[Happening] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.photos, self.output = self.folder / "in", self.folder / "out"
        self.photos.mkdir(exist_ok=True)
        self.output.mkdir(exist_ok=True)
        self.log = self.folder / "computed"
        self.log.touch()
        self.work = replace(self.work, log=self.log)

    @property
    def computed(self) -> list[str]:
        """Contents in the order in which they were computed."""
        return self.log.read_text().split()

    def engine(self, **parts: object) -> Engine:
        request = FolderRequest(
            folder=self.photos,
            output=self.output,
            recursive=True,
            settle=self.settle,
            settings=self.settings,
        ).resolved()
        usual = {
            "intake": request.intake(),
            "ledger": Ledger(self.output),
            "outputs": Outputs(request.output),
            "pool": InlinePool(self.work),
            "work": self.work,
            "settings": self.settings,
            "show": self.happenings.append,
        }
        return Engine(**{**usual, **parts})  # type: ignore[arg-type]

    def run(self, **parts: object) -> Counts:
        """To the end; the ledger is closed."""
        self.happenings.clear()
        engine = self.engine(**parts)
        try:
            return engine.run()
        finally:
            engine.ledger.close()

    def started(self, **parts: object) -> tuple[Engine, threading.Thread]:
        """In a thread, with a ledger of its own there; stop it with `stop` and join."""
        self.happenings.clear()
        wake = Wake()
        made: list[Engine] = []
        ready = threading.Event()

        def run() -> None:
            made.append(self.engine(wake=wake, **parts))
            ready.set()
            made[0].run()
            made[0].ledger.close()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        assert ready.wait(120)
        return made[0], thread

    def kinds(self) -> list[str]:
        return [happening.kind for happening in self.happenings]

    def outputs(self) -> dict[str, bytes]:
        """Every visible file of the output folder but the quarantine's; attempts come and go beside them."""
        found = {}
        for folder, folders, names in os.walk(self.output):
            hidden = [name for name in folders if name.startswith(".realedit") or name == "quarantine"]
            for name in hidden:
                folders.remove(name)
            paths = [Path(folder, name) for name in names]
            found |= {str(path.relative_to(self.output)): path.read_bytes() for path in paths}
        return found

    def left_behind(self) -> int:
        """Folders of attempts that are over."""
        folders = [name for _, folders, _ in os.walk(self.output) for name in folders]
        return sum(name.startswith(".realedit-") for name in folders)

    def quarantined(self) -> dict[str, bytes]:
        folder = self.output / "quarantine"
        return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def eventually(condition: object, seconds: float = 120.0) -> None:
    """Wait until a condition holds; fail after so many seconds."""
    assert callable(condition)
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)
