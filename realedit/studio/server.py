"""The studio's HTTP: a page of static files, photos in and pictures out, and one WebSocket."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from realedit.plumbing.files import write_bytes
from realedit.studio.bridge import Bridge, WrongError
from realedit.studio.guard import App, Guard, Keys
from realedit.studio.messages import MEDIA, Export
from realedit.studio.seats import Seat, Seats
from realedit.studio.settings import StudioSettings

log = logging.getLogger(__name__)

PAGE = files("realedit.studio") / "page"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
MOST_UPLOAD = 256 << 20  # bytes of a photo
MOST_MASK = 32 << 20
MOST_EXPORT = 4096
ID = re.compile(r"[0-9a-f]{24}")
ENTERED = (
    '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/">'
    '<link rel="icon" href="/page/icon.svg"><title>realedit studio</title>'
    '<p><a href="/">Open the studio</a></p>'
)


class Studio:
    """The server's parts: the guarded `app`, its keys, and the bridge to the worker."""

    def __init__(self, settings: StudioSettings, port: int) -> None:
        self.settings = settings
        self.keys = Keys(port)
        self._facts: dict[str, Any] | None = None
        self.bridge = Bridge(settings.engine, self._hear)
        self.seats = Seats(self.bridge.send, self._welcome)
        self.starlette = Starlette(routes=self._routes(), lifespan=self._life)
        self.starlette.router.redirect_slashes = False
        self.app: App = Guard(self.starlette, port=port, keys=self.keys)

    def _routes(self) -> list[Route | WebSocketRoute]:
        return [
            Route("/enter/{token}", self._enter),
            Route("/", self._index),
            Route("/page/{name}", self._file),
            Route("/api/photos", self._add, methods=["POST"]),
            Route("/api/view/{photo}", self._view),
            Route("/api/thumbnail/{picture}", self._thumbnail),
            Route("/api/mask/{photo}/{face:int}", self._mask, methods=["POST"]),
            Route("/api/export", self._export, methods=["POST"]),
            WebSocketRoute("/api/socket", self._socket),
        ]

    @asynccontextmanager
    async def _life(self, app: Starlette) -> AsyncIterator[None]:
        self.bridge.start()
        opening = asyncio.create_task(self._open())
        yield
        opening.cancel()
        self.bridge.close()

    async def _open(self) -> None:
        """The photos that were named on the command line."""
        for path in self.settings.photos:
            try:
                await self.bridge.ask("add", path.read_bytes(), _printable(path.name))
            except (WrongError, OSError) as error:
                log.warning("%s is not opened: %s", path, error)

    def _hear(self, event: dict[str, Any], picture: bytes | None) -> None:
        seat = self.seats.taken
        if event["type"] == "facts":
            self._facts = event
            if seat is not None:
                self._welcome(seat)
            return
        if seat is None:
            return
        if picture is not None:
            seat.picture(event, picture)
        else:
            seat.event(event)

    def _welcome(self, seat: Seat) -> None:
        if self._facts is None:  # the worker is not there yet
            return
        seat.event(
            {
                **self._facts,
                "type": "hello",
                "folder": None if self.settings.output is None else self.settings.output.name,
                "largest": MOST_UPLOAD,
            }
        )
        self.bridge.tell()

    async def _enter(self, request: Request) -> Response:
        cookie = self.keys.redeem(request.path_params["token"])
        if cookie is None:
            return _refused(
                "this link was used or is another studio's; start the studio again for a new one", 403
            )
        response = HTMLResponse(ENTERED)
        response.set_cookie(self.keys.name, cookie, httponly=True, samesite="strict", path="/")
        return response

    async def _index(self, request: Request) -> Response:
        return _static("index.html")

    async def _file(self, request: Request) -> Response:
        return _static(request.path_params["name"])

    async def _add(self, request: Request) -> Response:
        body = await _body(request, MOST_UPLOAD)
        if body is None:
            return _refused(f"a photo may have {MOST_UPLOAD >> 20} MB at most", 413)
        name = Path(unquote(request.headers.get("x-name", "photo")).replace("\\", "/")).name[:120]
        return await self._answer("add", body, _printable(name) or "photo")

    async def _view(self, request: Request) -> Response:
        asked, photo = request.query_params, request.path_params["photo"]
        try:
            side = int(asked.get("side", "2048"))
            numbers = tuple(int(asked[key]) for key in ("x", "y", "w", "h") if key in asked)
        except ValueError:
            return _refused("a number is none", 400)
        if not ID.fullmatch(photo) or len(numbers) not in (0, 4) or not 1 <= side <= 4096:
            return _refused("there is no such picture", 404)
        box = None
        if numbers:
            x, y, width, height = numbers
            box = (x, y, x + width, y + height)
        which = asked.get("which", "after")
        if which not in ("before", "after", "mask"):
            return _refused("there is no such picture", 404)
        return await self._answer("view", photo, which, box, side, media="image/jpeg")

    async def _thumbnail(self, request: Request) -> Response:
        picture = request.path_params["picture"]
        if not ID.fullmatch(picture):
            return _refused("there is no such picture", 404)
        return await self._answer("thumbnail", picture, media="image/jpeg")

    async def _mask(self, request: Request) -> Response:
        photo, face = request.path_params["photo"], request.path_params["face"]
        if not ID.fullmatch(photo):
            return _refused("there is no such photo", 404)
        body = await _body(request, MOST_MASK)
        if body is None:
            return _refused("the mask is too large", 413)
        return await self._answer("mask", photo, face, body)

    async def _export(self, request: Request) -> Response:
        body = await _body(request, MOST_EXPORT)
        try:
            export = msgspec.json.decode(body or b"", type=Export)
        except msgspec.MsgspecError as error:
            return _refused(f"this is no export: {error}", 400)
        try:
            name, content, warnings = await self.bridge.ask("export", export)
        except WrongError as error:
            return _refused(str(error), 422)
        said = {"x-warnings": quote("\n".join(warnings))} if warnings else {}
        if self.settings.output is not None:
            place = _free(self.settings.output / name)
            write_bytes(place, content)
            return JSONResponse({"written": place.name}, headers=said)
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}", **said}
        return Response(content, media_type=MEDIA[Path(name).suffix], headers=headers)

    async def _socket(self, socket: WebSocket) -> None:
        await self.seats.serve(socket)

    async def _answer(self, name: str, *arguments: Any, media: str | None = None) -> Response:
        try:
            found = await self.bridge.ask(name, *arguments)
        except WrongError as error:
            return _refused(str(error), 422)
        return JSONResponse({"answer": found}) if media is None else Response(found, media_type=media)


def page_files() -> Sequence[str]:
    """The names of the page's files."""
    return sorted(each.name for each in PAGE.iterdir() if Path(each.name).suffix in KINDS)


def _static(name: str) -> Response:
    if name not in page_files():
        return _refused("there is no such file", 404)
    return Response((PAGE / name).read_bytes(), media_type=KINDS[Path(name).suffix])


async def _body(request: Request, most: int) -> bytes | None:
    """The request's body; None where it is longer than `most` bytes, which are not read."""
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > most:
        return None
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return b"".join(parts)


def _refused(text: str, status: int) -> Response:
    return PlainTextResponse(text, status)


def _printable(name: str) -> str:
    return "".join(each for each in name if each.isprintable())


def _free(path: Path) -> Path:
    """The path, or one beside it that is not taken: nothing is replaced."""
    number, free = 1, path
    while free.exists() or free.is_symlink():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
