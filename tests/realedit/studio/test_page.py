"""The page in a browser, on a real server: what a person does with mouse, fingers and keys."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realedit.studio.bridge import LASTING
from tests.realedit.studio.conftest import Page, Served
from tests.realedit.studio.working import photo, tiny

Ends = tuple[np.ndarray, np.ndarray]
"""A handle and its target, photo pixels."""

READY = "studio.state.work?.quality && !studio.state.running"
QUICK = "{ ...studio.state.options, reach: 'head', steps: 3, quality: 'draft' }"
"""Short drags of a rough inversion: what comes of them does not matter here."""


@pytest.fixture
def fresh(tmp_path: Path, opened: Callable[..., Page]) -> Any:
    """A studio of one's own, entered, with its photo's one face chosen."""
    served = Served(tmp_path, str(photo(tmp_path)), "--model", str(tiny(tmp_path)))
    page = opened()
    page.enter(served.link)
    _choose(page)
    yield served, page
    served.end()


@pytest.fixture
def guest(served: Served, opened: Callable[..., Page], tmp_path: Path) -> Callable[..., Page]:
    """Opens a page of the studio that several tests use, with a photo of one's own."""

    def enter(**options: Any) -> Page:
        page = opened(storage_state=served.cookies, **options)
        page.enter(served.link if served.cookies is None else served.link.split("enter/")[0])
        served.cookies = page.tab.context.storage_state()
        served.guests += 1
        mine = photo(tmp_path, seed=served.guests)
        page.tab.set_input_files("#file", mine)
        found = f"studio.state.photos.find(({{ name }}) => name === '{mine.name}')"
        page.until(found)
        page.get(f"studio.send('show', {{ photo: {found}.id }})")
        page.until(f"studio.state.photo?.name === '{mine.name}'")
        return page

    return enter


def _choose(page: Page) -> None:
    page.until("studio.state.photo?.faces.length && studio.view.whole.after")
    page.get(f"studio.send('configure', {QUICK})")
    page.tab.mouse.click(*page.at(48, 40))
    page.until(READY)


