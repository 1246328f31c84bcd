"""A studio in a process of its own, and a browser on it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.realedit.studio.working import tiny

CHROMIUM = Path("/usr/bin/chromium")
LONGEST = 180.0  # seconds: of a busy machine


class Served:
    """`realedit studio` as a person starts it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "realedit", "studio", "--no-browser", "--device", "cpu"]
        self._command = [*command, "--work", str(folder / "work"), *arguments]
        self.cookies: Any = None  # of a browser that has entered
        self.guests = 0
        self.start()

    def start(self, *arguments: str) -> None:
        """Start it; `link` opens it, once."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "REALEDIT_CACHE": str(self.folder / "cache")}
        self.process = subprocess.Popen(
            [*self._command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=environment, cwd=Path(__file__).parents[3],
        )  # fmt: skip
        assert self.process.stdout is not None
        self.link = self.process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/enter/[\w-]{40,}", self.link), self.link

    def worker(self) -> int:
        """The process that owns the model."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return next(
            int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )

    def kill(self) -> None:
        """As a crash does."""
        self.process.send_signal(signal.SIGKILL)
        self._ended()

    def end(self) -> None:
        """As Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        try:
            self._ended(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def _ended(self, seconds: float | None = None) -> None:
        self.process.wait(seconds)
        assert self.process.stdout is not None
        self.process.stdout.close()


class Page:
    """A tab; whatever its console says, or it asks of another host, is kept in `wrong`."""

    def __init__(self, tab: Any) -> None:
        self.tab, self.wrong = tab, list[str]()
        tab.on("console", lambda said: self._said(said))
        tab.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        tab.on("request", lambda request: self._asked(request.url))

    def _said(self, said: Any) -> None:
        if said.type in ("error", "warning"):
            self.wrong.append(f"{said.type}: {said.text} {said.location}")

    def _asked(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "blob:http://127.0.0.1:")):
            self.wrong.append(f"asked {url}")

    def enter(self, link: str) -> None:
        """Open the link."""
        self.tab.goto(link)
        self.until("globalThis.studio?.state.options && studio.styles.length")

    def get(self, expression: str) -> Any:
        """A value of the page's."""
        return self.tab.evaluate(expression)

    def until(self, expression: str) -> None:
        """Wait for something. (Playwright's own waiting needs `eval`, which the page's policy forbids.)"""
        end = time.monotonic() + LONGEST
        while not self._is(expression):
            assert time.monotonic() < end, f"never: {expression}; {self.wrong}"
            self.tab.wait_for_timeout(50)

    def _is(self, expression: str) -> bool:
        from playwright.sync_api import Error

        try:
            return bool(self.get(f"Boolean({expression})"))
        except Error as error:
            if "context was destroyed" in str(error):  # the page is just loading
                return False
            raise

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a photo pixel is in the window."""
        box = self.get("(() => { const r = studio.stage.getBoundingClientRect(); return [r.x, r.y]; })()")
        place = self.get(f"studio.view.toScreen({x}, {y})")
        return box[0] + place[0], box[1] + place[1]

    def pull(self, start: tuple[float, float], end: tuple[float, float], *, moves: int = 6) -> None:
        """With the mouse, from one photo pixel to another."""
        (x0, y0), (x1, y1) = self.at(*start), self.at(*end)
        self.tab.mouse.move(x0, y0)
        self.tab.mouse.down()
        for i in range(1, moves + 1):
            self.tab.mouse.move(x0 + (x1 - x0) * i / moves, y0 + (y1 - y0) * i / moves)
        self.tab.mouse.up()

    def settled(self) -> None:
        """Until the full paste of what was done is on the screen, and nothing is under way."""
        self.until(
            "!studio.state.running && !studio.state.progress && !studio.view.patch"
            " && studio.view.whole.after?.revision === studio.state.photo.revision"
        )


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: pip install playwright"
    )
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}, in which the studio's page is tried: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A studio with a tiny model."""
    folder = tmp_path_factory.mktemp("studio")
    made = Served(folder, "--model", str(tiny(folder)))
    yield made
    made.end()


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Page]]:
    """Opens tabs of one browser profile; none may have anything to complain of."""
    pages: list[Page] = []
    contexts: list[Any] = []

    def open_page(*, context: Any = None, **options: Any) -> Page:
        if context is None:
            context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
            contexts.append(context)
        pages.append(Page(context.new_page()))
        return pages[-1]

    yield open_page
    wrong = [said for page in pages for said in page.wrong]
    for context in contexts:
        context.close()
    assert wrong == []
