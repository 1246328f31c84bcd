"""The page with the slider: self-contained, and it works by mouse, touch and keyboard in a real browser."""

import base64
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from realedit.compare import Pair
from realedit.compare.slider import figure, write_page, write_slider
from tests.realedit.samples import smooth_picture

PAIR = Pair(smooth_picture(160, 120, seed=1), smooth_picture(160, 120, seed=2))
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    write_slider(tmp_path / "a.html", PAIR)
    return tmp_path / "a.html"


def test_the_page_holds_both_pictures_and_asks_for_nothing(page: Path) -> None:
    text = page.read_text()
    for wanted, data in zip(
        (PAIR.before, PAIR.after), re.findall(r'src="data:image/jpeg;base64,([^"]+)"', text), strict=True
    ):
        shown = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert np.abs(shown[..., ::-1].astype(int) - wanted).mean() < 10
    assert not re.search(r"https?://|<link|@import|url\(", text)
    assert "default-src 'none'" in text


def test_names_and_captions_are_escaped(tmp_path: Path) -> None:
    names = ("<b>", '"after"')
    write_page(
        tmp_path / "a.html", [figure(PAIR, names=names, caption="<script>", note="a & b")], title="<i>"
    )
    text = (tmp_path / "a.html").read_text()
    assert text.count("<script>") == 1, "ours"
    assert "<b>" not in text and "<i>" not in text and 'alt="&quot;after&quot;"' in text


def test_pages_link_to_each_other(tmp_path: Path) -> None:
    write_page(tmp_path / "a.html", [], title="a", before="b.html", after='c".html')
    text = (tmp_path / "a.html").read_text()
    assert 'href="b.html"' in text and 'href="c%22.html"' in text


@pytest.fixture
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright to drive a browser")
    if BROWSER is None:
        pytest.skip("needs Chromium")
    with api.sync_playwright() as play:
        shown = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield shown
        shown.close()


def test_the_slider_works_by_mouse_touch_and_keyboard(browser: Any, page: Path) -> None:
    context = browser.new_context(viewport={"width": 600, "height": 500}, has_touch=True)
    tab = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    box = tab.locator(".frame").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(160 / 120, rel=0.01) and box["height"] > 200
    middle = box["y"] + box["height"] / 2

    def at(share: float) -> float:
        return float(box["x"] + share * box["width"])

    def now() -> int:
        return int(tab.locator(".knob").get_attribute("aria-valuenow"))

    assert now() == 50
    tab.mouse.move(at(0.5), middle)
    tab.mouse.down()
    tab.mouse.move(at(0.8), middle + 30, steps=3)
    tab.mouse.up()
    tab.mouse.move(at(0.1), middle)
    assert now() == 80, "follows while the button is down"
    for key, wanted in (("ArrowLeft", 78), ("PageDown", 68), ("Home", 0), ("ArrowRight", 2), ("End", 100)):
        tab.keyboard.press(key)
        assert now() == wanted, key
    tab.touchscreen.tap(at(0.25), middle)
    assert now() == 25
    shown = cv2.imdecode(np.frombuffer(tab.screenshot(), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    wanted = {0.1: PAIR.before, 0.6: PAIR.after}
    for share, pixels in wanted.items():
        x, y = int(at(share)), int(box["y"] + 0.75 * box["height"])
        there = pixels[int(0.75 * 120), int(share * 160)].astype(int)
        assert np.abs(shown[y, x].astype(int) - there).max() < 30, "the picture of that side shows"
    assert said == [] and asked == [page.as_uri()], "no errors, no requests"
