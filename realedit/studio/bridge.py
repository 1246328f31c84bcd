"""The server's end of the worker: it starts it, asks it, hears from it, and starts it again where it dies."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import queue
import threading
from collections.abc import Callable
from typing import Any

from realedit.errors import RealeditError
from realedit.studio.messages import Commands
from realedit.studio.settings import EngineSettings
from realedit.studio.worker import main

log = logging.getLogger(__name__)

Hear = Callable[[dict[str, Any], bytes | None], None]
LASTING = 5.0  # seconds: a worker that dies sooner is not started again


class WrongError(RealeditError):
    """What the worker says is wrong with a question, in a sentence for the person."""


class Bridge:
    """One worker process. Everything but the threads' own is called in the event loop's thread."""

    def __init__(self, settings: EngineSettings, hear: Hear) -> None:
        """hear: gets each event, and the picture that goes with it, in the event loop's thread."""
        self._settings, self._hear = settings, hear
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._closing = False
        self.failure: tuple[str, int] | None = None
        self.ended = asyncio.Event()

    def start(self) -> None:
        """Start the worker; call it in the event loop."""
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(
            target=main, args=(other, self._settings), name="realedit studio", daemon=True
        )
        self._process.start()
        other.close()
        self._out: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=_write, args=(self._pipe, self._out), daemon=True).start()
        threading.Thread(target=self._read, args=(self._pipe,), daemon=True).start()

    @property
    def pid(self) -> int | None:
        """The worker's process."""
        return self._process.pid

    def send(self, command: Commands) -> None:
        """A command of the page's."""
        self._out.put(("command", command))

    def tell(self) -> None:
        """Ask for the whole state."""
        self._out.put(("tell", None))

    async def ask(self, name: str, *arguments: Any) -> Any:
        """A question's answer. Raises WrongError with what the person should know."""
        self._number += 1
        future: asyncio.Future[Any] = self._loop.create_future()
        self._asked[self._number] = future
        self._out.put(("ask", (self._number, name, arguments)))
        return await future

    def close(self) -> None:
        """End the worker; it keeps what is under way."""
        self._closing = True
        self._out.put(("end", None))
        self._out.put(None)
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()

    def _read(self, pipe: Any) -> None:
        while True:
            try:
                event, picture = pipe.recv()
            except (EOFError, OSError):
                break
            self._loop.call_soon_threadsafe(self._heard, event, picture)
        if not self._closing:
            self._loop.call_soon_threadsafe(self._died)

    def _heard(self, event: dict[str, Any], picture: bytes | None) -> None:
        if event["type"] == "failed":
            self.failure = (event["text"], event["code"])
        elif event["type"] == "answer":
            future = self._asked.pop(event["number"], None)
            if future is None or future.done():
                return
            if "wrong" in event:
                future.set_exception(WrongError(event["wrong"]))
            else:
                future.set_result(event["value"])
        else:
            self._hear(event, picture)

    def _died(self) -> None:
        if self._closing:
            return
        self._process.join(1)
        for future in self._asked.values():
            if not future.done():
                future.set_exception(WrongError("the studio's worker ended; what was done before is kept"))
        self._asked.clear()
        if self.failure is not None or self._loop.time() - self._begun < LASTING:
            self.failure = self.failure or ("the studio's worker ended as soon as it began", 1)
            self.ended.set()
            return
        log.warning("the studio's worker ended (%s) and is started again", self._process.exitcode)
        self.start()
        self._hear({"type": "notice", "kind": "warning", "text": "the worker was started again"}, None)
        self.tell()


def _write(pipe: Any, out: queue.SimpleQueue[Any]) -> None:
    while (item := out.get()) is not None:
        try:
            pipe.send(item)
        except OSError:
            return
