"""The studio from its start to its end: a socket on this machine, the link, the browser."""

from __future__ import annotations

import os
import socket
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path

import platformdirs
import uvicorn

from realedit.api.files import verified
from realedit.errors import RealeditError, UsageError
from realedit.plumbing.files import make_folder
from realedit.studio.server import Studio
from realedit.studio.settings import EngineSettings, StudioSettings

ADDRESS = "127.0.0.1"


class StudioError(RealeditError):
    """The studio could not be started. exit_code: that of what is wrong."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code  # type: ignore[misc]


def run(
    photos: Sequence[Path], *, port: int, browser: bool, output: Path | None, work: Path | None, model: str,
    device: str, say: Callable[[str], None],
) -> None:  # fmt: skip
    """Serve until Ctrl-C or SIGTERM. say: gets the link, once the studio answers.

    Raises what is wrong with the photos, the port, the folders or the model, before or right after the start.
    """
    for path in photos:
        verified(path)
    if output is not None:
        make_folder(output)
    folder = work or platformdirs.user_data_path("realedit") / "studio"
    listening = _bound(port)
    engine = EngineSettings(folder=folder, model=model, device=device, threads=_threads())
    studio = Studio(
        StudioSettings(engine=engine, photos=tuple(photos), output=output), listening.getsockname()[1]
    )
    server = _Server(studio, lambda: _open(studio, listening.getsockname()[1], browser=browser, say=say))
    server.run(sockets=[listening])
    if studio.bridge.failure is not None:
        text, code = studio.bridge.failure
        raise StudioError(text, code)


class _Server(uvicorn.Server):
    """uvicorn, told when it answers, and ended when the worker cannot work."""

    def __init__(self, studio: Studio, ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                studio.app,
                log_level="warning",
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                ws="websockets-sansio",
                ws_max_size=1 << 16,
                timeout_graceful_shutdown=2,
                lifespan="on",
            )
        )
        self._studio, self._ready = studio, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, then say so."""
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Whether to end."""
        ends: bool = await super().on_tick(counter)
        return ends or self._studio.bridge.ended.is_set()


def _open(studio: Studio, port: int, *, browser: bool, say: Callable[[str], None]) -> None:
    link = f"http://{ADDRESS}:{port}{studio.keys.link}"
    say(link)
    if browser:
        webbrowser.open(link)


def _bound(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((ADDRESS, port))
    except OSError as error:
        raise UsageError(
            f"port {port} of {ADDRESS} cannot be used ({error.strerror}); give another --port"
        ) from error
    return listening


def _threads() -> int:
    told = os.environ.get("OMP_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(told) if told.isdecimal() and int(told) else cores