def _shift_pull(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.tab.keyboard.down("Shift")
    page.pull(start, end, moves=2)
    page.tab.keyboard.up("Shift")


def test_a_person_edits_a_photo(fresh: tuple[Served, Page], tmp_path: Path) -> None:
    """Open, drag live, points, start and stop, mask, undo, history, compare, export."""
    _, page = fresh
    page.tab.set_input_files("#file", photo(tmp_path, seed=1))
    page.until("studio.state.photos.length === 2")
    page.until("studio.state.photos[1].faces.length")
    page.tab.click(".frame:nth-child(1) > button:first-child")
    page.until(f"studio.state.photo.name === 'photo0.png' && {READY}")

    page.pull((48, 40), (54, 41))
    page.until("studio.state.work.at === 1")
    assert page.get("studio.times.pictures.length") > 0, "pictures came while it was dragged"
    page.settled()

    _shift_pull(page, (40, 30), (44, 33))
    page.until("studio.state.work.points.length === 1")
    page.tab.keyboard.down("Shift")
    for place in ((60, 50), (57, 52)):  # a click for the handle, one for the target
        page.tab.mouse.click(*page.at(*place))
    page.tab.keyboard.up("Shift")
    page.until("studio.state.work.points.length === 2")
    page.tab.keyboard.press("Delete")
    page.until("studio.state.work.points.length === 1")
    page.tab.click("#start")
    page.until("studio.state.running === 'run' || studio.state.work.at === 2")
    page.tab.keyboard.press("Escape")
    page.until("studio.state.work.at === 2 && !studio.state.running")
    assert page.tab.inner_text("#start") == "Continue"
    page.tab.click("#start")
    page.until("studio.state.work.at === 3 && !studio.state.running")
    page.tab.click("#clear")
    page.until("!studio.state.work.points.length")

    page.tab.keyboard.press("m")
    page.pull((40, 30), (60, 50))
    page.until("studio.state.work.mask")
    page.tab.click("#mask-clear")
    page.until("!studio.state.work.mask")
    page.tab.keyboard.press("v")

    page.tab.keyboard.press("Control+z")
    page.until("studio.state.work.at === 2")
    page.tab.click("#redo")
    page.until("studio.state.work.at === 3")
    page.tab.click("#history li:nth-child(1) button")
    page.until("studio.state.work.at === 0")
    page.tab.click("#history li:nth-child(4) button")
    page.until("studio.state.work.at === 3")
    page.settled()

    page.tab.click("#split")
    page.until("studio.view.whole.before && studio.view.divider === 0.5")
    page.tab.click("#split")
    after = _middle(page)
    page.tab.keyboard.down("b")
    page.until("studio.view.comparing")
    page.tab.wait_for_timeout(200)
    before = _middle(page)
    page.tab.keyboard.up("b")
    assert before != after

    page.tab.click("#export")
    with page.tab.expect_download() as download:
        page.tab.click("#export-go")
    assert download.value.suggested_filename == "photo0-edited.png"
    saved = tmp_path / "saved.png"
    download.value.save_as(saved)
    (session,) = (tmp_path / "work").glob("*/0/session")
    _same_as_the_command_line(session, tmp_path / "photo0.png", saved)


def _middle(page: Page) -> bytes:
    """What is on the screen in the middle of the stage, without its surroundings."""
    x, y = page.at(48, 40)
    shot: bytes = page.tab.screenshot(clip={"x": x - 60, "y": y - 60, "width": 120, "height": 120})
    return shot


def _same_as_the_command_line(session: Path, source: Path, saved: Path) -> None:
    theirs = saved.with_name("theirs.png")
    arguments = ["paste", str(session), "--photo", str(source), "-o", str(theirs), "--device", "cpu"]
    done = subprocess.run([sys.executable, "-m", "realedit", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert saved.read_bytes() == theirs.read_bytes()


def test_reload_and_kill_lose_nothing(fresh: tuple[Served, Page], opened: Callable[..., Page]) -> None:
    served, page = fresh
    page.pull((48, 40), (54, 41))
    page.until("studio.state.work.at === 1")
    x, y = page.at(40, 40)
    page.tab.mouse.move(x, y)
    page.tab.mouse.down()
    page.tab.mouse.move(x + 30, y, steps=3)
    page.until("studio.view.patch")
    page.tab.reload()  # in the middle of a drag, which ends where it is
    page.until("globalThis.studio?.state.work?.at === 2 && !studio.state.running")
    assert page.get("studio.state.work.history.length") == 3
    served.kill()
    page.wrong.clear()  # a browser says that the server is gone
    served.start()
    again = opened()
    again.enter(served.link)
    again.until("studio.state.work?.at === 2")
    assert again.get("studio.state.photo.name") == "photo0.png"
    again.tab.keyboard.press("Control+z")
    again.until("studio.state.work.at === 1")
    page.tab.close()
    page.wrong.clear()


def test_a_second_tab_waits_and_goes_on(
    served: Served, guest: Callable[..., Page], opened: Callable[..., Page]
) -> None:
    page = guest()
    _choose(page)
    second = opened(context=page.tab.context)
    second.tab.goto(served.link.split("/enter/")[0] + "/")
    second.until("globalThis.studio && !document.getElementById('curtain').hidden")
    assert "another tab" in second.tab.inner_text("#curtain")
    page.tab.close()
    second.until("document.getElementById('curtain').hidden && studio.state.work?.quality")


def test_a_dead_worker_is_started_again(fresh: tuple[Served, Page]) -> None:
    served, page = fresh
    page.pull((48, 40), (54, 41))
    page.until("studio.state.work.at === 1")
    page.settled()
    page.until("[...document.images].every((each) => each.complete)")  # the browser waits for nothing
    worker = served.worker()
    while _age(worker) < LASTING + 1:  # a worker that dies sooner is not started again
        page.tab.wait_for_timeout(100)
    os.kill(worker, signal.SIGKILL)
    page.until("document.getElementById('toasts').textContent.includes('worker was started again')")
    page.until("studio.state.work?.at === 1")
    page.tab.keyboard.press("Control+z")
    page.until("studio.state.work.at === 0")


def _age(pid: int) -> float:
    """Seconds that a process has lived."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    begun = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return float(Path("/proc/uptime").read_text().split()[0]) - begun


@pytest.mark.parametrize("ratio", [1, 2])
def test_the_pixel_that_is_clicked_is_the_handle(guest: Callable[..., Page], ratio: int) -> None:
    """At several zoom levels, with the photo somewhere else each time."""
    page = guest(device_scale_factor=ratio, viewport={"width": 1111, "height": 777})
    _choose(page)
    page.tab.keyboard.press("p")
    random = np.random.default_rng(ratio)
    wanted: list[Ends] = []
    for zoom in (None, 1.0, 2.5, 7.3):
        if zoom is not None:
            page.get(f"studio.view.zoomTo({zoom}, {random.uniform(300, 600)}, {random.uniform(200, 400)})")
        handle, target = _free(page, random, wanted)
        places = [page.at(*each) for each in (handle, target)]
        if not all(60 < x < 800 and 60 < y < 660 for x, y in places):
            page.get("studio.view.fit()")
            handle, target = _free(page, random, wanted)
        page.pull(tuple(handle), tuple(target), moves=3)
        wanted.append((handle, target))
        page.until(f"studio.state.work.points.length === {len(wanted)}")
    points = page.get("studio.state.work.points")
    for point, (handle, target) in zip(points, wanted, strict=True):
        assert np.abs(np.array(point["handle"]) - handle).max() < 0.5
        assert np.abs(np.array(point["target"]) - target).max() < 0.5
    drawn = page.get("[studio.view.canvas.width, studio.view.width * studio.view.ratio]")
    assert abs(drawn[0] - drawn[1]) <= 0.5, "the canvas has the screen's own pixels"


def _free(page: Page, random: np.random.Generator, taken: list[Ends]) -> Ends:
    """A handle beside the ends that are there, which a press would take, and a target off it."""
    near = 14 / page.get("studio.view.scale")
    others: np.ndarray = np.array(taken, float).reshape(-1, 2)
    while True:
        handle, target = random.uniform(30, 60, (2, 2))
        away = np.hypot(*(others - handle).T)
        if away.min(initial=np.inf) > near and np.hypot(*(target - handle)) > near / 2:
            return handle, target


def test_everything_by_keyboard(guest: Callable[..., Page]) -> None:
    page = guest()
    _choose(page)
    page.tab.focus("#stage")
    page.tab.keyboard.press("ArrowRight")
    page.tab.keyboard.press("Enter")
    for _ in range(4):
        page.tab.keyboard.press("Shift+ArrowRight")
    page.tab.keyboard.press("Enter")
    page.until("studio.state.work.at === 1 && !studio.state.running")
    page.tab.keyboard.press("p")
    page.tab.keyboard.press("Enter")
    page.tab.keyboard.press("Shift+ArrowUp")
    page.tab.keyboard.press("Enter")
    page.until("studio.state.work.points.length === 1")
    nameless = page.get(
        "[...document.querySelectorAll('button, input, select')].filter((e) => !e.closest('[hidden], dialog')"
        " && !(e.ariaLabel || e.textContent.trim() || e.labels?.length || e.type === 'file'))"
        ".map((e) => e.outerHTML)"
    )
    assert nameless == []


def test_one_finger_drags_and_two_zoom(guest: Callable[..., Page]) -> None:
    page = guest(viewport={"width": 820, "height": 1180}, has_touch=True, device_scale_factor=2)
    page.until("studio.state.photo?.faces.length && studio.view.whole.after")
    page.get(f"studio.send('configure', {QUICK})")
    page.tab.touchscreen.tap(*page.at(48, 40))
    page.until(READY)
    touch = page.tab.context.new_cdp_session(page.tab)

    def fingers(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    x, y = page.at(48, 40)
    fingers("touchStart", (x, y))
    for i in range(1, 5):
        fingers("touchMove", (x + 10 * i, y))
    fingers("touchEnd")
    page.until("studio.state.work.at === 1 && !studio.state.running")
    scale = page.get("studio.view.scale")
    fingers("touchStart", (x - 40, y), (x + 40, y))
    for i in range(1, 5):
        fingers("touchMove", (x - 40 - 20 * i, y), (x + 40 + 20 * i, y))
    fingers("touchEnd")
    page.until(f"studio.view.scale > {1.5 * scale}")
    assert page.get("studio.state.work.at") == 1
    wide = page.get("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, "nothing hangs over the edge of a tablet"
