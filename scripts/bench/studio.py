"""How the studio feels: from the pointer's move to the picture that answers it, pictures a second, the time
to the first draggable face, and whether memory stays where it is over many drags. In Chromium, with real
moves of the mouse.

    python scripts/bench studio [--photo PHOTO] [--drags 200] [--seconds 8] [--quick] [--json FILE]

On a busy machine the times say little; the worker's own seconds per picture (steps, drawing and paste) are
nearly those of an idle one.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Error, sync_playwright

from bench.shared.measuring import Row, report, row
from realedit.cli.demo import astronaut
from realedit.plumbing.files import write_png

CHROMIUM = "/usr/bin/chromium"
PATIENCE = 300.0  # seconds
TICK = os.sysconf("SC_CLK_TCK")
CORNER = 48  # landmark: the mouth's left corner, which the generator moves
JAW = (
    "(([a, b]) => studio.view.scale * Math.hypot(b[0] - a[0], b[1] - a[1]))"
    "([0, 16].map((i) => studio.state.photo.faces[0].landmarks[i]))"
)
"""The jaw's width, pixels of the window."""
LID = 37  # landmark: on an upper lid, which slides


def main() -> None:
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="realedit-bench-") as folder:
        photo = arguments.photo or Path(folder) / "photo.png"
        if arguments.photo is None:
            write_png(photo, astronaut())
        with served(Path(folder), photo) as (link, worker), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            table = measured(page, link, worker, arguments)
            browser.close()
    report(table, f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", arguments.json)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photo", type=Path, help="a photo with a face; the astronaut without it")
    parser.add_argument("--drags", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=8.0, help="of a live drag")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.drags, arguments.seconds = 10, 4.0
    return arguments


@contextmanager
def served(folder: Path, photo: Path) -> Iterator[tuple[str, "Worker"]]:
    """A studio with a photo: its link, and its worker's process."""
    command = [sys.executable, "-m", "realedit", "studio", str(photo), "--no-browser"]
    environment = {**os.environ, "REALEDIT_CACHE": str(folder / "cache")}
    process = subprocess.Popen(
        [*command, "--work", str(folder / "work")], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), Worker(process.pid)
    finally:
        process.terminate()
        process.wait()


class Worker:
    """The process that owns the model."""

    def __init__(self, server: int) -> None:
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        self.pid = next(pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes())

    @property
    def seconds(self) -> float:
        """The processor's, so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    @property
    def megabytes(self) -> float:
        """Of memory that is its own."""
        kept = Path(f"/proc/{self.pid}/status").read_text()
        return int(kept.split("RssAnon:")[1].split()[0]) / 1024


def measured(page: Any, link: str, worker: Worker, arguments: argparse.Namespace) -> list[Row]:
    page.goto(link)
    until(page, "globalThis.studio?.state.photo?.faces.length && studio.view.whole.after")
    begun, spent = time.perf_counter(), worker.seconds
    middle = page.evaluate(
        "(() => { const c = studio.state.photo.faces[0].corners;"
        " const r = studio.stage.getBoundingClientRect();"
        " const s = studio.view.toScreen((c[0][0] + c[2][0]) / 2, (c[0][1] + c[2][1]) / 2);"
        " return [r.x + s[0], r.y + s[1]]; })()"
    )
    page.mouse.click(*middle)
    until(page, "studio.state.work?.quality")
    table = [
        row("first draggable face", time.perf_counter() - begun, "s", 3.0),
        row("first draggable face, the worker's own seconds", worker.seconds - spent, "s"),
    ]
    until(page, "studio.state.work.quality === 'standard'")
    for name, landmark in (("the generator's", CORNER), ("a lid's", LID)):
        table += live(page, worker, name, landmark, arguments.seconds)
    return table + memory(page, worker, arguments.drags)


def live(page: Any, worker: Worker, name: str, landmark: int, seconds: float) -> list[Row]:
    """A drag that goes around, with a move every 16 ms."""
    x, y = place(page, landmark)
    unit = page.evaluate(JAW) / 12
    page.evaluate("studio.times.answers.length = studio.times.pictures.length = 0")
    spent, begun = worker.seconds, time.perf_counter()
    page.mouse.move(x, y)
    page.mouse.down()
    while (now := time.perf_counter() - begun) < seconds:
        page.mouse.move(x - unit * (1 - np.cos(2 * now)) * 0.5, y + unit * (1 - np.cos(1.3 * now)) * 0.4)
        page.wait_for_timeout(16)
    answers = page.evaluate("studio.times.answers.map((each) => each.ms)")
    shown = page.evaluate("studio.times.pictures")
    page.mouse.up()
    until(page, "!studio.state.running && !studio.view.patch")
    rate = (len(shown) - 1) / max(1e-3, (shown[-1] - shown[0]) / 1000)
    return [
        row(f"{name} drag: move to picture, median", statistics.median(answers), "ms", 100.0),
        row(f"{name} drag: move to picture, 95th percentile", float(np.quantile(answers, 0.95)), "ms"),
        row(f"{name} drag: pictures a second", rate, "1/s", 8.0, least=True),
        row(
            f"{name} drag: the worker's own time per picture",
            1000 * (worker.seconds - spent) / len(shown),
            "ms",
        ),
    ]


def memory(page: Any, worker: Worker, drags: int) -> list[Row]:
    """What the worker has after a tenth of the drags, and after all of them."""
    early = worker.megabytes
    x, y = place(page, CORNER)
    for number in range(drags):
        at = page.evaluate("studio.state.work.at")
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 3, y - 2 + number % 4)
        page.mouse.up()
        until(page, f"studio.state.work.at > {at} && !studio.state.running")
        page.keyboard.press("Control+z")
        until(page, f"studio.state.work.at === {at}")
        if number == drags // 10:
            early = worker.megabytes
    return [
        row(f"memory after {drags // 10} drags", early, "MB"),
        row(f"memory that {drags} drags add to it", worker.megabytes - early, "MB", 40.0),
    ]


def place(page: Any, landmark: int) -> tuple[float, float]:
    """Where a landmark is in the window."""
    x, y = page.evaluate(
        "((l) => { const r = studio.stage.getBoundingClientRect(); const s = studio.view.toScreen(...l);"
        f" return [r.x + s[0], r.y + s[1]]; }})(studio.state.photo.faces[0].landmarks[{landmark}])"
    )
    return float(x), float(y)


def until(page: Any, expression: str) -> None:
    """Wait for something on the page."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            if page.evaluate(f"Boolean({expression})"):
                return
        except Error as error:
            if "context was destroyed" not in str(error):
                raise
        if time.monotonic() > end:
            raise SystemExit(f"it never came: {expression}")
        page.wait_for_timeout(20)
