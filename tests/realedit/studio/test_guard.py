"""The studio accepts nobody but its own page on this machine: every route against every hostile request."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import pytest
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from realedit.studio.guard import HEADERS, Keys
from realedit.studio.server import Studio, page_files
from tests.realedit.samples import picture
from tests.realedit.studio.fakes import ORIGIN, PHOTO, PORT, client, entered, studio

VALUES = {"name": "index.html", "photo": PHOTO, "picture": PHOTO, "face": "0", "token": "wrong"}
HOSTS = ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", f"127.0.0.2:{PORT}",
         f"localhost.evil.example:{PORT}", f"[::1]:{PORT}", f"0.0.0.0:{PORT}", ""]  # fmt: skip
ORIGINS = ["null", "http://evil.example", f"http://evil.example:{PORT}", "http://127.0.0.1:1",
           f"https://127.0.0.1:{PORT}", f"http://localhost:{PORT}", "http://127.0.0.1", ""]  # fmt: skip
ENTRY = "/enter/{token}"


def _filled(pattern: str, value: str | None = None) -> str:
    return re.sub(r"{(\w+)(:\w+)?}", lambda match: value or VALUES[match[1]], pattern)


def _routes(made: Studio) -> list[tuple[str, str]]:
    """Method and path of all routes of the app, a new one's too."""
    found = []
    for route in made.starlette.routes:
        assert isinstance(route, (Route, WebSocketRoute)), "a mount would hide its routes from this test"
        methods = route.methods or set() if isinstance(route, Route) else {"WEBSOCKET"}
        found += [(method, route.path) for method in sorted(methods)]
    return found


ROUTES = _routes(studio()[0])


def _accepted(browser: TestClient, method: str, pattern: str, headers: dict[str, str]) -> bool:
    """Whether the server answers a request with anything but a refusal."""
    if method == "WEBSOCKET":
        try:
            with browser.websocket_connect(
                f"ws://127.0.0.1:{PORT}{_filled(pattern)}", headers=headers
            ) as socket:
                socket.receive()
        except WebSocketDisconnect as refusal:
            assert refusal.code == 4403
            return False
        return True
    content = b"{}" if method == "POST" else None
    answer = browser.request(method, _filled(pattern), headers=headers, content=content)
    assert not any(name.startswith("access-control-") for name in answer.headers)
    return answer.status_code < 400


def _hostile() -> Iterator[tuple[str, dict[str, str], bool]]:
    """What is wrong, the headers, and whether the browser has the cookie."""
    for host in HOSTS:
        yield f"host {host!r}", {"host": host, "origin": f"http://{host}"}, True
        yield f"host {host!r} with our origin", {"host": host, "origin": ORIGIN}, True
    for origin in ORIGINS:
        yield f"origin {origin!r}", {"origin": origin}, True
    for site in ("cross-site", "same-site"):
        yield site, {"origin": ORIGIN, "sec-fetch-site": site}, True
    yield "no cookie", {"origin": ORIGIN}, False
    yield "another start's cookie", {"origin": ORIGIN, "cookie": f"realedit-{PORT}=stale"}, False
    yield "another port's cookie", {"origin": ORIGIN, "cookie": "realedit-1=stale"}, False


@pytest.mark.parametrize(("method", "pattern"), ROUTES)
def test_every_route_refuses_every_hostile_request(method: str, pattern: str) -> None:
    made, bridge = studio()
    known, stranger = entered(made), client(made)
    cases = list(_hostile())
    accepted = [
        what
        for what, headers, cookie in cases
        if _accepted(known if cookie else stranger, method, pattern, headers)
    ]
    assert len(cases) == 31
    assert accepted == []
    assert (bridge.asked, bridge.sent) == ([], [])


@pytest.mark.parametrize(("method", "pattern"), ROUTES)
def test_what_changes_anything_needs_an_origin(method: str, pattern: str) -> None:
    made, bridge = studio()
    accepted = _accepted(entered(made), method, pattern, {})
    assert accepted == (method in ("GET", "HEAD") and pattern != ENTRY)
    if not accepted:
        assert (bridge.asked, bridge.sent) == ([], [])


def test_all_routes_answer_their_own_page() -> None:
    made, _ = studio()
    with entered(made) as browser:
        for method, pattern in ROUTES:
            if pattern not in (ENTRY, "/api/photos", "/api/export"):
                assert _accepted(browser, method, pattern, {"origin": ORIGIN}), (method, pattern)


def test_the_link_works_once_and_its_cookie_is_strict() -> None:
    made, _ = studio()
    link, browser = made.keys.link, client(made)
    assert browser.get("/").status_code == 403
    assert browser.get("/enter/wrong").status_code == 403
    cookie = browser.get(link).headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=strict", f"realedit-{PORT}="))
    assert browser.get("/").status_code == 200
    assert browser.get(link).status_code == client(made).get(link).status_code == 403
    with pytest.raises(RuntimeError):
        _ = made.keys.link


def test_keys_of_two_starts_differ() -> None:
    one, other = Keys(PORT), Keys(PORT)
    cookie = one.redeem(one.link.removeprefix("/enter/"))
    assert cookie is not None
    assert one.fits(f"a=b; {one.name}={cookie}")
    assert not other.fits(f"{other.name}={cookie}")
    assert not one.fits(f"{one.name}={cookie}; {one.name}=x"), "one cookie of that name is expected"


