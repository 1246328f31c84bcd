"""The worker's process: commands and questions come through a pipe, events and pictures go back."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from realedit.studio.messages import Stop
from realedit.studio.settings import EngineSettings

if TYPE_CHECKING:
    from realedit.studio.engine import Engine

log = logging.getLogger(__name__)


def main(connection: Connection, settings: EngineSettings) -> None:
    """Run until the pipe is closed; what is under way is stopped and kept then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's, which closes the pipe
    lock = threading.Lock()

    def emit(event: dict[str, Any], picture: bytes | None) -> None:
        with lock:
            try:
                connection.send((event, picture))
            except OSError:  # nobody listens any more
                log.debug("the server is gone")

    try:
        from realedit.studio.engine import Engine  # torch takes seconds, and the server needs none of it

        engine = Engine(settings, emit)
    except Exception as error:
        log.debug("the studio's worker cannot begin", exc_info=error)
        emit({"type": "failed", "text": str(error), "code": int(getattr(error, "exit_code", 1))}, None)
        return
    threading.Thread(target=_receive, args=(connection, engine), daemon=True).start()
    engine.serve()


def _receive(connection: Connection, engine: Engine) -> None:
    while True:
        try:
            kind, content = connection.recv()
        except (EOFError, OSError):
            kind, content = "end", None
        if kind == "end":
            engine.inbox.put(Stop())
            engine.inbox.put(lambda: os._exit(0))
            return
        if kind == "command":
            engine.inbox.put(content)
        elif kind == "tell":
            engine.inbox.put(engine.tell)
        else:
            number, name, arguments = content
            Answer(engine, number).to(name, arguments)


class Answer:
    """One answer to a question of the server's, from whichever thread has it."""

    def __init__(self, engine: Engine, number: int) -> None:
        self._engine, self._number = engine, number

    def to(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Ask; the answer, or what is wrong, is sent when it is there."""
        questions: dict[str, Callable[..., None]] = {
            "add": self._engine.strip.add,
            "mask": self._engine.strip.mask,
            "view": self._engine.pictures.view,
            "thumbnail": self._engine.pictures.thumbnail,
            "export": self._engine.pictures.export,
        }
        self._guarded(lambda: questions[name](*arguments, self))

    def __call__(self, make: Callable[[], Any]) -> None:
        """`make` has the answer, or raises what is wrong."""
        self._guarded(lambda: self._send(make()))

    def _send(self, value: Any) -> None:
        self._engine.emit({"type": "answer", "number": self._number, "value": value}, None)

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # the page hears of it
            text = self._engine.sentence(error)
            self._engine.emit({"type": "answer", "number": self._number, "wrong": text}, None)
