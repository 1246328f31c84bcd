"""One page at a time: the others wait for their turn and are told so. Pictures never queue up."""

from __future__ import annotations

import asyncio
import json
import struct
from collections import deque
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from realedit.studio.messages import Release, Shown, Stop, decoded

IN_FLIGHT = 2  # pictures that are on their way to the screen at most
MOST_EVENTS = 500  # that wait for a page; one that reads so slowly is sent away


class Seat:
    """One page's WebSocket: events in order, and of pictures the newest alone."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self._events: deque[str] = deque()
        self._picture: bytes | None = None
        self._under_way = 0
        self._news = asyncio.Event()
        self.dropped = 0

    def event(self, event: dict[str, Any]) -> None:
        """One more event."""
        self._events.append(json.dumps(event, separators=(",", ":")))
        self._news.set()

    def picture(self, header: dict[str, Any], content: bytes) -> None:
        """A newer picture: the one before is dropped where it was not sent yet."""
        head = json.dumps(header, separators=(",", ":")).encode()
        self.dropped += self._picture is not None
        self._picture = struct.pack(">I", len(head)) + head + content
        self._news.set()

    def shown(self) -> None:
        """The page has a picture on the screen."""
        self._under_way = max(0, self._under_way - 1)
        self._news.set()

    async def send(self) -> None:
        """Send what there is, until the page is gone."""
        while True:
            await self._news.wait()
            self._news.clear()
            if len(self._events) > MOST_EVENTS:
                await self.socket.close(4408, "the page does not read")
                return
            while self._events:
                await self.socket.send_text(self._events.popleft())
            if self._picture is not None and self._under_way < IN_FLIGHT:
                picture, self._picture = self._picture, None
                self._under_way += 1
                await self.socket.send_bytes(picture)


class Seats:
    """The page that edits, and those that wait."""

    def __init__(self, ask: Callable[[Any], None], welcome: Callable[[Seat], None]) -> None:
        """ask: gets the commands of the page that edits. welcome: called when a page's turn comes."""
        self._ask, self._welcome = ask, welcome
        self._waiting: deque[Seat] = deque()
        self.taken: Seat | None = None

    async def serve(self, socket: WebSocket) -> None:
        """One page, from its first word to its last."""
        await socket.accept()
        seat = Seat(socket)
        sending = asyncio.create_task(seat.send())
        self._waiting.append(seat)
        self._next()
        try:
            while True:
                command = decoded(await socket.receive_text())
                if self.taken is not seat:
                    continue
                if isinstance(command, Shown):
                    seat.shown()
                else:
                    self._ask(command)
        except WebSocketDisconnect:
            pass
        except (ValueError, KeyError):  # no command, or no text
            await socket.close(4400, "this is no command")
        finally:
            sending.cancel()
            self._leave(seat)

    def _next(self) -> None:
        if self.taken is None and self._waiting:
            self.taken = self._waiting.popleft()
            self._welcome(self.taken)
        for place, seat in enumerate(self._waiting, 1):
            seat.event({"type": "waiting", "place": place})

    def _leave(self, seat: Seat) -> None:
        if seat in self._waiting:
            self._waiting.remove(seat)
        if self.taken is seat:
            self.taken = None
            self._ask(Stop())  # closing the page stops the drag
            self._ask(Release())
        self._next()