def test_every_answer_says_what_browsers_must_not_do() -> None:
    browser = entered(studio()[0])
    for path in ("/", "/page/main.js", "/nothing", "/enter/wrong", f"/api/view/{PHOTO}"):
        answer = browser.get(path)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    policy = HEADERS["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy


def test_the_page_has_no_inline_code_and_names_no_other_host() -> None:
    browser = entered(studio()[0])
    assert {"index.html", "main.js", "style.css"} <= set(page_files())
    for name in page_files():
        content = browser.get(f"/page/{name}").text
        named = set(re.findall(r"(?:https?:)?//(?:[\w-]+\.)+[a-z]{2,}", content))
        assert named <= {"http://www.w3.org"}  # the namespace of SVG
        if name.endswith(".html"):
            assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=|javascript:", content)


IDS = ["..", "../index.html", "..%2findex.html", "%2e%2e%2f%2e%2e%2fserver.py", "....//", "/etc/passwd",
       "%2fetc%2fpasswd", "..%5cserver.py", "index.html%00.js", "http:%2f%2fevil.example%2f",
       "file:%2f%2f%2fetc%2fpasswd", "0123", PHOTO.upper(), PHOTO + "0", f"{PHOTO}%2f.."]  # fmt: skip


@pytest.mark.parametrize("pattern", sorted({pattern for _, pattern in ROUTES if "{" in pattern}))
def test_no_id_leads_out(pattern: str) -> None:
    made, bridge = studio()
    browser = entered(made)
    for id_ in IDS:
        for method in ("GET", "POST"):
            answer = browser.request(method, _filled(pattern, id_), headers={"origin": ORIGIN}, content=b"")
            leads_home = answer.status_code == 200 and answer.request.url.path in ("/", "/page/index.html")
            assert answer.status_code in (403, 404, 405) or leads_home, id_
            assert b"root:" not in answer.content and b"import asyncio" not in answer.content
    assert bridge.asked == []


@cache
def _tiny() -> bytes:
    return cv2.imencode(".png", picture(8, 8))[1].tobytes()


def _uploads() -> dict[str, bytes]:
    bomb = bytearray(_tiny())
    bomb[16:24] = (50_000).to_bytes(4, "big") * 2  # the size that it claims
    entity = b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg/>'
    return {
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "svg that reads a file": entity,
        "html": b"<!doctype html><script>fetch('/api/photos')</script>",
        "html behind the beginning of a png": _tiny()[:8] + b"<html>",
        "pdf": b"%PDF-1.7",
        "gif": b"GIF89a" + bytes(32),
        "nothing": b"",
        "more pixels than allowed": bytes(bomb),
        "cut short": _tiny()[: len(_tiny()) // 2],
    }


@pytest.mark.parametrize("what", _uploads())
def test_only_photos_come_in(what: str) -> None:
    made, bridge = studio()
    browser = entered(made)
    for name in ("photo.png", "photo.svg", "..%2F..%2Fphoto.html"):
        headers = {"origin": ORIGIN, "x-name": name}
        answer = browser.post("/api/photos", content=_uploads()[what], headers=headers)
        assert answer.status_code == 422
        assert answer.headers["content-type"].startswith("text/plain")
    assert bridge.asked == []


def test_uploads_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realedit.studio.server.MOST_UPLOAD", 1000)
    made, bridge = studio()
    browser = entered(made)

    def unannounced() -> Iterator[bytes]:
        yield from [bytes(400)] * 3

    for content in (bytes(1001), unannounced()):
        assert browser.post("/api/photos", content=content, headers={"origin": ORIGIN}).status_code == 413
    assert bridge.asked == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("a%00b.png", "ab.png"),
        ("C%3A%5Cx%5Cy.png", "y.png"),
        ("%2F", "photo"),
    ],
)
def test_a_photos_name_is_a_name_alone(given: str, kept: str) -> None:
    made, bridge = studio()
    headers = {"origin": ORIGIN, "x-name": given}
    assert entered(made).post("/api/photos", content=_tiny(), headers=headers).is_success
    assert bridge.asked == [("add", _tiny(), kept)]


def test_exports_go_where_the_command_line_said_and_replace_nothing(tmp_path: Path) -> None:
    browser = entered(studio(output=tmp_path)[0])
    body = f'{{"photo": "{PHOTO}", "kind": "photo"}}'
    for expected in ("photo-edited.jpg", "photo-edited-2.jpg"):
        answer = browser.post("/api/export", content=body, headers={"origin": ORIGIN})
        assert answer.json() == {"written": expected}
        assert (tmp_path / expected).read_bytes() == b"jpeg"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photo-edited-2.jpg", "photo-edited.jpg"]


def test_exports_without_a_folder_are_downloads() -> None:
    browser = entered(studio()[0])
    good = f'{{"photo": "{PHOTO}", "kind": "photo"}}'
    answer = browser.post("/api/export", content=good, headers={"origin": ORIGIN})
    assert answer.headers["content-disposition"].startswith("attachment;")
    for wrong in ("", "[]", '{"photo": "x", "kind": "photo"}', good[:-1] + ', "path": "/x"}'):
        assert browser.post("/api/export", content=wrong, headers={"origin": ORIGIN}).status_code == 400
