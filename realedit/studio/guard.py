"""Nobody else: what stands in front of every route of the studio, also of those that come later.

Other programs' pages run in the same browser, and names can be made to lead to this machine (DNS rebinding).
So a request counts only with this server's own Host, this page's own Origin where it changes anything or
opens the WebSocket, and the cookie that the token in the terminal was exchanged for, once.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ENTER = "/enter/"
SAFE = ("GET", "HEAD")
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Keys:
    """The token of the link in the terminal, and the cookie that it is exchanged for, once."""

    def __init__(self, port: int) -> None:
        self.name = f"realedit-{port}"  # cookies are shared by the ports of a host
        self._token: str | None = secrets.token_urlsafe(32)
        self._cookie = secrets.token_urlsafe(32)

    @property
    def link(self) -> str:
        """The path that the token opens. Raises RuntimeError when it was used."""
        if self._token is None:
            raise RuntimeError("the link was used")
        return f"{ENTER}{self._token}"

    def redeem(self, token: str) -> str | None:
        """The cookie, the first time that the right token comes."""
        if self._token is None or not hmac.compare_digest(self._token.encode(), token.encode()):
            return None
        self._token = None
        return self._cookie

    def fits(self, cookies: str) -> bool:
        """Whether the Cookie header has the cookie."""
        pairs = (each.strip().partition("=") for each in cookies.split(";"))
        given = [value for name, _, value in pairs if name == self.name]
        return len(given) == 1 and hmac.compare_digest(given[0].encode(), self._cookie.encode())


class Guard:
    """Lets requests through to `app` that come from the studio's own page, and refuses all others."""

    def __init__(self, app: App, *, port: int, keys: Keys) -> None:
        self.app, self.keys = app, keys
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or WebSocket."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        refusal = self.refusal(scope)
        if refusal is None:
            await self.app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4403, "reason": refusal})
        else:
            await _refuse(_with_headers(send), refusal)

    def refusal(self, scope: Scope) -> str | None:
        """Why a request is refused; None: it is not."""
        headers = _headers(scope)
        hosts, origins = headers.get("host", []), headers.get("origin", [])
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return "this is not the studio's address"
        method = scope.get("method", "GET")
        unsafe = scope["type"] == "websocket" or method not in SAFE
        if (origins or unsafe) and origins != [f"http://{hosts[0]}"]:
            return "only the studio's own page may ask for this"
        if headers.get("sec-fetch-site", ["none"]) not in (["none"], ["same-origin"]):
            return "another page may not ask for this; paste the link into the address bar"
        if scope["type"] == "http" and method in SAFE and scope["path"].startswith(ENTER):
            return None
        if not self.keys.fits("; ".join(headers.get("cookie", []))):
            return "open the link that the terminal shows; it works once"
        return None


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            more = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in given]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return sending


async def _refuse(send: Send, reason: str) -> None:
    body = f"{reason}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
