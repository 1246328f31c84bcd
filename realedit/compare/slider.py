"""A page with a slider between before and after: one file, no network, nothing from elsewhere.

Pictures are data in the page, and its content security policy allows nothing but them, its style and its one
script, by hash.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from urllib.parse import quote

import cv2
import numpy as np

from realedit.compare.pair import Pair, Picture
from realedit.plumbing.files import working
from realedit.plumbing.places import MARK
from realedit.plumbing.printing import printable

_QUALITY = 90


def write_slider(path: Path, pair: Pair, *, names: tuple[str, str] = ("before", "after")) -> None:
    """The page of one pair of one size, which fills the window. Raises OutputError, ResourceError."""
    write_page(path, [figure(pair, names=names)], title=f"{names[0]} / {names[1]}", alone=True)


def write_page(
    path: Path,
    figures: Iterable[str],
    *,
    title: str,
    alone: bool = False,
    before: str | None = None,
    after: str | None = None,
) -> None:
    """Figures (see `figure`), written one by one; before and after: file names of the neighbouring pages."""
    script = _resource("slider.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    links = [(before, "&larr; previous page"), (after, "next page &rarr;")]
    pages = "".join(f'<a href="{quote(os.fsencode(name))}">{text}</a>' for name, text in links if name)
    head, tail = (
        Template(half).substitute(
            title=escape(printable(title)),
            generator=MARK,
            hash=f"sha256-{digest}",
            layout="alone" if alone else "sheet",
            pages=f"<nav>{pages}</nav>" if pages else "",
            script=script,
        )
        for half in _resource("slider.html").split("$figures")
    )
    with working(path) as out:
        for piece in _joined(head, figures, tail):
            out.write(piece.encode())


def _joined(head: str, figures: Iterable[str], tail: str) -> Iterator[str]:
    yield head
    yield from figures
    yield tail


def figure(pair: Pair | None, *, names: tuple[str, str], caption: str = "", note: str = "") -> str:
    """A slider in HTML; `names` are shown over the pictures, caption and note below, escaped. Without a pair
    there is only the text."""
    below = f"<figcaption>{escape(printable(caption))} <small>{escape(printable(note))}</small></figcaption>"
    if pair is None:
        return f"<figure>{below}</figure>\n"
    height, width = pair.before.shape[:2]
    left, right = (escape(name) for name in names)
    return (
        f'<figure style="--shape:{width / height:.6f}"><div class="frame">'
        f'<img class="before" alt="{left}" draggable="false" src="{_data(pair.before)}">'
        f'<img class="after" alt="{right}" draggable="false" src="{_data(pair.after)}">'
        f'<span>{left}</span><span class="right">{right}</span>'
        '<div class="knob" role="slider" tabindex="0" aria-label="how much of the picture shows before, '
        'in percent" aria-valuemin="0" aria-valuemax="100" aria-valuenow="50"></div></div>'
        f"{below if caption or note else ''}</figure>\n"
    )


def _data(picture: Picture) -> str:
    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY, cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    ok, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), options)
    assert ok
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"


def _resource(name: str) -> str:
    return (files("realedit.compare") / name).read_text(encoding="utf-8")
