"""Work that takes milliseconds, on photos that are lines of text, with every fault on demand.

A photo is whole when it ends in `END`; its first word says what happens to it. Workers import this module
alone, so that they start in a moment.
"""

import hashlib
import logging
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from realedit.batch.work import OnStage, Outcome, Run, Task


class CrashError(BaseException):
    """What `crash` raises where there is no process of its own to kill."""


@dataclass(frozen=True)
class Prepared:
    """A photo that was read."""

    task: Task
    content: bytes
    tell: OnStage


@dataclass(frozen=True)
class FakeWork:
    """Prefixes a photo's text. log: a file that gets a line per computed photo, and
    beside it `.shared` one per group of several; inline: crash and hang by
    raising, for workers that are no processes; compare: it writes a comparison too."""

    prefix: str = "edited"
    seconds: float = 0.0
    log: Path | None = None
    inline: bool = False
    compare: bool = False

    @property
    def key(self) -> str:
        return hashlib.sha256(self.prefix.encode()).hexdigest()

    def beside(self, output: Path) -> tuple[Path, ...]:
        return (output.with_name(f"{output.name}.compare"),) if self.compare else ()

    def open(self, threads: int) -> Run:
        return self

    def prepare(self, task: Task, on_stage: OnStage) -> Prepared:
        content = task.photo.read_bytes()
        if not content.endswith(b"END"):
            from realedit.errors import PhotoError

            raise PhotoError(f"cannot read {task.photo}: cut short")
        on_stage("read", 0, 0)
        return Prepared(task, content, on_stage)

    def share(self, prepared: Sequence[Prepared]) -> Sequence[Prepared]:
        for each in prepared:
            word = each.content.split(b" ")[0]
            if word in (b"crash", b"hang") and b"shared" in each.content:
                self._misbehave(each.content, each.task)
            if word == b"large":
                raise MemoryError("too large for many")
        if self.log is not None and len(prepared) > 1:
            with self.log.with_suffix(".shared").open("a") as log:
                log.write(f"{len(prepared)}\n")
        return prepared

    def finish(self, prepared: Prepared) -> Outcome:
        task, content = prepared.task, prepared.content
        prepared.tell("drag", 1, 2)
        self._misbehave(content, task)
        time.sleep(self.seconds)
        result = self.expected(content)
        task.output.write_bytes(result)
        for path in self.beside(task.output):
            path.write_bytes(content + b" and " + result)
        if self.log is not None:
            with self.log.open("ab") as log:
                log.write(hashlib.sha256(content).hexdigest().encode() + b"\n")
        read_back = hashlib.sha256(task.output.read_bytes()).hexdigest()
        return Outcome(
            content=hashlib.sha256(content).hexdigest(), sha256=read_back, timings={"drag": self.seconds}
        )

    def expected(self, content: bytes) -> bytes:
        """The output for a photo."""
        return self.prefix.encode() + b" " + content

    def _misbehave(self, content: bytes, task: Task) -> None:
        word = content.split(b" ")[0]
        if word == b"crash" and not self.inline:
            os.kill(os.getpid(), signal.SIGSEGV)
        elif word == b"hang" and not self.inline:
            time.sleep(3600)
        elif word in (b"crash", b"hang"):
            raise CrashError(word.decode())
        elif word == b"once":  # dies the first time
            marker = task.photo.with_name("." + task.photo.name)
            if not marker.exists():
                marker.touch()
                if self.inline:
                    raise CrashError("crash")
                os.kill(os.getpid(), signal.SIGKILL)
        elif word == b"warn":
            logging.getLogger("of a worker").warning("a %s", "warning")
        elif word == b"memory":
            raise MemoryError
        elif word == b"bug":
            raise ValueError("a bug")
        elif word == b"noface":
            from realedit.errors import NoFaceError

            raise NoFaceError(f"{task.photo}: no face was found")


@dataclass(frozen=True)
class Unable:
    """Work that cannot begin: an expected error, or death."""

    dies: bool
    key: str = ""

    def beside(self, output: Path) -> tuple[Path, ...]:
        return ()

    def open(self, threads: int) -> Run:
        if self.dies:
            os._exit(3)
        from realedit.errors import CheckpointError

        raise CheckpointError("there is no such model")
